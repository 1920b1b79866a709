"""The checksums of stored bytes beside their sha256, which `inputs.json` lists and nothing here relies on.

They are taken where the bytes are read anyway: of small files whenever they are hashed, of large ones when they are
verified for somebody who asks. Source: decision 51.
"""

from collections.abc import Iterable, Iterator
from hashlib import md5, sha1
from typing import NamedTuple

MOST_REMEMBERED = 4096
"""Blobs whose checksums a process remembers."""


class Checksums(NamedTuple):
    """Of one content, in hexadecimal."""

    md5: str
    sha1: str
    sha256: str


class RememberedChecksums:
    """The checksums that were taken last, by sha256. Thread-safe, for each step is one operation of a dictionary."""

    def __init__(self) -> None:
        self._known: dict[str, Checksums] = {}

    def get(self, blob: str) -> Checksums | None:
        return self._known.get(blob)

    def add(self, taken: Checksums) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        self._known[taken.sha256] = taken


class PassingBytes:
    """Chunks on their way to somebody who takes their sha256; the other checksums are taken as they pass."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._md5, self._sha1 = md5(usedforsecurity=False), sha1(usedforsecurity=False)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._md5.update(chunk)
            self._sha1.update(chunk)
            yield chunk

    def checksums(self, blob: str) -> Checksums:
        """Of all that has passed, whose sha256 is `blob`."""
        return Checksums(self._md5.hexdigest(), self._sha1.hexdigest(), blob)
