"""The code of a commit as a snapshot: all that the commit has below the project's folder, every file by its blob.

The work tree stays as it is, and what `.valohaiignore` names is there, as on the platform. Files are as they are
committed, without filters; of Git LFS those are put in whose content is here. All have the time of the commit.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from vhpipe.code.git_objects import GitRefusedError, ObjectReader, TreeFile, files_of
from vhpipe.code.project_bounds import repository_of
from vhpipe.errors import EnvironmentFailure
from vhpipe.store.snapshots import Snapshot, SnapshotEntry, digest_of, folders_of

SMALL_BYTES = 1 << 20
"""Contents up to this size are held in memory."""
MOST_LINKS = 40
MOST_NAMED = 10
"""So many files that are left out are named."""
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n")
_POINTER_BYTES = 1024
_LINK, _SUBMODULE, _EXECUTABLE = "120000", "160000", "100755"
_TIME = re.compile(rb"^committer .* (\d+) [-+]\d{4}$", re.MULTILINE)


class CommitKeeper(Protocol):
    """Where the bytes of the code go: each gives sha256 and size."""

    def write(self, content: bytes) -> tuple[str, int]: ...

    def receive(self, chunks: Iterable[bytes]) -> tuple[str, int]: ...

    def copy_in(self, path: Path) -> tuple[str, int]: ...


def commit_snapshot(project: Path, commit: str, keeper: CommitKeeper, source: str | None = None) -> Snapshot:
    """The code of a commit, its bytes kept. `source` is the path of the pipeline's file in it.

    Errors: EnvironmentFailure for a commit that git cannot read, or whose files cannot all be there.
    """
    reading = _CommitReading(commit, keeper)
    try:
        reading.read(os.path.realpath(project), commit, "")
    except GitRefusedError as refused:
        raise EnvironmentFailure(f"cannot read commit {commit[:10]}: {refused.message}", refused.hint) from refused
    entries = tuple(reading.entries())
    folders = dict.fromkeys(("", *folders_of(each.path for each in entries)), reading.modified_ns)
    own = source if any(each.path == source for each in entries) else None
    return Snapshot(entries, digest_of(entries), commit, False, tuple(reading.notices()), own, folders=folders)


class _CommitReading:
    """The files of one commit and of its submodules, as they are read."""

    def __init__(self, commit: str, keeper: CommitKeeper) -> None:
        self._called, self._keeper = f"commit {commit[:10]}", keeper
        self._found: dict[str, SnapshotEntry] = {}
        self._notices: list[str] = []
        self._pointers: list[str] = []
        self.modified_ns = 0

    def read(self, folder: str, commit: str, prefix: str) -> None:
        """Read what a commit has below a folder of its repository, which is at `prefix` in the project."""
        with ObjectReader(folder) as reader:
            if not prefix:
                self.modified_ns = _time_in(reader.find(commit, SMALL_BYTES)[1])
            for file in files_of(folder, commit):
                path = f"{prefix}{file.path}"
                self._refuse_unsafe(path)
                if file.mode == _SUBMODULE:
                    self._read_submodule(f"{folder}/{file.path}", file.id, path)
                else:
                    self._found[path] = self._entry(reader, file, path, folder)

    def _refuse_unsafe(self, path: str) -> None:
        """git makes no such trees, but others can."""
        parts = path.split("/")
        is_unsafe = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
        if is_unsafe or path in self._found or any(folder in self._found for folder in folders_of((path,))):
            raise EnvironmentFailure(f"{self._called} has the path `{path}`, which no folder can have")

    def _read_submodule(self, folder: str, commit: str, path: str) -> None:
        if os.path.lexists(f"{folder}/.git"):
            try:
                self.read(os.path.realpath(folder), commit, f"{path}/")
                return
            except GitRefusedError as refused:
                reason = refused.message
        else:
            reason = "it is not checked out (git submodule update --init)"
        self._notices.append(f"{self._called}: submodule `{path}` at {commit[:10]} is not here, {reason}: "
                             "its files are missing")  # fmt: skip

    def _entry(self, reader: ObjectReader, file: TreeFile, path: str, folder: str) -> SnapshotEntry:
        if file.mode == _LINK:
            target = os.fsdecode(b"".join(reader.chunks(file.id)))
            return SnapshotEntry(path, link=target, modified_ns=self.modified_ns)
        blob, size_bytes = self._kept(reader, file, path, folder)
        mode = 0o755 if file.mode == _EXECUTABLE else 0o644
        return SnapshotEntry(path, blob, mode, size_bytes, modified_ns=self.modified_ns)

    def _kept(self, reader: ObjectReader, file: TreeFile, path: str, folder: str) -> tuple[str, int]:
        chunks = reader.chunks(file.id)
        if file.size_bytes > SMALL_BYTES:
            return self._keeper.receive(chunks)
        content = b"".join(chunks)
        pointer = _POINTER.match(content) if file.size_bytes <= _POINTER_BYTES else None
        if pointer is not None:
            kept = self._kept_of_lfs(pointer[1].decode(), folder)
            if kept is not None:
                return kept
            self._pointers.append(path)
        return self._keeper.write(content)

    def _kept_of_lfs(self, digest: str, folder: str) -> tuple[str, int] | None:
        """The content that Git LFS has of a file, which goes by its sha256; None where it is not here."""
        repository = repository_of(folder)
        stored = Path(f"{repository}/.git/lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}")
        if not stored.is_file():
            return None
        kept = self._keeper.copy_in(stored)
        return kept if kept[0] == digest else None

    def entries(self) -> Iterator[SnapshotEntry]:
        """What was found, by path; links that lead out of the project are left out, and said so."""
        links = {path: entry.link for path, entry in self._found.items() if entry.link is not None}
        for path in sorted(self._found):
            if path in links and not _stays_inside(path, links):
                self._notices.append(
                    f"{self._called}: `{path}` leads out of the project: it is not part of the working copy"
                )
            else:
                yield self._found[path]

    def notices(self) -> Iterator[str]:
        yield from self._notices
        if self._pointers:
            names = ", ".join(f"`{path}`" for path in self._pointers[:MOST_NAMED])
            more = f" and {len(self._pointers) - MOST_NAMED} more" if len(self._pointers) > MOST_NAMED else ""
            yield (
                f"{self._called}: the content of {names}{more} is in Git LFS and not here, steps find pointers: "
                f"git lfs fetch origin {self._called.removeprefix('commit ')}"
            )


def _time_in(commit: bytes) -> int:
    """When a commit was made, in ns."""
    found = _TIME.search(commit.partition(b"\n\n")[0])
    return int(found[1]) * 1_000_000_000 if found else 0


def _stays_inside(path: str, links: Mapping[str, str]) -> bool:
    """Whether a link leads to a place in the project, through whatever other links."""
    done: list[str] = []
    waiting, followed = path.split("/")[::-1], 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not done:
                return False
            done.pop()
            continue
        done.append(part)
        target = links.get("/".join(done))
        if target is not None:
            followed += 1
            if target.startswith("/") or followed > MOST_LINKS:
                return False
            done.pop()
            waiting.extend(target.split("/")[::-1])
    return True
