"""The times of files in working copies: those that they have in the project."""

import os

from vhpipe.store.snapshots import SnapshotEntry

LONG_AGO_NS = 946_684_800 * 1_000_000_000
"""The time of all files of a run that has none recorded: none of them is newer than another."""


def time_of(entry: SnapshotEntry) -> int:
    """The time of modification in ns."""
    return LONG_AGO_NS if entry.modified_ns is None else entry.modified_ns


def set_time(path: str, entry: SnapshotEntry) -> None:
    """Give a file or link the time that it has in the project."""
    time_ns = time_of(entry)
    os.utime(path, ns=(time_ns, time_ns), follow_symlinks=False)
