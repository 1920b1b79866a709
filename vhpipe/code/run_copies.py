"""The working copies of one run, of each code that it has: where they are made, and whether a thread is worth it."""

import threading
from pathlib import Path
from typing import Literal

from vhpipe.code.copy_pool import CopyPool, InPlace
from vhpipe.code.large_code import LARGE_BYTES, SnapshotWatch
from vhpipe.code.working_copies import WorkingCopies
from vhpipe.store.blobs import Blobs
from vhpipe.store.run_folder import Repository
from vhpipe.store.snapshots import Snapshot

SMALL_SNAPSHOT_BYTES, SMALL_SNAPSHOT_FILES = 4 << 20, 200


class RunCopies:
    """The pools of a run: one for the project's code, and one for that of each commit that nodes name."""

    def __init__(self, slots: Path, blobs: Blobs, project: Path, snapshot: Snapshot, repository: Repository) -> None:
        self._slots, self._blobs, self._project = slots, blobs, project
        self._snapshot, self._repository = snapshot, repository
        self._lock = threading.Lock()
        self._pools: dict[str | None, CopyPool] = {}

    def at(self, commit: str | None) -> CopyPool:
        """Working copies of a commit, or of the project where that is None; with `in-place` only of commits.

        Errors: EnvironmentFailure for a commit whose code the run does not have.
        """
        with self._lock:
            if commit not in self._pools:
                self._pools[commit] = self._new_pool(commit)
            return self._pools[commit]

    def _new_pool(self, commit: str | None) -> CopyPool:
        if self._repository != "in-place":
            return copies_in_slots(self._slots, self._blobs, self._snapshot, self._repository, commit)
        if commit is None:
            return no_copies(self._project)
        pool = copies_in_slots(self._slots, self._blobs, self._snapshot, "copy", commit)
        pool.snapshot = None
        return pool

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def copies_in_slots(
    slots: Path, blobs: Blobs, snapshot: Snapshot, mode: Literal["copy", "link"], commit: str | None = None
) -> CopyPool:
    """Working copies of the code as it was at the start of the run, or of a commit's."""
    code = snapshot.of(commit)
    size_bytes = sum(entry.size_bytes for entry in code.entries)
    is_small = size_bytes <= SMALL_SNAPSHOT_BYTES and len(code.entries) <= SMALL_SNAPSHOT_FILES
    source = WorkingCopies(slots, blobs, code, mode)
    return CopyPool(source, is_small, restore_late=not is_small and mode == "copy", snapshot=snapshot)


def make_shared_files(slots: Path, blobs: Blobs, snapshot: Snapshot, watch: SnapshotWatch) -> None:
    """Have what working copies share of large files ready before the run starts; `watch` hears how far it has come."""
    if all(entry.size_bytes < LARGE_BYTES for entry in snapshot.entries):
        return
    copies = WorkingCopies(slots, blobs, snapshot)
    large = copies.large_shared()
    total_bytes, done_bytes = sum(entry.size_bytes for entry in large), 0
    for entry in large:
        watch.progress("making the copy that working copies share", done_bytes, total_bytes)
        copies.make_shared(entry)
        done_bytes += entry.size_bytes
    if large:
        watch.progress("making the copy that working copies share", total_bytes, total_bytes)


def no_copies(project: Path) -> CopyPool:
    """Steps work in the project itself."""
    return CopyPool(InPlace(project), is_small=True)
