"""The working copies that a run has taken: idle ones are used again, new ones are taken when none is idle."""

import threading
from pathlib import Path
from typing import Protocol

from vhpipe.code.working_copies import remove_tree
from vhpipe.store.snapshots import Snapshot

KEPT_FAILED_COPIES = 3
"""Working copies of failed executions kept per node. Source: decision 24."""


class HeldCopy(Protocol):
    """One copy of the project's code, held by this run."""

    @property
    def path(self) -> Path: ...

    def verify(self) -> None:
        """Errors: EnvironmentFailure if a step has written into what it shares with others."""
        ...

    def restore(self) -> None: ...

    def keep_as(self, target: Path) -> None: ...

    def release(self) -> None: ...


class CopySource(Protocol):
    def take(self) -> HeldCopy: ...

    def close(self) -> None:
        """All copies have been released."""
        ...


class CopyPool:
    """Thread-safe. `is_small` tells that making or restoring a copy is no work worth a thread.

    Large copies are restored when they are taken again (`restore_late`), where a thread of the pool does it.
    """

    def __init__(
        self, source: CopySource, is_small: bool, restore_late: bool = False, snapshot: Snapshot | None = None
    ) -> None:
        self.snapshot = snapshot
        self._source = source
        self._is_small = is_small
        self._restore_late = restore_late
        self._lock = threading.Lock()
        self._idle: list[HeldCopy] = []
        self._used: list[HeldCopy] = []
        self._taken: list[HeldCopy] = []
        self._kept: dict[str, list[Path]] = {}

    def next_is_ready(self) -> bool:
        return self._is_small or bool(self._idle)

    def take(self) -> HeldCopy:
        """A copy as in the snapshot."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            used = self._used.pop() if self._used else None
        if used is not None:
            used.restore()
            return used
        copy = self._source.take()
        with self._lock:
            self._taken.append(copy)
        return copy

    def give_back(self, copy: HeldCopy) -> None:
        """Put a copy back to the snapshot for the next attempt.

        Errors: EnvironmentFailure, also if the step has written into what it shares with others.
        """
        try:
            copy.verify()
        finally:
            self._put_back(copy)

    def _put_back(self, copy: HeldCopy) -> None:
        if not self._restore_late:
            copy.restore()
        with self._lock:
            (self._used if self._restore_late else self._idle).append(copy)

    def keep(self, copy: HeldCopy, target: Path, group: str) -> None:
        """Leave what a failed execution made of a copy at `target`; a fresh one takes its place.

        Of one group the last three are kept.
        """
        with self._lock:
            kept = self._kept.setdefault(group, [])
            kept.append(target)
            oldest = kept.pop(0) if len(kept) > KEPT_FAILED_COPIES else None
        if oldest is not None:
            remove_tree(str(oldest))
        try:
            copy.verify()
        finally:
            copy.keep_as(target)
            self._put_back(copy)

    def close(self) -> None:
        for copy in self._taken:
            copy.release()
        self._source.close()


class InPlace:
    """No copy at all: steps work in the project itself, and what they change stays changed."""

    def __init__(self, project: Path) -> None:
        self.path = project

    def take(self) -> HeldCopy:
        return self

    def verify(self) -> None:
        pass

    def restore(self) -> None:
        pass

    def keep_as(self, target: Path) -> None:
        pass

    def release(self) -> None:
        pass

    def close(self) -> None:
        pass
