"""How processes are started that see `/valohai`: by this thread itself, or by a holder where it may not mount."""

import os
from collections.abc import Callable, Mapping, Sequence
from resource import struct_rusage
from typing import NamedTuple, Protocol

from vhpipe.namespaces.bound_folders import Bound
from vhpipe.namespaces.inherited_signals import IGNORED_BY_PYTHON
from vhpipe.namespaces.step_root import STREAMS, StepRoot


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


def starter_by(way: str, state: str | None, is_covered: bool, changed: Callable[[int], None]) -> Starter:
    """The starter for a trial's `way`. Errors: OSError."""
    if way == "root":
        return DirectStarter(state, is_covered)
    from vhpipe.namespaces.gpu_devices import make_gpu_devices  # root needs none of this
    from vhpipe.namespaces.holder_starter import HolderStarter

    make_gpu_devices()
    return HolderStarter(state, is_covered, way == "all-ids", changed)
