"""A clock that runs while this process does: time for which it was stopped is nobody's time.

A step goes on when its engine is stopped (Ctrl-Z), and must not be held to a limit for what nobody looked at.
Source: decision 154.
"""

import time

NOTICED_S = 1.0
"""A process that wakes by so much later than it wanted was stopped, or as good as."""


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
