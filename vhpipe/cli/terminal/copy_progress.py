"""What is said while large code is read and stored before a run: one line that changes, or now and then a new one."""

import sys
import time
from contextlib import suppress
from typing import TextIO

from vhpipe.cli.terminal.run_progress import is_terminal
from vhpipe.views.safe_text import one_line

PAINT_S, LINES_S = 0.1, 5.0
"""How often the line changes at a terminal, and how often there is a new one elsewhere."""


class CopyProgress:
    """A `SnapshotWatch` on stderr; use it as a context, at whose end the line is gone. With `is_quiet` it is silent."""

    def __init__(self, is_quiet: bool = False, stream: TextIO | None = None) -> None:
        self._is_quiet, self._stream = is_quiet, stream or sys.stderr
        self._is_live = is_terminal(self._stream)
        self._next = time.monotonic() + (PAINT_S if self._is_live else LINES_S)
        self._is_painted = False

    def __enter__(self) -> "CopyProgress":
        return self

    def __exit__(self, *failure: object) -> None:
        self._clear()

    def say(self, text: str) -> None:
        if not self._is_quiet:
            self._clear()
            self._write(f"{one_line(text)}\n")

    def progress(self, doing: str, done_bytes: int, size_bytes: int) -> None:
        now = time.monotonic()
        if self._is_quiet or now < self._next:
            return
        from humanize import naturalsize

        self._next = now + (PAINT_S if self._is_live else LINES_S)
        done, size = (naturalsize(each, binary=True) for each in (done_bytes, size_bytes))
        text = f"{one_line(doing)}: {done} of {size}"
        self._write(f"\r{text}\x1b[K" if self._is_live else f"{text}\n")
        self._is_painted = self._is_live

    def _clear(self) -> None:
        if self._is_painted:
            self._write("\r\x1b[K")
        self._is_painted = False

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
