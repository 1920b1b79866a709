"""What the end of a tool's process tells: of the step, or of a container that could not run."""

import re
from typing import NamedTuple

from vhpipe.attempt.launch import Ending
from vhpipe.attempt.limits import limits_of
from vhpipe.attempt.log_end import end_of_log
from vhpipe.attempt.outputs import exit_text
from vhpipe.attempt.ready import ReadyAttempt
from vhpipe.runners.container_tools import last_line
from vhpipe.runners.container_usage import ContainerUsage
from vhpipe.store.attempt_files import LOG

TOOL_FAILED, CANNOT_EXECUTE, NOT_FOUND, NO_INIT = 125, 126, 127, 1
KILLED = 137
_missing_module = re.compile(rb"ModuleNotFoundError: No module named '([\w.]{1,100})'\s*$")


class _Failure(NamedTuple):
    """`texts` are what a tool says, in lower case; `{}` in the meaning is the tool."""

    codes: frozenset[int]
    texts: tuple[str, ...]
    meaning: str


_ANY = frozenset({TOOL_FAILED, CANNOT_EXECUTE, NOT_FOUND, NO_INIT})
_TOOL = frozenset({TOOL_FAILED, CANNOT_EXECUTE})
_FAILURES = (
    _Failure(_ANY, ("failed to exec pid1", "[fatal tini", "exec: \"/bin/sh\"", "executable file `/bin/sh`",
                    "executable file not found"),
             "image `{image}` has no `{program}` to run the command with"),
    _Failure(_TOOL, ("rlimit_nofile", "error setting rlimit", "setrlimit"),
             "{tool} may not set the limits of processes that it is configured for; lower `default_ulimits` in "
             "containers.conf"),
    _Failure(_TOOL, ("netavark", "cni", "slirp4netns", "pasta", "iptables", "network bridge not found"),
             "{tool} cannot make a network; VH_DOCKER_NETWORK=host gives the step the one of this machine"),
    _Failure(_TOOL, ("could not select device driver", "unresolvable cdi", "nvidia-container-cli"),
             "{tool} cannot give the container its GPU; set up the NVIDIA Container Toolkit"),
    _Failure(_TOOL, ("no space left on device",), "the disk of {tool} is full; free some space: {tool} system prune"),
    _Failure(_TOOL, ("cannot connect to the docker daemon", "error during connect"),
             "the Docker daemon has gone; start it: sudo systemctl start docker"),
    _Failure(_TOOL, ("no such image", "image not known"), "image `{image}` has been removed from {tool}"),
)  # fmt: skip


def meaning_of(ending: Ending, ready: ReadyAttempt, tool: str, used: ContainerUsage) -> Ending:
    """The ending, with the reason of one that is no success and that nobody has asked for.

    What the process of the tool has used says nothing of the step, but what the container has.
    """
    ending = ending._replace(usage=used.usage)
    if ending.because is not None or ending.exit_code == 0:
        return ending
    most = limits_of(ready.spec.execution.step.resources).memory_bytes if used.was_short else None
    if most is not None:
        return ending._replace(memory_exceeded=most)
    return ending._replace(because=_reason(ending.exit_code, ready, tool))


def _reason(code: int, ready: ReadyAttempt, tool: str) -> str:
    step, end = ready.spec.execution.step, end_of_log(f"{ready.folder}/{LOG}")
    text = end.decode(errors="replace")
    for failure in _FAILURES:
        if code in failure.codes and any(said in text.lower() for said in failure.texts):
            return failure.meaning.format(tool=tool, image=step.image, program=_program(ready))
    if code == TOOL_FAILED:
        return f"{tool} could not run the container: {last_line(text)}"
    limit = step.resources and step.resources.memory and step.resources.memory.maximum
    if code == KILLED and limit:
        return f"{exit_text(code)}; if {limit:g} MB of memory were not enough, raise `resources.memory.max` of the step"
    module = _missing_module.search(end)
    missing = f": image `{step.image}` has no module `{module[1].decode()}`" if module else ""
    return f"{exit_text(code)}{missing}"


def _program(ready: ReadyAttempt) -> str:
    """What the container was started with."""
    words = ready.prepared.launch.argv
    return next(word.partition("=")[2] for word in words if word.startswith("--entrypoint="))
