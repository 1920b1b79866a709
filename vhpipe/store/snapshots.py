"""The code of a run as it is kept: `snapshot.json` in its folder, every file by its blob."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import RECORD_BYTES, read_regular
from vhpipe.store.atomic import write_atomically
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.run_files import SNAPSHOT


class SnapshotEntry(msgspec.Struct, frozen=True):
    """A file, or, with `link` set, a symbolic link. `path` is relative; `mode` is 0o755 or 0o644, as git has it.

    `modified_ns` is its time of modification in the project, no part of what code is equal; None in runs before 0.3.0.
    """

    path: str
    blob: str = ""
    mode: int = 0o644
    size_bytes: int = 0
    link: str | None = None
    modified_ns: int | None = None

    @property
    def content(self) -> tuple[int, str]:
        """What makes two entries of a path equal: their mode, and their blob or where they lead."""
        return self.mode, self.blob if self.link is None else f"-> {self.link}"


class Snapshot(msgspec.Struct, frozen=True):
    """`digest` is the sha256 over all entries, which are sorted by path; `commit` is None without git.

    `source` is the path of the entry that the pipeline was read from, None where that is no part of the code. `streams`
    are the paths of entries that the run's own output was going to, which change without anybody's doing.
    `folders` has the time of modification in ns of every folder on the way to an entry, and of the project as ``.
    `commits` has the code of the commits that nodes name, by their hashes.
    """

    entries: tuple[SnapshotEntry, ...]
    digest: str
    commit: str | None = None
    dirty: bool = False
    notices: tuple[str, ...] = ()
    source: str | None = None
    streams: tuple[str, ...] = ()
    folders: dict[str, int] = {}
    commits: "dict[str, Snapshot]" = {}

    def of(self, commit: str | None) -> "Snapshot":
        """The code of a commit, or of the project where that is None. Errors: EnvironmentFailure if it is not kept."""
        if commit is None:
            return self
        try:
            return self.commits[commit]
        except KeyError:
            raise EnvironmentFailure(f"the run does not have the code of commit {commit[:10]}") from None

    def all_entries(self) -> Iterator[SnapshotEntry]:
        """What the run needs: the project's code, and that of all commits."""
        yield from self.entries
        for each in self.commits.values():
            yield from each.entries

    @property
    def commit_identifier(self) -> str:
        """The commit as Valohai names it, or `~` and the digest for code that no commit holds."""
        return self.commit if self.commit is not None and not self.dirty else f"~{self.digest}"


_decoder = msgspec.json.Decoder(Snapshot)


def code_entries(snapshot: Snapshot) -> list[SnapshotEntry]:
    """The code without the pipeline's own file, for what that says is in the plan, and without `streams`.

    Source: decision 57.
    """
    return [each for each in snapshot.entries if each.path != snapshot.source and each.path not in snapshot.streams]


def folders_of(paths: Iterable[str]) -> frozenset[str]:
    """The folders on the way to the paths, without the one that they start from."""
    folders: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = os.path.dirname(folder)
    return frozenset(folders)


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write `snapshot.json` into a run's folder."""
    write_atomically(folder / SNAPSHOT, encode(snapshot), durable=True)


def load_snapshot(folder: Path) -> Snapshot:
    path = folder / SNAPSHOT
    try:
        return decode(read_regular(path, RECORD_BYTES, follow=False), _decoder)
    except OSError as error:
        raise from_os_error(error, "cannot read the code of the run:") from error
    except msgspec.DecodeError as error:
        raise EnvironmentFailure(f"cannot read the code of the run: `{path}` is damaged: {error}") from error


def digest_of(entries: Iterable[SnapshotEntry]) -> str:
    """The sha256 over paths, modes and contents of entries, in their order."""
    digest = sha256()
    for entry in entries:
        digest.update(os.fsencode(f"{entry.path}\0{entry.mode:o}\0{content_of(entry)}\0"))
    return digest.hexdigest()


def content_of(entry: SnapshotEntry) -> str:
    """What is in a file, or where a symbolic link leads."""
    return f"blob {entry.blob}" if entry.link is None else f"link {entry.link}"
