"""The line format of journals: `<crc32 as 8 hex> <json>` and a line feed."""

from collections.abc import Iterator
from zlib import crc32


def line_of(json: bytes) -> bytes:
    return b"%08x %b\n" % (crc32(json), json)


def valid_lines(content: bytes, start: int = 0) -> Iterator[tuple[bytes, int]]:
    """JSON of each complete line with the right checksum, and the offset behind it; ends at the first other line."""
    while (end := content.find(b"\n", start)) >= 0:
        json = content[start + 9 : end]
        if content[start : start + 9] != b"%08x " % crc32(json):
            return
        start = end + 1
        yield json, start
