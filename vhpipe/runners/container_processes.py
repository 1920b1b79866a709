"""The processes inside of one container, as this machine sees them: who gets the signals for an attempt.

They are found by the variable that only they have. Where they are not to be seen, the daemon being on another machine
or in a virtual one, the tool is told, which passes the signal on to the first of them.
"""

import os
import signal
from contextlib import suppress

from vhpipe.attempt.process_tree import command_line, marked_processes

INITS = (b"/run/podman-init\0", b"/sbin/docker-init\0", b"/dev/init\0")


class ContainerProcesses:
    """Those of one attempt; `marker` is the variable of its process tree. The tool's own process has it too."""

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self.were_killed = False

    def signal(self, client: int, number: int) -> None:
        """Send a signal to all of them, as to a process tree of this machine."""
        inside = [process for process in marked_processes(self._marker) if not _is_in_session(process, client)]
        if number == signal.SIGKILL:
            self.were_killed = True
        elif inside:  # the first process passes it on to one that has had it then
            inside = [process for process in inside if not command_line(process).startswith(INITS)]
        for process in inside:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, number)
        if not inside:
            with suppress(ProcessLookupError):
                os.kill(client, number)


def _is_in_session(process: int, leader: int) -> bool:
    try:
        return os.getsid(process) == leader
    except ProcessLookupError:
        return True
