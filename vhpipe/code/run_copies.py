"""The working copies of one run: where they are made, and whether that is work worth a thread."""

from pathlib import Path
from typing import Literal

from vhpipe.code.copy_pool import CopyPool, InPlace
from vhpipe.code.large_code import LARGE_BYTES, SnapshotWatch
from vhpipe.code.working_copies import WorkingCopies
from vhpipe.store.blobs import Blobs
from vhpipe.store.snapshots import Snapshot

SMALL_SNAPSHOT_BYTES, SMALL_SNAPSHOT_FILES = 4 << 20, 200


def copies_in_slots(slots: Path, blobs: Blobs, snapshot: Snapshot, mode: Literal["copy", "link"]) -> CopyPool:
    """Working copies of the code as it was at the start of the run."""
    size_bytes = sum(entry.size_bytes for entry in snapshot.entries)
    is_small = size_bytes <= SMALL_SNAPSHOT_BYTES and len(snapshot.entries) <= SMALL_SNAPSHOT_FILES
    source = WorkingCopies(slots, blobs, snapshot, mode)
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
