"""The command line that runs one attempt in a container: pure, for any of the tools.

Values of variables never stand in it, nor in any file: they are taken from the environment of the tool. One that the
tool would go by itself has another name there, until the step runs. Source: decisions 202 and 203.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.runners.container_tools import ContainerTool, ToolFacts

MOST_PIDS = 16384
"""Processes and threads of one container, where the machine has room for four times as many."""
ROOT_MAY = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
"""What package managers need of root's privileges; all others are dropped."""
READ_BY_TOOLS = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "TZ", "NOTIFY_SOCKET"})
READ_BY_TOOLS_PREFIXES = ("DOCKER_", "CONTAINER", "_CONTAINERS", "PODMAN_", "BUILDAH_", "STORAGE_", "REGISTRY_",
                          "XDG_", "DBUS_", "LD_", "LC_", "GO", "SSL_", "SSH_", "LISTEN_", "TESTING_")  # fmt: skip
READ_BY_TOOLS_SUFFIXES = ("_PROXY", "_proxy")


class ContainerOrder(NamedTuple):
    """One container to run. `user` is `UID:GID`, `network` None for what the tool does by itself."""

    name: str
    labels: tuple[tuple[str, str], ...]
    image: str
    command: tuple[str, ...]
    workdir: str
    user: str
    mounts: tuple[BindMount, ...]
    variables: tuple[str, ...]
    """Names whose values are in the environment of the tool."""
    shm_bytes: int
    most_pids: int
    cpus: float | None = None
    on_cores: frozenset[int] = frozenset()
    memory_bytes: int | None = None
    gpus: tuple[str, ...] = ()
    network: str | None = None


def run_words(tool: ContainerTool, facts: ToolFacts, order: ContainerOrder) -> tuple[str, ...]:
    """What runs the container and ends when it ends; the entry point of the image does not count."""
    program, *arguments = order.command
    return (
        tool.name, "run", "--rm", "--pull=never", "--log-driver=none", f"--name={order.name}",
        *(f"--label={name}={text}" for name, text in order.labels),
        *tool.own_options,
        *_rights(order),
        *_limits(facts, order),
        *(("--init",) if facts.has_init else ()),
        *gpu_words(tool, order.gpus),
        *((f"--network={order.network}",) if order.network else ()),
        *(word for mount in order.mounts for word in ("--mount", mount_text(mount))),
        *(f"--env={name}" for name in order.variables),
        f"--workdir={order.workdir}", f"--entrypoint={program}", order.image, *arguments,
    )  # fmt: skip


def _rights(order: ContainerOrder) -> tuple[str, ...]:
    """As few as the platform's steps get along with. Labels of SELinux would keep the user's folders out."""
    added = tuple(f"--cap-add={name}" for name in ROOT_MAY) if order.user.startswith("0:") else ()
    return (
        f"--user={order.user}", "--cap-drop=ALL", *added,
        "--security-opt=no-new-privileges", "--security-opt=label=disable",
    )  # fmt: skip


def _limits(facts: ToolFacts, order: ContainerOrder) -> tuple[str, ...]:
    """Those that the machine can enforce; the size of shared memory is one that every machine can."""
    words = [f"--shm-size={order.shm_bytes}"]
    if "pids" in facts.limits:
        words.append(f"--pids-limit={order.most_pids}")
    if order.cpus is not None and "cpu" in facts.limits:
        words.append(f"--cpus={order.cpus:g}")
    if order.on_cores and "cpuset" in facts.limits:
        words.append(f"--cpuset-cpus={','.join(map(str, sorted(order.on_cores)))}")
    if order.memory_bytes is not None and "memory" in facts.limits:
        words.append(f"--memory={order.memory_bytes}b")
    return tuple(words)


def gpu_words(tool: ContainerTool, gpus: Sequence[str]) -> tuple[str, ...]:
    """What gives these GPUs to a container: indexes, names, or `all`."""
    if not gpus:
        return ()
    if tool.name == "docker":
        value = "all" if tuple(gpus) == ("all",) else tool.gpu_value.format(",".join(gpus))
        return (tool.gpu_option, value)
    return tuple(word for gpu in gpus for word in (tool.gpu_option, tool.gpu_value.format(gpu)))


def mount_text(mount: BindMount) -> str:
    """A bind mount as one line of comma-separated values, which is how both tools read it."""
    fields = ("type=bind", f"source={mount.source}", f"target={mount.target}", *(("readonly",) * mount.read_only))
    return ",".join(map(_csv_field, fields))


def _csv_field(text: str) -> str:
    if not set(text) & set(',"\n\r'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


class PassedVariables(NamedTuple):
    """Variables of a step as the tool hands them on, and those of them that have another name until the step runs.

    `renamed` are pairs of the name that the tool sees and the true one, which would mean something to the tool itself.
    """

    given: Mapping[str, str]
    renamed: tuple[tuple[str, str], ...] = ()

    def before(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """The command after which every variable has its own name."""
        if not self.renamed:
            return command
        words = "".join(f'export {name}="${alias}"; unset {alias}; ' for alias, name in self.renamed)
        return ("/bin/sh", "-c", f'{words}exec "$@"', "sh", *command)


def passed_variables(variables: Mapping[str, str]) -> PassedVariables:
    """How they are handed on. Errors: `CannotPrepareError` for a variable that a container cannot have."""
    given: dict[str, str] = {}
    renamed: list[tuple[str, str]] = []
    for name, text in variables.items():
        is_read = _is_read_by_tools(name)
        if not re.fullmatch(r"[A-Za-z_]\w*" if is_read else r"[^=*\s#]+", name, re.ASCII):
            raise CannotPrepareError(f"variable `{name}` cannot be given to a container: rename it")
        if is_read:
            renamed.append((f"VHPIPE_VARIABLE_{len(renamed)}", name))
        given[renamed[-1][0] if is_read else name] = text
    return PassedVariables(given, tuple(renamed))


def _is_read_by_tools(name: str) -> bool:
    """Whether the tool itself would go by a variable of that name."""
    return (
        name in READ_BY_TOOLS or name.startswith(READ_BY_TOOLS_PREFIXES) or name.endswith(READ_BY_TOOLS_SUFFIXES)
    )
