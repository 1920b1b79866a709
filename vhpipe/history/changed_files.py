"""Which files have changed since a run: its code, and the inputs that it has read from this machine."""

import os
from collections.abc import Iterable, Mapping
from hashlib import file_digest
from pathlib import Path
from urllib.parse import unquote_to_bytes

from vhpipe.code.snapshot import take_snapshot
from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_to_read
from vhpipe.store.snapshots import Snapshot, SnapshotEntry


class _Hashes:
    """Looks at files and keeps nothing."""

    def copy_in(self, path: Path) -> tuple[str, int]:
        try:
            with open_to_read(path) as file:
                digest = file_digest(file, "sha256").hexdigest()
                return digest, file.tell()
        except OSError as error:
            raise from_os_error(error, "cannot read") from error


def changed_files(snapshot: Snapshot, project: Path) -> tuple[str, ...]:
    """The paths of the code that are new, gone, or of other content or mode than in the snapshot; sorted."""
    taken = take_snapshot(project, _Hashes())
    now, then = _by_path(taken.entries), _by_path(snapshot.entries)
    known = {*now, *then} - {*taken.streams, *snapshot.streams}
    return tuple(sorted(path for path in known if now.get(path) != then.get(path)))


def _by_path(entries: Iterable[SnapshotEntry]) -> dict[str, tuple[int, str]]:
    return {entry.path: entry.content for entry in entries}


def changed_inputs(fetched: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of local files whose bytes are not the blobs any more that a run has made of them, by URI.

    Files elsewhere are not asked for.
    """
    paths = ((os.fsdecode(unquote_to_bytes(uri[7:])), blob) for uri, blob in fetched.items() if _is_local(uri))
    return tuple(path for path, blob in paths if not _is(path, blob))


def _is_local(uri: str) -> bool:
    return uri.startswith("file:///")


def _is(path: str, blob: str) -> bool:
    try:
        with open_to_read(path) as file:
            return file_digest(file, "sha256").hexdigest() == blob
    except OSError:
        return False
