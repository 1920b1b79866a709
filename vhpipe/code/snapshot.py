"""The snapshot: the project's code as of the start of a run, every file by its blob.

A symbolic link that stays inside the project is kept as a relative link; one that leads to a file outside becomes a
copy of that file; one that leads to a folder outside is left out and said so, for a step could change what is there.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from vhpipe.code.code_files import list_code_files
from vhpipe.code.large_code import LARGE_TOTAL_BYTES, UNWATCHED, SnapshotWatch, large_text
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import from_os_error
from vhpipe.store.snapshots import Snapshot, SnapshotEntry, digest_of, folders_of


class Keeper(Protocol):
    """Where the bytes of the code go."""

    def copy_in(self, path: Path) -> tuple[str, int]:
        """sha256 and size of a file."""
        ...


def take_snapshot(project: Path, keeper: Keeper, file: str | None = None, watch: SnapshotWatch = UNWATCHED) -> Snapshot:
    """The project's code, its bytes stored as blobs. `file` is the yaml of the pipeline as seen from here.

    `watch` hears what of it is large before any of it is read.
    Errors: EnvironmentFailure for a file that cannot be read.
    """
    files = list_code_files(project)
    root = os.path.realpath(project)
    statuses = {path: status for path in files.paths if (status := _status(f"{root}/{path}")) is not None}
    entries: list[SnapshotEntry] = []
    notices = list(files.notices)
    for path, status in _watched(statuses, watch):
        entry = _entry(root, path, status, keeper)
        if isinstance(entry, SnapshotEntry):
            entries.append(entry)
        elif entry is not None:
            notices.append(entry)
    source = None if file is None or file == "-" else path_below(root, file)
    source = source if any(entry.path == source for entry in entries) else None
    streams, folders = _stream_paths(root, entries), dict(_folder_times(root, entries))
    return Snapshot(
        tuple(entries), digest_of(entries), files.commit, files.dirty, tuple(notices), source, streams=streams,
        folders=folders,
    )  # fmt: skip


def _folder_times(root: str, entries: Iterable[SnapshotEntry]) -> Iterator[tuple[str, int]]:
    for folder in ("", *folders_of(entry.path for entry in entries)):
        with suppress(OSError):
            yield folder, os.stat(f"{root}/{folder}").st_mtime_ns


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


def path_below(root: str | os.PathLike[str], file: str) -> str:
    """The path as the project has it; another text for a file that lies elsewhere. A folder means its valohai.yaml."""
    path = os.path.join(file, DEFAULT_FILE) if os.path.isdir(file) else file
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.relpath(f"{os.path.realpath(folder)}/{name}", os.path.realpath(root))


def _status(full: str) -> os.stat_result | None:
    """None for what is gone."""
    try:
        return os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise from_os_error(error, "cannot read") from error


def _watched(statuses: Mapping[str, os.stat_result], watch: SnapshotWatch) -> Iterator[tuple[str, os.stat_result]]:
    """What is given, one by one; `watch` hears what is large first, and then how far that has come."""
    sizes = {path: status.st_size for path, status in statuses.items() if stat.S_ISREG(status.st_mode)}
    total_bytes, done_bytes = sum(sizes.values()), 0
    if (text := large_text(sizes)) is not None:
        watch.say(text)
    for path, status in statuses.items():
        yield path, status
        done_bytes += sizes.get(path, 0)
        if total_bytes >= LARGE_TOTAL_BYTES:
            watch.progress("reading the project's code", done_bytes, total_bytes)


def _entry(root: str, path: str, status: os.stat_result, keeper: Keeper) -> SnapshotEntry | str | None:
    """The entry, or why there is none in words, or None for what is no file."""
    full = f"{root}/{path}"
    if stat.S_ISREG(status.st_mode):
        return _file(full, path, status, keeper)
    if stat.S_ISLNK(status.st_mode):
        return _link(root, full, path, status, keeper)
    if stat.S_ISDIR(status.st_mode):
        return f"`{path.rstrip('/')}` is a separate git repository: it is not part of the working copy"
    return None


def _file(full: str, path: str, status: os.stat_result, keeper: Keeper) -> SnapshotEntry:
    blob, size_bytes = keeper.copy_in(Path(full))
    mode = 0o755 if status.st_mode & 0o100 else 0o644
    return SnapshotEntry(path, blob, mode, size_bytes, modified_ns=status.st_mtime_ns)


def _link(root: str, full: str, path: str, status: os.stat_result, keeper: Keeper) -> SnapshotEntry | str:
    """See the module. A link that leads nowhere is kept if it would stay inside."""
    real = os.path.realpath(full)
    if real == root or real.startswith(f"{root}/"):
        target = os.path.relpath(real, os.path.dirname(full))
        return SnapshotEntry(path, link=target, modified_ns=status.st_mtime_ns)
    if os.path.isfile(real):
        return _file(real, path, os.stat(real), keeper)
    return f"`{path}` leads to `{real}`, outside the project: it is not part of the working copy"
