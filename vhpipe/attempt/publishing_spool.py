"""What steps publish while they run: the spool of an attempt is read as it grows, its files are kept at the end.

A step may write what it likes into its spool, so nothing in it is believed: names are checked as those of outputs,
files have to lie in the attempt's folder, and what makes no sense is a warning.
Source: decision 88.
"""

import json
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from vhpipe.attempt.found_outputs import fault_of
from vhpipe.attempt.identifiers import random_identifier
from vhpipe.attempt.masking import Masking
from vhpipe.attempt.metadata_lines import KEPT_BYTES, metadata_of_line
from vhpipe.attempt.news import HearNews, MetricsPublished
from vhpipe.attempt.step_variables import SPOOL_NAME
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.config.paths import path_fault
from vhpipe.errors import VhpipeError, from_os_error
from vhpipe.plan.model import AttemptId, Datum, PublishedKind, PublishedThing
from vhpipe.publishing import FOLDER, ITERATION, LINE_LIMIT
from vhpipe.regular_files import open_regular
from vhpipe.schedule.terms import Json

LOOK_S = 0.2
"""How often a spool is read while its step runs."""
AT_ONCE_BYTES = 1 << 18
"""So much of one spool is read in one look, so that a busy one does not hold up the loop."""
SPOOL_LIMIT = 1 << 25
"""Bytes of a spool that count: some hundred thousand points."""
WARNED = 5
_COPY = r"[0-9a-f]{32}"


class SpooledFile(NamedTuple):
    kind: PublishedKind
    name: str
    path: str
    size_bytes: int
    mode: int
    properties: dict[str, Json]


class SpoolContent(NamedTuple):
    """All that an attempt published: files, the last values of metrics, and what is to be warned of."""

    files: tuple[SpooledFile, ...] = ()
    metrics: Mapping[str, Json] = MappingProxyType({})
    warnings: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def kept_things(spooled: SpoolContent, blobs: AttemptBlobs) -> tuple[tuple[PublishedThing, ...], tuple[str, ...]]:
    """What was published, its files in the blob store; and what is to be warned of.

    A file that cannot be read costs that file. Errors: `VhpipeError` and OSError for a store that takes none.
    """
    things: list[PublishedThing] = []
    warnings = list(spooled.warnings)
    for file in spooled.files:
        try:
            things.append(PublishedThing(file.kind, file.name, _datum(file, blobs)))
        except (VhpipeError, OSError):
            if (reason := fault_of(file.path)) is None:
                raise
            warnings.append(f"published {file.kind} `{file.name}` is left out: {reason}")
    things += (PublishedThing("metric", name, value=value) for name, value in spooled.metrics.items())
    return tuple(things), tuple(warnings)


def _datum(file: SpooledFile, blobs: AttemptBlobs) -> Datum:
    properties = (file.properties,) if file.properties else ()
    return Datum(random_identifier(), file.name, *blobs.keep(file.path), file.mode & 0o777, properties)


