"""A process of our own in a user namespace, which starts the processes of steps there.

An engine that entered such a namespace itself would see the machine as steps do, with all files of others as
nobody's; so it stays outside. Steps are children of the holder, and orphans come to the engine as ever.
"""

import gc
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from vhpipe.namespaces.bound_folders import Bound
from vhpipe.namespaces.holder_process import serve
from vhpipe.namespaces.pieces import receive, send
from vhpipe.namespaces.user_namespace import map_all_ids

PROGRAM = """\
import os, socket, sys
sys.path.append(sys.argv[1])
from vhpipe.namespaces.holder_process import serve
serve(socket.socket(fileno=int(sys.argv[2])), int(sys.argv[3]))
"""
PATIENCE_S = 0.5
"""After so long without an answer it is told to go on, in case it was stopped."""
NOT_OURS = {"VH_JOB_ID": "holder"}
"""A marker of no attempt: nobody takes the holder for what is left of one."""


class HolderGoneError(Exception):
    """The holder has ended, killed by something: what it was asked is not known."""


class Holder:
    """`process` is its id. For the thread that made it, with which it ends. Errors of making one: OSError."""

    def __init__(self, state: str | None = None, is_covered: bool = False, all_ids: bool = False) -> None:
        self._connection, theirs = socket.socketpair()
        self._cores = sorted(os.sched_getaffinity(0))
        with theirs:
            self.process = _forked(theirs) if _is_alone() else _started_anew(theirs)
        try:
            self._open(state, is_covered, all_ids)
        except HolderGoneError as gone:
            self.close()
            raise OSError(0, "the process that enters the user namespace has ended", "holder") from gone
        except BaseException:
            self.close()
            raise

    def _open(self, state: str | None, is_covered: bool, all_ids: bool) -> None:
        self._ask(["open", all_ids, state, is_covered])
        if all_ids:
            map_all_ids(self.process)
            self._ask(["mapped"])

    def try_out(self) -> None:
        """Do all that a start does, but for the process. Errors: OSError."""
        self._ask(["try"])

    def start(
        self, mounts: Sequence[Bound], folder: str, program: str, arguments: Sequence[str],
        environment: Mapping[str, str], streams: tuple[int, int, int],
    ) -> int:  # fmt: skip
        """The id of a new process, in a session of its own and on the cores of this thread.

        Errors: OSError, `HolderGoneError`.
        """
        cores = sorted(os.sched_getaffinity(0))
        message = [
            "start", [list(each) for each in mounts], folder, program, list(arguments), dict(environment),
            None if cores == self._cores else cores,
        ]  # fmt: skip
        return int(self._ask(message, streams))

    def wait(self, process: int) -> tuple[int, tuple[float, ...]]:
        """The status of a process that has ended, and what it used. Errors: `HolderGoneError`, ChildProcessError."""
        status, used = self._ask(["end", process])
        return status, used

    def _ask(self, message: list[Any], descriptors: tuple[int, ...] = ()) -> Any:
        try:
            self._let_go_on()
            send(self._connection, message, descriptors)
            while not select.select((self._connection,), (), (), PATIENCE_S)[0]:
                self._let_go_on()
            answer, _ = receive(self._connection)
        except (EOFError, OSError) as gone:
            raise HolderGoneError from gone
        if answer[0]:
            return answer[1]
        raise OSError(*answer[1:])

    def _let_go_on(self) -> None:
        """A step may have stopped it: its processes are those of the same user."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGCONT)

    def close(self) -> None:
        """Let it go, with nothing that it has started."""
        self._connection.close()
        with suppress(ChildProcessError, ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


def _is_alone() -> bool:
    """Whether this process has no other thread, which a fork would leave behind in the middle of something."""
    return len(os.listdir("/proc/self/task")) == 1


def _forked(connection: socket.socket) -> int:
    engine = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        gc.disable()
        os.setsid()
        _forget_handlers()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.set_wakeup_fd(-1)
        _keep_only(connection.fileno())
        serve(connection, engine)
    finally:
        os._exit(0)


def _forget_handlers() -> None:
    """What the engine does at a signal is not for its holder."""
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN, None):
            signal.signal(number, signal.SIG_DFL)


def _keep_only(descriptor: int) -> None:
    """Close what the engine has open, its locks among it, and be nobody's reader or writer."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))


def _started_anew(connection: socket.socket) -> int:
    package_root = str(Path(__file__).parents[2])
    number = connection.fileno()
    words = [sys.executable, "-I", "-c", PROGRAM, package_root, str(number), str(os.getpid())]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=NOT_OURS, cwd="/", start_new_session=True, pass_fds=(number,),
    )  # fmt: skip
    process.returncode = 0  # it is waited for by its id
    return process.pid
