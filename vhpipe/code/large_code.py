"""Code that is large: what is said of it before it is copied, and how far reading and storing it has come."""

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_to_read
from vhpipe.store.blobs import Blobs

LARGE_BYTES = 64 << 20
"""Files from this size on are large: they are named before the start, and working copies share them."""
LARGE_TOTAL_BYTES = 256 << 20
"""From this size on a project is large, whatever the size of its files."""
_NAMED = 3
_CHUNK_BYTES = 1 << 20


class SnapshotWatch(Protocol):
    """Somebody who hears what becomes of the project's code before a run starts."""

    def say(self, text: str) -> None:
        """A sentence on what is large, before any of it is read."""

    def progress(self, doing: str, done_bytes: int, size_bytes: int) -> None:
        """How far something has come; it is over when both are equal."""


class SilentWatch:
    """Nobody hears anything."""

    def say(self, text: str) -> None:
        pass

    def progress(self, doing: str, done_bytes: int, size_bytes: int) -> None:
        pass


UNWATCHED = SilentWatch()


def large_text(sizes: Mapping[str, int]) -> str | None:
    """What is large among the files of a project, by their sizes in bytes, and how to leave it out."""
    large = sorted((path for path, size_bytes in sizes.items() if size_bytes >= LARGE_BYTES), key=lambda p: -sizes[p])
    total_bytes = sum(sizes.values())
    if large:
        names = [f"`{path}` ({size_text(sizes[path])})" for path in large[:_NAMED]]
        more = f" and {len(large) - _NAMED} more" if len(large) > _NAMED else ""
        said, example = f"large files are part of the project's code: {', '.join(names)}{more}", large[0]
    elif total_bytes >= LARGE_TOTAL_BYTES:
        folder, size_bytes = _largest_folder(sizes)
        where = f"`{folder}` ({size_text(size_bytes)})" if folder else "its own folder"
        said = f"the project's code is large: {size_text(total_bytes)} in {len(sizes):,} files, most of it in {where}"
        example = f"{folder}/" if folder else ""
    else:
        return None
    rule = f", such as `/{_as_rule(example)}`" if example else ""
    return f"{said}; what no step needs can be named in .valohaiignore{rule}"


def size_text(size_bytes: int) -> str:
    """A size as people read it: `1.0 GiB`."""
    from humanize import naturalsize

    return naturalsize(size_bytes, binary=True)


def _largest_folder(sizes: Mapping[str, int]) -> tuple[str, int]:
    """The folder at the top with the most bytes; an empty name for the files that are in none."""
    totals: dict[str, int] = {}
    for path, size_bytes in sizes.items():
        folder, slash, _ = path.partition("/")
        totals[folder if slash else ""] = totals.get(folder if slash else "", 0) + size_bytes
    return max(totals.items(), key=lambda item: item[1])


def _as_rule(path: str) -> str:
    """A path as a rule of an ignore file that means nothing else."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)


class WatchedBlobs:
    """Where the code goes: the blob store, with progress for large files."""

    def __init__(self, blobs: Blobs, watch: SnapshotWatch) -> None:
        self._blobs, self._watch = blobs, watch

    def copy_in(self, path: Path) -> tuple[str, int]:
        """sha256 and size of a file, which is stored if it is not there yet."""
        try:
            size_bytes = os.stat(path).st_size
            if size_bytes < LARGE_BYTES:
                return self._blobs.copy_in(path)
            digest = sha256()
            for chunk in self._chunks(path, size_bytes, "reading"):
                digest.update(chunk)
            if self._blobs.is_intact(digest.hexdigest()):
                return digest.hexdigest(), size_bytes
            return self._blobs.receive(self._chunks(path, size_bytes, "storing"))
        except OSError as error:
            raise from_os_error(error, "cannot copy") from error

    def _chunks(self, path: Path, size_bytes: int, verb: str) -> Iterator[bytes]:
        doing, done_bytes = f"{verb} `{path.name}`", 0
        with open_to_read(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
                done_bytes += len(chunk)
                self._watch.progress(doing, min(done_bytes, size_bytes - 1), size_bytes)
        self._watch.progress(doing, size_bytes, size_bytes)
