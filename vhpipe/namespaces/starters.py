"""How processes are started that see `/valohai`: by this thread itself, or by a holder where it may not mount."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from resource import struct_rusage
from typing import NamedTuple, Protocol

from vhpipe.namespaces.bound_folders import Bound
from vhpipe.namespaces.gpu_devices import make_gpu_devices
from vhpipe.namespaces.holder import Holder, HolderGoneError
from vhpipe.namespaces.holder_process import IGNORED_BY_PYTHON, STREAMS
from vhpipe.namespaces.step_root import StepRoot


class StartRequest(NamedTuple):
    """A process to start. `streams` are descriptors for its standard streams; `folder` is where it begins.

    Where the leader waits, `outside` are words of a program that it is first, and that becomes what follows them.
    """

    mounts: Sequence[Bound]
    folder: str
    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    streams: tuple[int, int, int]
    outside: tuple[str, ...] = ()


Ended = tuple[int, struct_rusage]
"""A wait status, and what the process and those that it waited for have used."""


class Starter(Protocol):
    """For one thread of this process, the one that made it.

    `leader_waits`: what is started is not the step's own process, but one that waits for it and ends as it does.
    """

    leader_waits: bool

    def start(self, request: StartRequest) -> int:
        """The id of a new process in a session of its own. Errors: OSError."""
        ...

    def wait(self, process: int) -> Ended | None:
        """How one that has ended did so; None where nobody knows it any more."""
        ...

    def close(self) -> None: ...


class DirectStarter:
    """Goes into the namespace of each process for the moment of its start. Errors of making one: OSError."""

    leader_waits = False

    def __init__(self, state: str | None, is_covered: bool) -> None:
        self._root = StepRoot(state, is_covered)

    def start(self, request: StartRequest) -> int:
        streams = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in zip(STREAMS, request.streams, strict=True)]

        def spawn() -> int:
            return os.posix_spawn(
                request.program, request.arguments, request.environment, file_actions=streams, setsid=True,
                setsigdef=IGNORED_BY_PYTHON,
            )  # fmt: skip

        return self._root.start(request.mounts, request.folder, spawn)

    def wait(self, process: int) -> Ended | None:
        ended = os.wait4(process, 0)[1:]
        self._root.ended(process)
        return ended

    def close(self) -> None:
        self._root.close()


class HolderStarter:
    """Has a holder start them, and another one when that was killed. `changed` hears of every new holder's id.

    Errors of making one: OSError.
    """

    leader_waits = False

    def __init__(self, state: str | None, is_covered: bool, all_ids: bool, changed: Callable[[int], None]) -> None:
        self._state, self._is_covered, self._all_ids, self._changed = state, is_covered, all_ids, changed
        self._holder: Holder | None = self._new()

    def _new(self) -> Holder:
        holder = Holder(self._state, self._is_covered, self._all_ids)
        self._changed(holder.process)
        return holder

    def start(self, request: StartRequest) -> int:
        if self._holder is None:
            self._holder = self._new()
        try:
            return self._holder.start(*request[:-1])
        except HolderGoneError as gone:
            self._forget()
            raise ChildProcessError(0, "the process that starts steps was killed", "holder") from gone

    def wait(self, process: int) -> Ended | None:
        """When the holder is gone, its children have become those of the nearest process that adopts orphans."""
        if self._holder is not None:
            try:
                status, used = self._holder.wait(process)
                return status, struct_rusage(used)
            except HolderGoneError:
                self._forget()
            except ChildProcessError:  # one that an earlier holder has started
                pass
        with suppress(ChildProcessError):
            return os.wait4(process, 0)[1:]
        return None

    def _forget(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def close(self) -> None:
        self._forget()


def starter_by(way: str, state: str | None, is_covered: bool, changed: Callable[[int], None]) -> Starter:
    """The starter for a trial's `way`. Errors: OSError."""
    if way == "root":
        return DirectStarter(state, is_covered)
    make_gpu_devices()
    return HolderStarter(state, is_covered, way == "all-ids", changed)
