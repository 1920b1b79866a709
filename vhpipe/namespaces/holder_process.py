"""What a holder does: it lives in a user namespace, starts processes there when it is asked to, and tells their ends.

    open    all_ids, state, is_covered → None
    start   mounts, folder, program, arguments, environment, cores, and three descriptors → the process id
    end     process id → its wait status, and what it used
    try     → None, after all that a start does but the process

An answer is `[True, result]`, or `[False, errno, text, call]`. It imports little, for a program of others starts it
anew with its Python. It ends with the thread that started it, or when nobody is at the other end of its socket.
"""

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.inherited_signals import IGNORED_BY_PYTHON
from vhpipe.namespaces.pieces import receive, send
from vhpipe.namespaces.step_root import STREAMS, StepRoot, StrandedError
from vhpipe.namespaces.user_namespace import enter_as_user, enter_unmapped


def serve(connection: socket.socket, parent: int) -> None:
    """Answer until there is nobody any more. This process has no threads, and nothing that others need."""
    _end_with(parent)
    holder = _Holder(connection)
    while True:
        try:
            message, descriptors = receive(connection)
        except (EOFError, OSError):
            return
        try:
            answer: list[Any] = [True, holder.answer(message, descriptors)]
        except OSError as failure:
            answer = [False, failure.errno, failure.strerror, str(failure.filename or "")]
        finally:
            for each in descriptors:
                os.close(each)
        try:
            send(connection, answer)
        except OSError:
            return


def _end_with(parent: int) -> None:
    syscalls.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class _Holder:
    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._root = connection, StepRoot.__new__(StepRoot)
        self._parent, self._cores = os.getppid(), os.sched_getaffinity(0)

    def answer(self, message: list[Any], descriptors: tuple[int, ...]) -> object:
        kind, *given = message
        if kind == "open":
            self._open(*given)
            return None
        if kind == "start":
            return self._start(descriptors, *given)
        if kind == "try":
            return self._root.start((), "/", lambda: 0)
        _, status, used = os.wait4(given[0], 0)
        self._root.ended(given[0])
        return [status, list(used)]

    def _open(self, all_ids: bool, state: str | None, is_covered: bool) -> None:
        if all_ids:
            enter_unmapped()
            send(self._connection, [True, None])
            receive(self._connection)
        else:
            enter_as_user()
        _end_with(self._parent)  # once more: whoever changes who he is loses it
        os.chdir("/")
        self._root = StepRoot(state, is_covered)

    def _start(
        self, descriptors: tuple[int, ...], mounts: list[Any], folder: str, program: str, arguments: list[str],
        environment: dict[str, str], cores: list[int] | None,
    ) -> int:  # fmt: skip
        streams = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in zip(STREAMS, descriptors, strict=True)]
        spawn: Callable[[], int] = lambda: os.posix_spawn(  # noqa: E731
            program, arguments, environment, file_actions=streams, setsid=True, setsigdef=IGNORED_BY_PYTHON
        )
        if cores is not None:
            os.sched_setaffinity(0, cores)
        try:
            return self._root.start([tuple(each) for each in mounts], folder, spawn)
        except StrandedError:
            os._exit(1)
        finally:
            if cores is not None:
                os.sched_setaffinity(0, self._cores)
