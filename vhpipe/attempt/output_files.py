"""Where the output of an attempt goes: `log`, `log.index` and `metadata.jsonl` in its folder.

Each but the log is made when first needed: an execution makes few files.
"""

import os
import time
from collections.abc import Callable

from vhpipe.attempt.fatal_failures import survivable
from vhpipe.attempt.launch import Stream
from vhpipe.attempt.measurements import Measured
from vhpipe.attempt.metadata_lines import Mask, MetadataReader, stamped_line
from vhpipe.regular_files import open_to_append
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_all
from vhpipe.store.attempt_files import LOG, LOG_INDEX, METADATA
from vhpipe.wording import listed

LOG_LIMIT = 1 << 30
"""Bytes of a log that are kept; after them a line says that the rest is not."""
SERIES_LIMIT = 1 << 28
"""Bytes of metadata.jsonl that are kept; last values count on."""
SERIES_CUT = "the series of metadata is longer than 256 MiB: its last points are not kept"
INDEX_BUFFER = 1 << 16
Leave = Callable[[str], None]
"""Makes an empty file at a path, cheaper than by writing one."""
TRUNCATED = b"\n[vhpipe: the log is longer than 1 GiB, the rest is not kept]\n"


class AttemptOutput:
    """The sink of one attempt. The bytes of both streams are kept as they came, in the order in which they were read.

    `log.index` has a line `<offset> <o|e> <seconds since the epoch>` for each piece.
    """

    def __init__(
        self,
        folder: str,
        measured: Measured | None = None,
        mask: Mask | None = None,
        leave_empty: Leave | None = None,
        limit_bytes: int = LOG_LIMIT,
        series_limit_bytes: int = SERIES_LIMIT,
    ) -> None:
        self._folder, self._measured, self._limit_bytes = folder, measured, limit_bytes
        self._series_left_bytes = series_limit_bytes
        self._leave_empty = leave_empty
        self.failure: str | None = None
        self._reader = MetadataReader(mask)
        self._log: int | None = None
        self._size = 0
        self._is_cut = False
        self._index: list[str] = []

    @property
    def metadata(self) -> dict[str, Json]:
        """The last value of every key so far."""
        return self._reader.last

    @property
    def warnings(self) -> tuple[str, ...]:
        names = listed(sorted(self._reader.left_out), most=5)
        larger = (f"metadata is larger than 64 KiB: the latest values omit {names}",) if names else ()
        is_cut = self._series_left_bytes < 0
        return larger + ((SERIES_CUT,) if is_cut else ())

    def write(self, stream: Stream, content: bytes) -> None:
        """Keep what has come. Where that is impossible for this attempt alone, `failure` says why."""
        self._trying(lambda now: self._take(stream, content, now))

    def close(self) -> None:
        self._trying(self._finish)

    def _trying(self, keep: Callable[[float], None]) -> None:
        if self.failure is not None:
            return
        try:
            keep(time.time())
        except OSError as failure:
            self.failure = survivable(failure, "cannot store the log")
            self._forget_log()

    def _take(self, stream: Stream, content: bytes, now: float) -> None:
        if self._log is None:
            self._log = self._open(LOG)
        if not self._is_cut:
            self._keep(stream, content, now)
        if stream == "o":
            self._record(self._reader.feed(content), now)

    def _finish(self, now: float) -> None:
        if self._log is None:
            self._make_empty_log()
        else:
            self._forget_log()
            self._flush_index()
        self._record(self._reader.finish(), now)

    def _make_empty_log(self) -> None:
        """A silent execution has a log all the same, because its path is shown in many places."""
        if self._leave_empty is None:
            self._append(LOG, b"")
        else:
            self._leave_empty(f"{self._folder}/log")

    def _forget_log(self) -> None:
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _keep(self, stream: Stream, content: bytes, now: float) -> None:
        assert self._log is not None
        kept = content[: self._limit_bytes - self._size]
        self._is_cut = len(kept) < len(content)
        self._write(self._log, LOG, kept + TRUNCATED if self._is_cut else kept)
        self._index.append(f"{self._size} {stream} {now:.6f}\n")
        self._size += len(kept)
        if len(self._index) > INDEX_BUFFER // 32:
            self._flush_index()

    def _flush_index(self) -> None:
        self._append(LOG_INDEX, "".join(self._index).encode())
        self._index.clear()

    def _record(self, found: list[dict[str, Json]], now: float) -> None:
        if not found:
            return
        if self._series_left_bytes >= 0:
            content = b"".join(stamped_line(each, now) for each in found)
            self._series_left_bytes -= len(content)
            if self._series_left_bytes >= 0:
                self._append(METADATA, content)
        if self._measured is not None:
            self._measured(self._reader.last, found)

    def _append(self, name: str, content: bytes) -> None:
        file = self._open(name)
        try:
            self._write(file, name, content)
        finally:
            os.close(file)

    def _write(self, file: int, name: str, content: bytes) -> None:
        try:
            write_all(file, content)
        except OSError as error:
            error.filename = f"{self._folder}/{name}"
            raise

    def _open(self, name: str) -> int:
        return open_to_append(f"{self._folder}/{name}")
