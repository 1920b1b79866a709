"""Logs as they lie on disk, any bytes at all: their ends, their growth, and their text."""

import codecs
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vhpipe.regular_files import open_to_read
from vhpipe.views.safe_text import safe_log

CHUNK_BYTES = 1 << 16

FAILURE_LINES = 20


def last_lines(path: Path, count: int = FAILURE_LINES) -> tuple[str, ...]:
    """The last lines, as text that is safe to show; what lies more than 64 KiB before the end is left out.

    A log that is not there has no lines.
    """
    try:
        with open_to_read(path, follow=False) as log:
            size_bytes = log.seek(0, os.SEEK_END)
            log.seek(max(0, size_bytes - CHUNK_BYTES))
            content = log.read(CHUNK_BYTES)
    except FileNotFoundError:
        return ()
    text = LogText()
    return tuple((text.feed(content) + text.end()).rstrip("\n").split("\n")[-count:]) if content.strip() else ()


def offset_of_last_lines(path: Path, count: int) -> int:
    """Where the last `count` lines begin, in bytes. A last line without its end counts as a line."""
    with open_to_read(path, follow=False) as log:
        end = position = log.seek(0, os.SEEK_END)
        if count <= 0:
            return end
        missing = count
        while position > 0:
            start = max(0, position - CHUNK_BYTES)
            log.seek(start)
            block = log.read(position - start)
            place = len(block) - 1 if position == end and block.endswith(b"\n") else len(block)
            while (place := block.rfind(b"\n", 0, place)) >= 0:
                missing -= 1
                if missing == 0:
                    return start + place + 1
            position = start
    return 0


class LogFile:
    """Reads a log from an offset on, also one that grows or does not exist yet."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._offset = offset

    def new_chunks(self) -> Iterator[bytes]:
        """What has come since the last call, in pieces of limited size."""
        with suppress(FileNotFoundError), open_to_read(self._path, follow=False) as log:
            log.seek(self._offset)
            while chunk := log.read(CHUNK_BYTES):
                self._offset += len(chunk)
                yield chunk


class LogText:
    """Bytes of a log to safe text, piece by piece: what may go on in the next piece is held back."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""

    def feed(self, content: bytes) -> str:
        text = self._held + self._decoder.decode(content)
        cut = _open_end(text)
        self._held = text[cut:]
        return safe_log(text[:cut])

    def end(self) -> str:
        text = self._held + self._decoder.decode(b"", final=True)
        self._held = ""
        return safe_log(text)


class PrefixedLines:
    """Puts a prefix before every line of a text that comes in pieces; an unfinished line waits for its end."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._held = ""

    def feed(self, text: str) -> str:
        *complete, self._held = (self._held + text).split("\n")
        if len(self._held) > CHUNK_BYTES:
            complete, self._held = [*complete, self._held], ""
        return "".join(f"{self._prefix}{line}\n" for line in complete)

    def end(self) -> str:
        held, self._held = self._held, ""
        return f"{self._prefix}{held}\n" if held else ""


def _open_end(text: str) -> int:
    """Where something begins that the next piece may complete: a carriage return, or a control sequence."""
    escape = text.rfind("\x1b", max(0, len(text) - 32))
    if escape >= 0 and not any("@" <= character <= "~" for character in text[escape + 2 :]):
        return escape
    return len(text) - 1 if text.endswith("\r") else len(text)
