"""Metadata from standard output: every line that is a JSON object, a line being what `logs` shows as one.

A carriage return ends a line (progress bars write over theirs), and colours are no part of it.
Source: docs on metadata of the platform; bounds of our own: a line of 64 KiB, 64 KiB of last values.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from vhpipe.schedule.terms import Json

LINE_LIMIT = 64 * 1024
KEPT_BYTES = 64 * 1024
_CONTROL_SEQUENCE = rb"\x1b\[[0-?]*[ -/]*[@-~]"
NAMED, NAME_CHARS = 100, 100
"""How many keys that were left out are named, and by how much of their names."""


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text_of_number(number)


def text_of_number(number: float) -> str:
    """`NaN`, `Infinity` or `-Infinity`: what JSON has no numbers for."""
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


_decoder = json.JSONDecoder(parse_constant=str, parse_float=_finite, strict=False)


def metadata_of_line(line: bytes) -> dict[str, Json] | None:
    """The object that a line holds, None for any other line; of several objects on one line the first."""
    stripped = line.strip()
    if not stripped.startswith(b"{") or len(stripped) > LINE_LIMIT:
        return None
    try:
        found, _ = _decoder.raw_decode(stripped.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _without_colours(line: bytes) -> bytes:
    return re.sub(_CONTROL_SEQUENCE, b"", line) if b"\x1b" in line else line


Mask = Callable[[Mapping[str, Json]], dict[str, Json]]


class MetadataReader:
    """Cuts a stream of bytes into lines and keeps the last value of every key; `mask` hides secrets in objects.

    `last` never grows over 64 KiB of JSON: a value that would is left out, and `left_out` names the first such keys.
    """

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self.last: dict[str, Json] = {}
        self.left_out: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._kept_bytes = 0
        self._partial = b""
        self._skipping = False

    def feed(self, content: bytes) -> list[dict[str, Json]]:
        """The objects that are complete now, in order."""
        lines = (self._partial + content.replace(b"\r", b"\n")).split(b"\n")
        self._partial = lines.pop()
        if self._skipping and lines:
            lines.pop(0)
            self._skipping = False
        if len(self._partial) > LINE_LIMIT:
            self._partial, self._skipping = b"", True
        return self._objects_in(lines)

    def finish(self) -> list[dict[str, Json]]:
        """The object of a last line without an end."""
        lines = [] if self._skipping else [self._partial]
        self._partial = b""
        return self._objects_in(lines)

    def _objects_in(self, lines: list[bytes]) -> list[dict[str, Json]]:
        found = [each for each in map(metadata_of_line, map(_without_colours, lines)) if each is not None]
        if self._mask is not None:
            found = [self._mask(each) for each in found]
        for each in found:
            for key, value in each.items():
                self._keep(key, value)
        return found

    def _keep(self, key: str, value: Json) -> None:
        if key == "_time":
            return
        size = len(key) + len(json.dumps(value))
        kept_bytes = self._kept_bytes - self._sizes.get(key, 0) + size
        if kept_bytes <= KEPT_BYTES:
            self.last[key], self._sizes[key], self._kept_bytes = value, size, kept_bytes
        elif len(self.left_out) < NAMED:
            self.left_out.add(key[:NAME_CHARS])


def stamped_line(found: dict[str, Json], at: float) -> bytes:
    """One line of metadata.jsonl: the object with `_time`, UTC."""
    time = datetime.fromtimestamp(at, UTC).isoformat()
    return json.dumps({"_time": time, **found}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
