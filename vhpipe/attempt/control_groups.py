"""Control groups: what keeps a process tree to an amount of memory and of CPU time, by either version of them.

A group of an attempt is made below the one that this process is in, or beside it; its name says whose it is, so that
what a killed process has left is found and removed. Nothing but a process itself can enter its group before it starts
others, so a shell enters it and becomes the process.
Source: the kernel's documentation of both versions (admin-guide/cgroup-v1, admin-guide/cgroup-v2).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import Literal, NamedTuple

from vhpipe.attempt.launch import Limits, Usage

ROOT = "/sys/fs/cgroup"
NAME = "vhpipe-"
"""How the names of our groups begin: `vhpipe-<process id>-<when that started>-<number>`."""
PERIOD_US = 100_000

Controller = Literal["memory", "cpu"]
CONTROLLERS: tuple[Controller, ...] = ("memory", "cpu")

_numbers = count(1)


class _Base(NamedTuple):
    """A folder in which groups can be made, by the version of control groups that it is of."""

    folder: str
    version: Literal[1, 2]


class ControlGroups(NamedTuple):
    """Where this process can make groups, by what they limit; without any it can limit nothing."""

    bases: Mapping[Controller, _Base]

    def can_limit(self, controller: Controller) -> bool:
        return controller in self.bases

    def made(self, limits: Limits) -> "ControlGroup | None":
        """A group with the limits that can be kept here; None where there are none. Errors: OSError."""
        wanted = [each for each in CONTROLLERS if each in self.bases and _is_limited(limits, each)]
        name = f"{_own_prefix()}{next(_numbers)}"
        folders = {each: f"{self.bases[each].folder}/{name}" for each in wanted}
        group = ControlGroup(folders, {each: self.bases[each].version for each in wanted})
        try:
            for folder in dict.fromkeys(folders.values()):
                os.mkdir(folder)
            group.limit(limits)
        except OSError:
            group.remove()
            raise
        return group if wanted else None


class ControlGroup(NamedTuple):
    """The group of one attempt: a folder for each controller, which is the same one in the second version."""

    folders: Mapping[Controller, str]
    versions: Mapping[Controller, Literal[1, 2]]

    def limit(self, limits: Limits) -> None:
        """Errors: OSError for a limit that the system does not take."""
        for controller, folder in self.folders.items():
            for name, text, is_needed in _limits_text(controller, self.versions[controller], limits):
                if is_needed or os.path.exists(f"{folder}/{name}"):
                    _write(f"{folder}/{name}", text)

    def entering(self) -> tuple[str, ...]:
        """Words before those of a process, which then enters the group first; it ends where it cannot."""
        folders = tuple(dict.fromkeys(self.folders.values()))
        enters = " && ".join(f'echo 0 > "${{{position}}}/cgroup.procs"' for position in range(1, len(folders) + 1))
        script = f'{enters} && shift {len(folders)} && exec "$@"'
        return ("/bin/sh", "-c", script, "sh", *folders)

    def usage(self, counted: Usage) -> Usage:
        """What all processes of the group have used; where the group does not tell, what was counted otherwise."""
        memory = self.folders.get("memory")
        name = "memory.peak" if self.versions.get("memory") == 2 else "memory.max_usage_in_bytes"
        peak = None if memory is None else _number(f"{memory}/{name}")
        return counted if peak is None else counted._replace(peak_memory=peak)

    @property
    def has_run_out(self) -> bool:
        """Whether a process of the group was killed because it wanted more memory."""
        memory = self.folders.get("memory")
        if memory is None:
            return False
        name = "memory.events" if self.versions["memory"] == 2 else "memory.oom_control"
        return any(key == "oom_kill" and value != "0" for key, value in _pairs(f"{memory}/{name}"))

    def remove(self) -> None:
        """Remove it, when no process is in it any more."""
        for folder in dict.fromkeys(self.folders.values()):
            with suppress(OSError):
                os.rmdir(folder)


def control_groups(root: str = ROOT) -> ControlGroups:
    """Where this process can make groups; what processes that are gone have left there is removed."""
    bases = {each: found for each in CONTROLLERS if (found := _base_of(each, root)) is not None}
    for folder in {base.folder for base in bases.values()}:
        _sweep(folder)
    return ControlGroups(bases)


def remove_groups_of(process: int, root: str = ROOT) -> None:
    """Remove the groups that a process which has ended has left."""
    for controller in CONTROLLERS:
        for folder, _ in _candidates(controller, root):
            for name in _own_names(folder):
                if name.startswith(f"{NAME}{process}-"):
                    with suppress(OSError):
                        os.rmdir(f"{folder}/{name}")


def _base_of(controller: Controller, root: str) -> _Base | None:
    """The first place that takes a group with this controller, which is tried by making one."""
    for folder, version in _candidates(controller, root):
        if _takes_groups(folder, version, controller):
            return _Base(folder, version)
    return None


def _candidates(controller: Controller, root: str) -> Iterator[tuple[str, Literal[1, 2]]]:
    """The folders of the own group, by which ever version has the controller, and of the second that above it.

    A group of the second version that has processes cannot have limited groups below it, so that above it is tried.
    """
    with suppress(OSError):
        for line in _lines("/proc/self/cgroup"):
            _, names, path = line.split(":", 2)
            if names == "":
                yield from ((folder, 2) for folder in _of_second_version(root, path) if os.path.isdir(folder))
            elif controller in names.split(","):
                own = f"{root}/{controller}{path}".rstrip("/")
                yield (own if os.path.isdir(own) else f"{root}/{controller}"), 1


def _of_second_version(root: str, path: str) -> Iterator[str]:
    for mounted in (root, f"{root}/unified"):
        if os.path.exists(f"{mounted}/cgroup.controllers"):
            yield f"{mounted}{path}".rstrip("/")
            if path != "/":
                yield f"{mounted}{os.path.dirname(path)}".rstrip("/")


def _takes_groups(folder: str, version: Literal[1, 2], controller: Controller) -> bool:
    trial = f"{folder}/{_own_prefix()}trial"
    try:
        if version == 2 and controller not in _lines(f"{folder}/cgroup.subtree_control")[0].split():
            _write(f"{folder}/cgroup.subtree_control", f"+{controller}")
        os.mkdir(trial)
    except (OSError, IndexError):
        return False
    try:
        # of the second version whoever moves a process must be allowed to write into what is above both groups
        places = (trial, folder) if version == 2 else (trial,)
        return all(os.access(f"{place}/cgroup.procs", os.W_OK) for place in places)
    finally:
        with suppress(OSError):
            os.rmdir(trial)


def _sweep(folder: str) -> None:
    """Remove the groups of processes that are gone; one that still has processes stays."""
    for name in _own_names(folder):
        process, _, rest = name.removeprefix(NAME).partition("-")
        if process.isdecimal() and _started(process) != rest.partition("-")[0]:
            with suppress(OSError):
                os.rmdir(f"{folder}/{name}")


def _own_names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.startswith(NAME)]
    except OSError:
        return []


def _own_prefix() -> str:
    return f"{NAME}{os.getpid()}-{_started(str(os.getpid()))}-"


def _started(process: str) -> str:
    """When a process was started, as the system counts it; empty for one that is gone."""
    try:
        return _lines(f"/proc/{process}/stat")[0].rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_limited(limits: Limits, controller: Controller) -> bool:
    return (limits.memory_bytes if controller == "memory" else limits.cores) is not None


def _limits_text(controller: Controller, version: Literal[1, 2], limits: Limits) -> tuple[tuple[str, str, bool], ...]:
    """The files to write, in this order, what into them, and whether there must be such a file."""
    if controller == "cpu":
        quota = max(1000, int((limits.cores or 0) * PERIOD_US))
        if version == 2:
            return (("cpu.max", f"{quota} {PERIOD_US}", True),)
        return (("cpu.cfs_period_us", str(PERIOD_US), True), ("cpu.cfs_quota_us", str(quota), True))
    most = str(limits.memory_bytes)
    if version == 2:
        return (("memory.max", most, True), ("memory.swap.max", "0", False), ("memory.oom.group", "1", False))
    return (("memory.limit_in_bytes", most, True), ("memory.memsw.limit_in_bytes", most, False))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().splitlines()


def _pairs(path: str) -> list[tuple[str, str]]:
    try:
        return [(key, value) for key, _, value in (line.partition(" ") for line in _lines(path))]
    except OSError:
        return []


def _number(path: str) -> int | None:
    try:
        return int(_lines(path)[0])
    except (OSError, ValueError, IndexError):
        return None
