"""A clock that runs while this process does: time for which it was stopped is nobody's time.

A step goes on when its engine is stopped (Ctrl-Z), and must not be held to a limit for what nobody looked at.
Source: decision 154.
"""

import time
from collections.abc import Callable
from typing import Protocol

NOTICED_S = 1.0
"""A process that wakes by so much later than it wanted was stopped, or as good as."""


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds from some moment on in which this process ran; they never go back."""

    def woke(self, due: float) -> None:
        """Take note that a wait is over which was to last until `due` at most."""


class RunningClock:
    """Monotonic seconds less those that were lost. For one thread that waits; others may read it."""

    def __init__(self) -> None:
        self._lost_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() - self._lost_s

    def woke(self, due: float) -> None:
        """Take note that a wait is over which was to last until `due` at most."""
        late_s = self.monotonic() - due
        if late_s > NOTICED_S:
            self._lost_s += late_s


def wait_and_hear(clock: Clock, patience_s: float, wait: Callable[[float], None]) -> None:
    """Wait for what happens. What is ready is heard before limits count, however late this process woke.

    `wait` waits for so many seconds at most, and hears what is ready.
    """
    due = clock.monotonic() + patience_s
    wait(patience_s)
    clock.woke(due)
    if patience_s and clock.monotonic() >= due:
        wait(0.0)
