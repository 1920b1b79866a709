"""Moments that the scheduler wants to hear of; monotonic time."""

import heapq
from itertools import count

from vhpipe.attempt.running_clock import Clock
from vhpipe.plan.model import ExecutionId
from vhpipe.schedule import effects, stimuli


class Timers:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, ExecutionId | None]] = []
        self._order = count()

    def set(self, timer: effects.SetTimer) -> None:
        heapq.heappush(self._waiting, (self._clock.monotonic() + timer.delay_s, next(self._order), timer.execution))

    def next_deadline(self) -> float | None:
        return self._waiting[0][0] if self._waiting else None

    def due(self, now: float) -> list[stimuli.TimerFired]:
        """What has come due, each once, in order."""
        fired = []
        while self._waiting and self._waiting[0][0] <= now:
            fired.append(stimuli.TimerFired(heapq.heappop(self._waiting)[2]))
        return fired
