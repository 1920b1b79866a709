"""What the watchdog of an interpreter does; it imports little, for it is started with every run."""

import os
import select


def watch(interpreter: int, marker: str) -> None:
    """Return when the interpreter says so, or when it has ended and everything with the marker is dead."""
    if _has_ended_unsaid(interpreter):
        from vhpipe.attempt.process_tree import kill_marked

        kill_marked([marker])


def _has_ended_unsaid(interpreter: int) -> bool:
    try:
        descriptor = os.pidfd_open(interpreter)
    except ProcessLookupError:
        return True
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    waiting.register(0, select.POLLIN)
    ready = {found for found, _ in waiting.poll()}
    return descriptor in ready or not os.read(0, 1)  # a process that the interpreter forked may hold the pipe
