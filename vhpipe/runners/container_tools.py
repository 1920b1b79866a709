"""The programs that run containers, what tells them apart, and whether one of them answers here and what it can do.

They are driven by their command lines: that ties to no socket, and the user's own logins and settings hold.
Source: decision 201.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from glob import glob
from typing import Any, NamedTuple

from vhpipe.errors import EnvironmentFailure

PATIENCE_S = 20.0
"""How long a tool may take to say how it is."""
CDI_FILES = ("/etc/cdi/*nvidia*", "/var/run/cdi/*nvidia*")
PODMAN_INITS = ("/usr/libexec/podman/catatonit", "/usr/local/libexec/podman/catatonit", "/usr/lib/podman/catatonit",
                "/usr/local/lib/podman/catatonit")  # fmt: skip


class ContainerTool(NamedTuple):
    """A program that runs containers. `remove` ends and removes some at once, `gpu_value` has a place for GPUs."""

    name: str
    questions: tuple[str, ...]
    remove: tuple[str, ...]
    own_options: tuple[str, ...]
    gpu_option: str
    gpu_value: str
    install: str
    gpu_cure: str


TOOLS: Mapping[str, ContainerTool] = {
    "podman": ContainerTool(
        name="podman",
        questions=("info", "--format", "json"),
        remove=("rm", "--force", "--volumes"),
        own_options=("--http-proxy=false", "--stop-timeout=0"),
        gpu_option="--device",
        gpu_value="nvidia.com/gpu={}",
        install="install it, for example: sudo apt-get install podman",
        gpu_cure="sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
    ),
    "docker": ContainerTool(
        name="docker",
        questions=("info", "--format", "{{json .}}"),
        remove=("rm", "--force", "--volumes"),
        own_options=(),
        gpu_option="--gpus",
        gpu_value='"device={}"',
        install="install it: https://docs.docker.com/engine/install",
        gpu_cure="sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
    ),
}
"""In the order in which `auto` tries them."""


class ToolFacts(NamedTuple):
    """What a tool that answers has said of itself. `limits` are the cgroup controllers that it can use.

    `is_rootless`: root in a container is the user of this process outside. `is_here`: its containers run in the system
    of this process, which sees what runs in them.
    """

    version: str
    is_rootless: bool = False
    has_init: bool = False
    has_nvidia: bool = False
    limits: frozenset[str] = frozenset()
    is_here: bool = True


class ToolProbe(NamedTuple):
    """Whether a tool can be used here: its facts, or the reason why not and what would help."""

    facts: ToolFacts | None
    reason: str = ""
    cure: str = ""

    @property
    def version(self) -> str | None:
        return None if self.facts is None else self.facts.version


def probe(name: str) -> ToolProbe:
    """Ask a tool of `TOOLS` how it is; what is not there or does not answer in time is no error."""
    tool = TOOLS[name]
    if shutil.which(name) is None:
        return ToolProbe(None, f"`{name}` is not installed", tool.install)
    try:
        said = asked(name, tool.questions, PATIENCE_S)
    except subprocess.TimeoutExpired:
        return ToolProbe(None, f"`{name} info` has not answered for {PATIENCE_S:g} s", f"find out why: {name} info")
    except OSError as failure:
        return ToolProbe(None, f"`{name}` cannot be started: {failure.strerror}", tool.install)
    try:
        found = json.loads(said.stdout)
        facts = _FACTS[name](found)
    except (ValueError, KeyError, TypeError, AttributeError):
        facts = None
    if said.returncode == 0 and facts is not None:
        return ToolProbe(facts)
    return ToolProbe(None, *_why_not(name, said.stderr + said.stdout))


def usable(name: str) -> ContainerTool:
    """A tool that answers. Errors: EnvironmentFailure with the reason where it does not."""
    facts_of(name)
    return TOOLS[name]


@cache
def facts_of(name: str) -> ToolFacts:
    """What a tool says of itself, asked once. Errors: EnvironmentFailure, after which it is asked again."""
    found = probe(name)
    if found.facts is None:
        raise EnvironmentFailure(found.reason, found.cure)
    return found.facts


def first_that_answers() -> tuple[str | None, tuple[ToolProbe, ...]]:
    """What `auto` stands for: the first tool that can be used, None without any; and what was heard until then."""
    heard = []
    for name in TOOLS:
        heard.append(probe(name))
        if heard[-1].facts is not None:
            return name, tuple(heard)
    return None, tuple(heard)


def asked(name: str, words: Sequence[str], patience_s: float | None) -> "subprocess.CompletedProcess[str]":
    """What a tool says, without a terminal. Errors: OSError, `subprocess.TimeoutExpired`."""
    return subprocess.run(
        (name, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=patience_s, start_new_session=True, check=False,
    )  # fmt: skip


def last_line(text: str) -> str:
    """The last line of what a tool printed that says something, without the word that it begins with."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Run 'docker")]
    said = lines[-1] if lines else "it said nothing"
    for word in ("Error: ", "docker: ", "ERROR: "):
        said = said.removeprefix(word)
    return said[:500]


