"""What the records of a store name: which blobs, and which runs whose attempts' results were taken over.

Records are read as text, so that those of other versions, of damaged runs and half-written ones count too. A name too
many keeps a blob too long; a name too few would lose it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vhpipe.regular_files import RECORD_BYTES, open_to_read, read_regular
from vhpipe.store.attempt_files import MANIFEST
from vhpipe.store.run_files import INFO, JOURNAL, PLAN, SNAPSHOT, WORK

_BLOB = re.compile(rb'"([0-9a-f]{64})"')
_ORIGIN = re.compile(rb'"(?:reused_from|origin)":\{"run":(\d+)')
_ENDED = re.compile(rb'"type":"RunEnded"[^\n]*\n\Z')
_RECORDS = (INFO, PLAN, SNAPSHOT, JOURNAL)


def blobs_named_in(path: str | os.PathLike[str]) -> set[bytes]:
    """The sha256 in a record, whatever it stands for; a record that is not there names none."""
    return set(_BLOB.findall(_content(path)))


def blobs_named_by_run(run: Path) -> set[bytes]:
    """All blobs that a run needs: for what it was, what it made, and to be resumed."""
    named: set[bytes] = set()
    for name in _RECORDS:
        named |= blobs_named_in(run / name)
    if not _has_ended(run):
        for manifest in _manifests(run):
            named |= blobs_named_in(manifest)
    return named


def origins_named_by_run(run: Path) -> set[int]:
    """The runs whose attempts' results a run was given or has reused."""
    return {int(number) for name in (PLAN, JOURNAL) for number in _ORIGIN.findall(_content(run / name))}


def _has_ended(run: Path) -> bool:
    """Whether every attempt has its end in the journal; else some may have no more than a manifest."""
    with suppress(OSError), open_to_read(run / JOURNAL, follow=False) as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - (1 << 16)))
        return _ENDED.search(file.read()) is not None
    return False


def _manifests(run: Path) -> Iterator[str]:
    work = os.fspath(run / WORK)
    for node in _names(work):
        for attempt in _names(f"{work}/{node}"):
            yield f"{work}/{node}/{attempt}/{MANIFEST}"


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _content(path: str | os.PathLike[str]) -> bytes:
    """Errors: OSError for a record that is there and cannot be read: nothing may be collected then."""
    try:
        return read_regular(path, RECORD_BYTES, follow=False)
    except (FileNotFoundError, NotADirectoryError):
        return b""
