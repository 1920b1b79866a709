"""The snapshot: the project's code as of the start of a run, every file by its blob.

A symbolic link that stays inside the project is kept as a relative link; one that leads to a file outside becomes a
copy of that file; one that leads to a folder outside is left out and said so, for a step could change what is there.
"""

import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from vhpipe.code.code_files import list_code_files
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.store.atomic import write_atomically
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.run_files import SNAPSHOT


class SnapshotEntry(msgspec.Struct, frozen=True):
    """A file, or, with `link` set, a symbolic link. `path` is relative; `mode` is 0o755 or 0o644, as git has it."""

    path: str
    blob: str = ""
    mode: int = 0o644
    size_bytes: int = 0
    link: str | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """`digest` is the sha256 over all entries, which are sorted by path; `commit` is None without git.

    `source` is the path of the entry that the pipeline was read from, None where that is no part of the code.
    """

    entries: tuple[SnapshotEntry, ...]
    digest: str
    commit: str | None = None
    dirty: bool = False
    notices: tuple[str, ...] = ()
    source: str | None = None

    @property
    def commit_identifier(self) -> str:
        """As Valohai names it: the commit, or `~` and the digest for code that no commit holds."""
        return self.commit if self.commit is not None and not self.dirty else f"~{self.digest}"


_decoder = msgspec.json.Decoder(Snapshot)


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
    return Snapshot(tuple(entries), _digest(entries), files.commit, files.dirty, tuple(notices), source)


def _path_below(root: str, file: str) -> str:
    """The path as the project has it; another text for a file that lies elsewhere. A folder means its valohai.yaml."""
    path = os.path.join(file, DEFAULT_FILE) if os.path.isdir(file) else file
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.relpath(f"{os.path.realpath(folder)}/{name}", root)


def code_entries(snapshot: Snapshot) -> list[SnapshotEntry]:
    """The code without the pipeline's own file: what that says is in the plan. Source: decision 57."""
    return [entry for entry in snapshot.entries if entry.path != snapshot.source]


def code_digest(snapshot: Snapshot) -> str:
    """The sha256 over the code without the pipeline's own file."""
    return _digest(code_entries(snapshot))


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write `snapshot.json` into a run's folder."""
    write_atomically(folder / SNAPSHOT, encode(snapshot), durable=True)


def load_snapshot(folder: Path) -> Snapshot:
    path = folder / SNAPSHOT
    try:
        return decode(path.read_bytes(), _decoder)
    except OSError as error:
        raise from_os_error(error, "cannot read the code of the run:") from error
    except msgspec.DecodeError as error:
        raise EnvironmentFailure(f"cannot read the code of the run: `{path}` is damaged: {error}") from error


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
        return f"`{path.rstrip('/')}` is a git repository of its own: it is not part of the working copy"
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
    return f"`{path}` leads to `{real}`, outside of the project: it is not part of the working copy"


def _digest(entries: list[SnapshotEntry]) -> str:
    digest = sha256()
    for entry in entries:
        content = f"blob {entry.blob}" if entry.link is None else f"link {entry.link}"
        digest.update(os.fsencode(f"{entry.path}\0{entry.mode:o}\0{content}\0"))
    return digest.hexdigest()