class Spool:
    """The spool of one attempt that runs now: metrics go to `hear` as they come. For one thread."""

    def __init__(self, attempt: AttemptId, folder: str, masking: Masking, hear: HearNews) -> None:
        self._attempt, self._folder, self._masking, self._hear = attempt, folder, masking, hear
        self._place = 0
        self._files: dict[tuple[str, str], SpooledFile] = {}
        self._metrics: dict[str, Json] = {}
        self._metrics_bytes = 0
        self._warnings: dict[str, None] = {}
        self._points: list[tuple[float, dict[str, Json]]] = []

    def read(self) -> bool:
        """Take the next complete lines; False where there are none. Errors: EnvironmentFailure."""
        try:
            has_grown = self._read_lines()
        except OSError as failure:
            raise from_os_error(failure, "cannot read") from failure
        if self._points:
            self._hear(MetricsPublished(self._attempt, tuple(self._points)))
            self._points.clear()
        return has_grown

    def close(self) -> SpoolContent:
        """All that the attempt has published. Errors: EnvironmentFailure."""
        while self.read():
            pass
        if self._masking.is_needed:
            self._remove()  # the step wrote it as it liked, and it may have written a secret
        return SpoolContent(tuple(self._files.values()), self._metrics, tuple(self._warnings))

    def _remove(self) -> None:
        with suppress(OSError):
            os.unlink(f"{self._folder}/{SPOOL_NAME}")

    def _read_lines(self) -> bool:
        content = self._next()
        complete = content.rfind(b"\n") + 1
        if not complete:
            if len(content) <= LINE_LIMIT:
                return False
            complete = len(content)  # no line is so long: it is passed over
        self._place += complete
        latest: dict[str, Json] = {}
        for line in content[:complete].splitlines():
            self._take(line, latest)
        for name, value in latest.items():
            if name != ITERATION:
                self._keep_last(name, value)
        return True

    def _next(self) -> bytes:
        try:
            descriptor = open_regular(f"{self._folder}/{SPOOL_NAME}", follow=False)
        except OSError:  # not there, or something that is no file
            return b""
        try:
            status = os.fstat(descriptor)
            if status.st_size > SPOOL_LIMIT:
                self._warn(f"more than {SPOOL_LIMIT >> 20} MiB of entries were published: the rest is left out")
            left = min(AT_ONCE_BYTES, SPOOL_LIMIT - self._place)
            return os.pread(descriptor, left, self._place) if left > 0 else b""
        finally:
            os.close(descriptor)

    # ── lines ────────────────────────────────────────────────────────────────────────────────────

    def _take(self, line: bytes, latest: dict[str, Json]) -> None:
        """Take note of an entry; the last values of metrics go to `latest`."""
        entry = _entry_of(line)
        match entry:
            case {"kind": "metric", "values": dict(values)}:
                self._take_metrics(values, entry.get("at"), latest)
            case {"kind": "artifact" | "model" as kind, "name": str(name), "file": str(file)}:
                self._take_file(kind, name, file, entry.get("properties"))
            case _:
                self._warn("an entry that `vhpipe publish` would not have written is left out")

    def _take_metrics(self, values: dict[str, Json], at: Json, latest: dict[str, Json]) -> None:
        masked = self._masking.object(values) if self._masking.is_needed else values
        when = at if isinstance(at, float) and 0 < at < 1 << 33 else time.time()
        self._points.append((when, masked))
        latest.update(masked)

    def _keep_last(self, name: str, value: Json) -> None:
        """The last values go into the journal, so they are bounded."""
        size = len(json.dumps((name, value)))
        before = len(json.dumps((name, self._metrics[name]))) if name in self._metrics else 0
        if self._metrics_bytes + size - before > KEPT_BYTES:
            self._warn("metrics are larger than 64 KiB: the latest values omit some")
            return
        self._metrics_bytes += size - before
        self._metrics[name] = value

    def _take_file(self, kind: PublishedKind, name: str, file: str, properties: Json) -> None:
        if fault := path_fault(name):
            self._warn(f"published {kind} `{name}` {fault}")
            return
        found = self._file_status(file)
        if found is None:
            self._warn(f"published {kind} `{name}` no longer exists")
            return
        said = self._masking.object(properties) if isinstance(properties, dict) else {}
        path = f"{self._folder}/{FOLDER}/{file}"
        self._files.pop((kind, name), None)
        self._files[kind, name] = SpooledFile(kind, name, path, found.st_size, found.st_mode, said)

    def _file_status(self, file: str) -> os.stat_result | None:
        folder = f"{self._folder}/{FOLDER}"
        if not re.fullmatch(_COPY, file) or os.path.islink(folder):
            return None
        try:
            found = os.lstat(f"{folder}/{file}")
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def _warn(self, message: str) -> None:
        if len(self._warnings) < WARNED:
            self._warnings[self._masking.text(message)] = None


def _entry_of(line: bytes) -> dict[str, Json]:
    """The object of a line; the fast decoder first, for there may be many lines, and it knows strict JSON alone."""
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return metadata_of_line(line) or {}
    return entry if isinstance(entry, dict) else {}
