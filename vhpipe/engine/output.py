"""Where the output of an attempt goes: `log`, `log.index` and `metadata.jsonl` in its folder.

Each is made when first needed: an execution makes few files.
"""

import os
import time
from collections.abc import Callable

from vhpipe.engine.metadata import MetadataReader, stamped
from vhpipe.runners.protocol import Stream
from vhpipe.schedule.vocabulary import Json
from vhpipe.store.atomic import write_all

LOG_LIMIT = 1 << 30
"""Bytes of a log that are kept; after them a line says that the rest is not."""
INDEX_BUFFER = 1 << 16
TRUNCATED = b"\n[vhpipe: the log is longer than 1 GiB, the rest is not kept]\n"


class AttemptOutput:
    """The sink of one attempt. The bytes of both streams are kept as they came, in the order in which they were read.

    `log.index` has a line `<offset> <o|e> <seconds since the epoch>` for each piece.
    """

    def __init__(self, folder: str, on_metadata: Callable[[dict[str, Json]], None] | None = None) -> None:
        self._folder = folder
        self._on_metadata = on_metadata
        self._reader = MetadataReader()
        self._log: int | None = None
        self._size = 0
        self._index: list[str] = []
        self._warnings: tuple[str, ...] = ()

    @property
    def metadata(self) -> dict[str, Json]:
        """The last value of every key so far."""
        return self._reader.last

    @property
    def warnings(self) -> tuple[str, ...]:
        names = ", ".join(f"`{key}`" for key in sorted(self._reader.left_out)[:5])
        return (f"metadata is larger than 64 KiB: the last values leave out {names}",) if names else ()

    def write(self, stream: Stream, content: bytes) -> None:
        now = time.time()
        if self._log is None:
            self._log = self._open("log")
        if self._size < LOG_LIMIT:
            self._keep(stream, content, now)
        if stream == "o":
            self._record(self._reader.feed(content), now)

    def close(self) -> None:
        self._record(self._reader.finish(), time.time())
        if self._log is not None:
            os.close(self._log)
            self._flush_index()
            self._log = None

    def _keep(self, stream: Stream, content: bytes, now: float) -> None:
        assert self._log is not None
        kept = content[: LOG_LIMIT - self._size]
        write_all(self._log, kept if len(kept) == len(content) else kept + TRUNCATED)
        self._index.append(f"{self._size} {stream} {now:.6f}\n")
        self._size += len(kept)
        if len(self._index) > INDEX_BUFFER // 32:
            self._flush_index()

    def _flush_index(self) -> None:
        self._append("log.index", "".join(self._index).encode())
        self._index.clear()

    def _record(self, found: list[dict[str, Json]], now: float) -> None:
        if not found:
            return
        self._append("metadata.jsonl", b"".join(stamped(each, now) for each in found))
        if self._on_metadata is not None:
            self._on_metadata(found[-1])

    def _append(self, name: str, content: bytes) -> None:
        file = self._open(name)
        try:
            write_all(file, content)
        finally:
            os.close(file)

    def _open(self, name: str) -> int:
        return os.open(f"{self._folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

