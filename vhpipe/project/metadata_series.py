"""The metadata series of an attempt as it lies in its folder: one JSON object per line, each with its `_time`."""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from vhpipe.regular_files import RECORD_BYTES, open_to_read
from vhpipe.store.attempt_files import METADATA

END_BYTES = 1 << 14


def series(folder: Path) -> Iterator[dict[str, object]]:
    """The lines in order; none where nothing was measured. A line that is still being written is left out."""
    return series_in(folder / METADATA)


def series_in(path: Path) -> Iterator[dict[str, object]]:
    """The lines of a series at a path, in order; none where there is no file. A line without its end is left out."""
    try:
        with open_to_read(path, follow=False, largest_bytes=RECORD_BYTES) as lines:
            for line in lines:
                if (values := _values(line)) is not None:
                    yield values
    except FileNotFoundError:
        return


def last_values(folder: Path) -> dict[str, object]:
    """The last value of every key, in the order in which the keys came; also while the attempt runs."""
    return last_of(series(folder), {"_time"})


def last_of(lines: Iterable[dict[str, object]], without: Collection[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for line in lines:
        values.update((key, value) for key, value in line.items() if key not in without)
    return values


def last_line(folder: Path) -> dict[str, object]:
    """The values of the last complete line, cheaply; empty where there is none within 16 KiB."""
    try:
        with open_to_read(folder / METADATA, follow=False) as lines:
            lines.seek(max(0, lines.seek(0, os.SEEK_END) - END_BYTES))
            complete = lines.read(END_BYTES).split(b"\n")[:-1]
    except OSError:
        return {}
    return next((values for line in reversed(complete) if (values := _values(line + b"\n")) is not None), {})


def _values(line: bytes) -> dict[str, object] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
