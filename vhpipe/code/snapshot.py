"""The snapshot: the project's code as of the start of a run, every file by its blob.

A symbolic link that stays inside the project is kept as a relative link; one that leads to a file outside becomes a
copy of that file; one that leads to a folder outside is left out and said so, for a step could change what is there.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from vhpipe.code.code_files import list_code_files
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import from_os_error
from vhpipe.store.snapshots import Snapshot, SnapshotEntry, digest_of


class Keeper(Protocol):
    """Where the bytes of the code go."""

    def copy_in(self, path: Path) -> tuple[str, int]:
        """sha256 and size of a file."""
        ...


def take_snapshot(project: Path, keeper: Keeper, file: str | None = None) -> Snapshot:
    """The project's code, its bytes stored as blobs. `file` is the yaml of the pipeline as seen from here.

    Errors: EnvironmentFailure for a file that cannot be read.
    """
    files = list_code_files(project)
    root = os.path.realpath(project)
    entries: list[SnapshotEntry] = []
    notices = list(files.notices)
    for path in files.paths:
        entry = _entry(root, path, keeper)
        if isinstance(entry, SnapshotEntry):
            entries.append(entry)
        elif entry is not None:
            notices.append(entry)
    source = None if file is None or file == "-" else _path_below(root, file)
    source = source if any(entry.path == source for entry in entries) else None
    streams = _stream_paths(root, entries)
    return Snapshot(
        tuple(entries), digest_of(entries), files.commit, files.dirty, tuple(notices), source, streams=streams
    )


def _stream_paths(root: str, entries: Iterable[SnapshotEntry]) -> tuple[str, ...]:
    """The paths of the files that our own output goes to."""
    ours = {identity for descriptor in (1, 2) if (identity := _identity(descriptor)) is not None}
    if not ours:
        return ()
    return tuple(each.path for each in entries if each.link is None and _identity(f"{root}/{each.path}") in ours)


def _identity(file: str | int) -> tuple[int, int] | None:
    """Device and inode of a regular file; None for anything else."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _path_below(root: str, file: str) -> str:
    """The path as the project has it; another text for a file that lies elsewhere. A folder means its valohai.yaml."""
    path = os.path.join(file, DEFAULT_FILE) if os.path.isdir(file) else file
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.relpath(f"{os.path.realpath(folder)}/{name}", root)


def _entry(root: str, path: str, keeper: Keeper) -> SnapshotEntry | str | None:
    """The entry, or why there is none in words, or None for what is gone or is no file."""
    full = f"{root}/{path}"
    try:
        status = os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise from_os_error(error, "cannot read") from error
    if stat.S_ISREG(status.st_mode):
        return _file(full, path, status.st_mode, keeper)
    if stat.S_ISLNK(status.st_mode):
        return _link(root, full, path, keeper)
    if stat.S_ISDIR(status.st_mode):
        return f"`{path.rstrip('/')}` is a separate git repository: it is not part of the working copy"
    return None


def _file(full: str, path: str, mode: int, keeper: Keeper) -> SnapshotEntry:
    blob, size_bytes = keeper.copy_in(Path(full))
    return SnapshotEntry(path, blob, 0o755 if mode & 0o100 else 0o644, size_bytes)


def _link(root: str, full: str, path: str, keeper: Keeper) -> SnapshotEntry | str:
    """See the module. A link that leads nowhere is kept if it would stay inside."""
    real = os.path.realpath(full)
    if real == root or real.startswith(f"{root}/"):
        return SnapshotEntry(path, link=os.path.relpath(real, os.path.dirname(full)))
    if os.path.isfile(real):
        return _file(real, path, os.stat(real).st_mode, keeper)
    return f"`{path}` leads to `{real}`, outside the project: it is not part of the working copy"
