"""Bytes to text that a YAML parser can be trusted with: size, encoding, characters."""

import re

from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.document.limits import MAX_BYTES, MAX_DIRECTIVES

LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FORBIDDEN_ASCII = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORBIDDEN = "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Not compiled here: that takes 8 ms, and most files are ASCII."""
_DIRECTIVE = re.compile(r"(?:^|[\r\n])%")
_OTHER_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def read_text(content: bytes) -> tuple[str | None, Diagnostic | None]:
    """The text of a file without its byte order mark, or what forbids reading it.

    Source: decision 2.
    """
    if len(content) > MAX_BYTES:
        message = f"the file has {len(content):,} bytes, but at most {MAX_BYTES:,} are allowed"
        return None, Diagnostic("file-too-big", "error", message, Span(1, 1, 1, 1), "split it into several files")
    text, fault = _decode(content)
    if text is None:
        return None, fault
    fault = _bad_character(text) or _too_many_directives(text)
    return (None, fault) if fault else (text, None)


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = LINE_BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1


def _decode(content: bytes) -> tuple[str | None, Diagnostic | None]:
    for mark, encoding in _OTHER_ENCODINGS:
        if content.startswith(mark):
            message = f"the file is {encoding}, but UTF-8 is needed"
            return None, Diagnostic("not-utf-8", "error", message, Span(1, 1, 1, 1), "save it as UTF-8")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        good = error.object[: error.start].decode("utf-8", "replace")
        line, column = place_of(good, len(good))
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return None, Diagnostic("not-utf-8", "error", message, Span(line, column, line, column + 1), "save it as UTF-8")


def _bad_character(text: str) -> Diagnostic | None:
    found = _FORBIDDEN_ASCII.search(text) if text.isascii() else re.search(_FORBIDDEN, text)
    if found is None:
        return None
    line, column = place_of(text, found.start())
    message = f"character U+{ord(found[0]):04X} does not belong in a YAML file"
    hint = "remove it, or write it as an escape inside double quotes"
    return Diagnostic("bad-character", "error", message, Span(line, column, line, column + 1), hint)


def _too_many_directives(text: str) -> Diagnostic | None:
    if "%" not in text:
        return None
    for count, found in enumerate(_DIRECTIVE.finditer(text)):
        if count == MAX_DIRECTIVES:
            line, column = place_of(text, found.end() - 1)
            message = f"more than {MAX_DIRECTIVES} lines begin with `%`"
            return Diagnostic("too-many-directives", "error", message, Span(line, column, line, column + 1))
    return None
