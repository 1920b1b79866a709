"""The journal of a run while it is written: events are appended at once and synced by a thread of their own.

What must not happen before an event is safe on disk waits for `is_safe`.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from vhpipe.errors import VhpipeError
from vhpipe.schedule.vocabulary import AnyEvent, AttemptEnded, DeploymentCreated, Recorded, RunEnded
from vhpipe.store.journal import JournalWriter


class Observer(Protocol):
    """Somebody who watches a run; it is called in the engine's thread and must be quick."""

    def observe(self, recorded: Recorded) -> None: ...

    def tick(self) -> None: ...


class Recorder:
    def __init__(self, journal: JournalWriter, observers: Sequence[Observer]) -> None:
        self._journal = journal
        self._observers = observers
        self._written = 0
        self._safe = 0
        self._needed: SimpleQueue[bool] = SimpleQueue()
        self._failure: VhpipeError | None = None
        self._thread = threading.Thread(target=self._sync_forever, name="journal-sync", daemon=True)
        self._on_safe: Callable[[], None] = _nothing

    def start(self, on_safe: Callable[[], None]) -> None:
        """`on_safe` is called in another thread whenever a sync has ended."""
        self._on_safe = on_safe
        self._thread.start()

    def append(self, events: Sequence[AnyEvent]) -> None:
        """Write events behind what is there; those that commit work are synced as soon as the disk is free."""
        if not events:
            return
        for recorded in self._journal.append(events, time.time()):
            for observer in self._observers:
                observer.observe(recorded)
        if any(isinstance(event, AttemptEnded | DeploymentCreated | RunEnded) for event in events):
            self._written += 1
            self._needed.put(True)

    def is_safe(self) -> bool:
        """Whether all that commits work is on disk; raises what the sync met."""
        if self._failure is not None:
            raise self._failure
        return self._safe == self._written

    def close(self) -> None:
        """Wait until everything is safe and end the thread."""
        self._needed.put(False)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._journal.close()

    def _sync_forever(self) -> None:
        while self._needed.get():
            written = self._written
            if written == self._safe:
                continue
            try:
                self._journal.sync()
            except VhpipeError as failure:
                self._failure = failure
                self._on_safe()
                return
            self._safe = written
            self._on_safe()


def _nothing() -> None:
    pass
