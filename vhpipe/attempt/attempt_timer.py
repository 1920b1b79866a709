"""How long an attempt is set up, and how long its process runs: two times, of which only the second is the step's."""

from typing import NamedTuple

from vhpipe.attempt.running_clock import RunningClock


class AttemptTimer(NamedTuple):
    """`ordered_at` and `started_at` are times of the clock: when it was asked for, and when its process started."""

    clock: RunningClock
    ordered_at: float
    started_at: float | None = None

    @classmethod
    def start(cls, clock: RunningClock) -> "AttemptTimer":
        """A timer of an attempt that is asked for just now."""
        return cls(clock, clock.monotonic())

    def process_started(self) -> "AttemptTimer":
        """The timer of an attempt whose process has started just now."""
        return self._replace(started_at=self.clock.monotonic())

    @property
    def setup_s(self) -> float:
        """How long it took until its process started, or has taken until now."""
        until = self.clock.monotonic() if self.started_at is None else self.started_at
        return round(max(until - self.ordered_at, 0.0), 3)

    @property
    def ran_s(self) -> float:
        """How long its process has run by now."""
        return 0.0 if self.started_at is None else round(max(self.clock.monotonic() - self.started_at, 0.0), 3)
