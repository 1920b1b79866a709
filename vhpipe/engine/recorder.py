"""The journal of a run while it is written: events are appended at once and synced by a thread of their own.

What must not happen before an event is safe on disk waits for `is_safe`.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol, runtime_checkable

from vhpipe.attempt.running_clock import Clock
from vhpipe.errors import VhpipeError
from vhpipe.schedule import events
from vhpipe.store.journal import JournalWriter

UNAWAITED_S = 0.01
"""The longest that an end is not synced while nothing waits for it. Source: decision 74."""


class Observer(Protocol):
    """Somebody who watches a run; it is called in the engine's thread and must be quick."""

    def observe(self, recorded: events.RecordedEvent) -> None: ...

    def tick(self) -> None: ...


@runtime_checkable
class Narrator(Protocol):
    """An observer that can say a sentence which no event stands for."""

    def note(self, text: str) -> None: ...


class Recorder:
    """Only the engine's thread calls it; `make_safe` and the thread that syncs may sync at the same time."""

    def __init__(self, journal: JournalWriter, observers: Sequence[Observer], clock: Clock) -> None:
        self._clock = clock
        self._journal = journal
        self.observers = observers
        self._written = 0
        self._asked = 0
        self._safe = 0
        self._due: float | None = None
        self._needed: SimpleQueue[bool] = SimpleQueue()
        self._failure: VhpipeError | None = None
        self._thread = threading.Thread(target=self._sync_forever, name="journal-sync", daemon=True)
        self._on_safe: Callable[[], None] = _nothing

    def start(self, on_safe: Callable[[], None]) -> None:
        """`on_safe` is called in another thread whenever a sync has ended."""
        self._on_safe = on_safe
        self._thread.start()

    def append(self, batch: Sequence[events.AnyEvent]) -> None:
        """Write events behind what is there; those that commit work are synced soon, at once where something waits."""
        if not batch:
            return
        for recorded in self._journal.append(batch, time.time()):
            for observer in self.observers:
                observer.observe(recorded)
        if any(isinstance(event, events.AttemptEnded | events.DeploymentCreated | events.RunEnded) for event in batch):
            self._written += 1
            if self._due is None:
                self._due = self._clock.monotonic() + UNAWAITED_S

    def next_deadline(self) -> float | None:
        """The monotonic time at which `keep_time` must be called, None without any."""
        return self._due

    def keep_time(self, now: float) -> None:
        """Have synced what is due at the monotonic time `now`."""
        if self._due is not None and now >= self._due:
            self._ask()

    def is_safe(self) -> bool:
        """Whether all that commits work is on disk; if not it will be soon. Raises what the sync met."""
        if self._failure is not None:
            raise self._failure
        if self._safe >= self._written:
            return True
        self._ask()
        return False

    def make_safe(self) -> None:
        """Sync here and now, which is faster than a hand-over where nothing else could be done meanwhile."""
        if self._failure is None and self._safe < self._written:
            self._journal.sync()
            self._safe, self._due = self._written, None

    def _ask(self) -> None:
        self._due = None
        if self._asked < self._written:
            self._asked = self._written
            self._needed.put(True)

    def close(self) -> None:
        """Wait until everything is safe and end the thread."""
        self._ask()
        self._needed.put(False)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._journal.close()

    def _sync_forever(self) -> None:
        while self._needed.get():
            written = self._written
            if written <= self._safe:
                continue
            try:
                self._journal.sync()
            except VhpipeError as failure:
                self._failure = failure
                self._on_safe()
                return
            self._safe = max(written, self._safe)
            self._on_safe()


def _nothing() -> None:
    pass