# ── what they say ────────────────────────────────────────────────────────────────────────────────


def _podman_facts(said: dict[str, Any]) -> ToolFacts:
    host = said["host"]
    security, controllers = host["security"], host.get("cgroupControllers")
    return ToolFacts(
        version=str(said["version"]["Version"]),
        is_rootless=bool(security["rootless"]),
        has_init=shutil.which("catatonit") is not None or any(map(os.path.exists, PODMAN_INITS)),
        has_nvidia=any(glob(pattern) for pattern in CDI_FILES),
        limits=frozenset(map(str, controllers)) if isinstance(controllers, list) else frozenset(),
        is_here=not host.get("serviceIsRemote"),
    )


def _docker_facts(said: dict[str, Any]) -> ToolFacts | None:
    version = said.get("ServerVersion")
    if not version or said.get("ServerErrors"):
        return None
    init = said.get("InitCommit")
    security, runtimes = said.get("SecurityOptions"), said.get("Runtimes")
    limits = {name: said.get(key) for name, key in _DOCKER_LIMITS.items()}
    return ToolFacts(
        version=str(version),
        is_rootless="name=rootless" in str(security),
        has_init=bool(said.get("InitBinary")) and not (isinstance(init, dict) and init.get("ID") == "N/A"),
        has_nvidia="nvidia" in str(runtimes) or any(glob(pattern) for pattern in CDI_FILES),
        limits=frozenset(name for name, is_there in limits.items() if is_there),
        is_here=(said.get("Name"), said.get("KernelVersion")) == (os.uname().nodename, os.uname().release),
    )


_DOCKER_LIMITS = {"memory": "MemoryLimit", "cpu": "CpuCfsQuota", "pids": "PidsLimit", "cpuset": "CPUSet"}
_FACTS: Mapping[str, Callable[[dict[str, Any]], ToolFacts | None]] = {
    "podman": _podman_facts, "docker": _docker_facts
}  # fmt: skip

_REASONS = (
    ("permission denied while trying to connect", "you may not use the Docker socket",
     "sudo usermod -aG docker $USER, and log in again"),
    ("Cannot connect to the Docker daemon", "the Docker daemon is not running", "sudo systemctl start docker"),
    ("dial unix", "the Docker daemon is not running", "sudo systemctl start docker"),
    ("newuidmap", "`newuidmap` is missing, which Podman needs for users other than root",
     "sudo apt-get install uidmap"),
    ("no subuid ranges", "your user has no subordinate ids",
     "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER, then: podman system migrate"),
    ("no space left on device", "the disk of its images is full", "free some space, for example: {} image prune"),
)  # fmt: skip
"""What a tool says, what that means, and what helps; `{}` is the tool."""


def _why_not(name: str, said: str) -> tuple[str, str]:
    for text, reason, cure in _REASONS:
        if text.lower() in said.lower():
            return reason, cure.format(name)
    return f"`{name} info` fails: {last_line(said)}", f"find out why: {name} info"
