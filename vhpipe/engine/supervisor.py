"""The supervisor: a tiny parent of the engine that lets no process of a run outlive it.

It has no threads and does nothing but pass on signals. However the engine ends, killed or not, its descendants become
children of the supervisor, which kills them until none is left. When the supervisor is killed, the engine kills what
it has started, and itself.
Source: decision 27.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from vhpipe.attempt.process_tree import (
    KEEPER,
    become_subreaper,
    command_line,
    descendants_of,
    die_with_parent,
    kill_descendants,
)
from vhpipe.engine.signals import NUMBERS, heard_signals

FROM_THE_KERNEL = 0x80
"""si_code of a signal that the terminal sent: to the entire foreground group, so that the engine has it already."""
ENGINE_KILLED = 4
SIGNALLED = 128
KEEPER_PATIENCE_S = 60.0
"""How long who cleans up at a place may take; then it is killed as all else."""
SHOW_CURSOR = "\x1b[?25h"


def supervise(
    engine: Callable[[], int], let_go: Callable[[], None] | None = None, go_on: Callable[[], str] | None = None
) -> int:
    """The exit code of `engine`, which runs in a child process; 4 where something killed it.

    `let_go` is called here when the engine has been started: it closes what only the engine shall hold. To be called
    before any thread is started. `go_on` has the command by which the run goes on, empty before there is a run.
    In the child this does not return.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever ignores it never hears of a child's end
    watched = {*heard_signals(), signal.SIGCHLD}
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        _be_the_engine(engine, supervisor, previous)
    become_subreaper()
    if let_go is not None:
        let_go()
    status = _wait(child, watched)
    _sweep()
    signal.pthread_sigmask(signal.SIG_SETMASK, previous)
    code = os.waitstatus_to_exitcode(status)
    if code:
        _sweep_control_groups(child)
    if code >= 0:
        return code
    if -code in NUMBERS:  # asked to end before it could hear that by itself
        return SIGNALLED - code
    _tell(signal.Signals(-code).name, go_on() if go_on is not None else "")
    return ENGINE_KILLED


def _tell(name: str, go_on: str) -> None:
    """Say what killed the engine, and bring back the cursor that its live table may have hidden."""
    shown = SHOW_CURSOR if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb" else ""
    message = f"vhpipe: error: the engine was killed by {name}{go_on and f'; continue from what is complete: {go_on}'}"
    with suppress(OSError):
        print(f"{shown}{message}", file=sys.stderr)


def _be_the_engine(engine: Callable[[], int], supervisor: int, mask: set[int | signal.Signals]) -> NoReturn:
    code = ENGINE_KILLED
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        die_with_parent()
        become_subreaper()
        if os.getppid() == supervisor:
            code = engine()
            sys.stdout.flush()
            sys.stderr.flush()
    except KeyboardInterrupt:  # before the engine hears signals by itself, or after
        code = SIGNALLED + signal.SIGINT
    finally:
        os._exit(code)


def _wait(child: int, watched: set[signal.Signals]) -> int:
    """The wait status of the engine; signals that came meanwhile have been passed on."""
    while True:
        received = signal.sigwaitinfo(watched)
        if received.si_signo != signal.SIGCHLD:
            if received.si_code != FROM_THE_KERNEL or _was_for_me_alone(received.si_signo):
                os.kill(child, received.si_signo)
            continue
        status = _reap_until(child)
        if status is not None:
            return status


def _was_for_me_alone(number: int) -> bool:
    """A terminal that is closed tells only the process that leads its session, not the entire foreground group."""
    return number == signal.SIGHUP and os.getsid(0) == os.getpid()


def _reap_until(child: int) -> int | None:
    """Take away all that has ended; the status of `child` if it is among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended == child:
            return status
        if ended == 0:
            return None


def _sweep_control_groups(engine: int) -> None:
    """Those of attempts that an engine leaves which did not end in order."""
    from vhpipe.attempt.control_groups import remove_groups_of

    remove_groups_of(engine)


def _sweep() -> None:
    """Kill what is left until a pass finds nothing; who cleans up is waited for first."""
    until = time.monotonic() + KEEPER_PATIENCE_S
    while found := descendants_of(os.getpid()):
        if not any(KEEPER in command_line(each) for each in found) or time.monotonic() > until:
            break
        time.sleep(0.02)
    else:
        return
    while not kill_descendants(os.getpid()):
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
