"""The processes inside of one container, as this machine sees them: who gets the signals for an attempt.

They are found by the variable that only they have. Where they are not to be seen, the daemon being on another machine
or in a virtual one, the tool is told, which passes the signal on to the first of them.
"""

import os
import signal
import threading
from contextlib import suppress

from vhpipe.attempt.process_tree import command_line, marked_processes, signal_all

INITS = (b"/run/podman-init\0", b"/sbin/docker-init\0", b"/dev/init\0")
PATIENCE_S = 5.0
"""How long a tool may take to say how a container has ended that was killed."""


class ContainerProcesses:
    """Those of one attempt; `marker` is the variable of its process tree. The tool's own process has it too."""

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._were_seen = False
        self.were_killed = False

    def signal(self, client: int, number: int) -> None:
        """Send a signal to all of them, as to a process tree of this machine."""
        inside = [process for process in marked_processes(self._marker) if not _is_in_session(process, client)]
        self._were_seen = self._were_seen or bool(inside)
        self.were_killed = self.were_killed or number == signal.SIGKILL
        # the first process passes on what it gets, to one that has had it then
        is_final = number == signal.SIGKILL
        signal_all((each for each in inside if is_final or not command_line(each).startswith(INITS)), number)
        if not self._were_seen:
            signal_all((client,), number)
        elif number == signal.SIGKILL:
            _kill_later(client)


def _is_in_session(process: int, leader: int) -> bool:
    try:
        return os.getsid(process) == leader
    except ProcessLookupError:
        return True


def _kill_later(client: int) -> None:
    """Kill a tool that does not notice that its container has ended; the descriptor says whether it is still it."""
    try:
        descriptor = os.pidfd_open(client)
    except ProcessLookupError:
        return

    def kill() -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)

    timer = threading.Timer(PATIENCE_S, kill)
    timer.daemon = True
    timer.start()
