"""Fixes in files: applied until none is left, shown as a difference or written."""

import os
from collections.abc import Callable
from typing import NamedTuple

from vhpipe.cli.choosing import Chosen
from vhpipe.cli.loading import LoadedFile, load_content
from vhpipe.diagnostics import Location, Span
from vhpipe.edit.apply import apply_fixes, diff_of

MAX_ROUNDS = 10
"""A fix may let another one be seen; they are few."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Mended(NamedTuple):
    """A file after its fixes: what is left to say, the text, and how many were put in."""

    chosen: Chosen
    text: str
    count: int


def mend(chosen: Chosen, choose_again: Callable[[LoadedFile], Chosen], unsafe: bool) -> Mended | None:
    """The file with all fixes in it, None if it cannot be read. A round that would break the file is left out."""
    document = chosen.loaded.document
    if document is None:
        return None
    text, count = document.text, 0
    for _ in range(MAX_ROUNDS):
        fixed = apply_fixes(text, chosen.diagnostics, _span_of(chosen.loaded), unsafe)
        if not fixed.applied or fixed.text == text:
            break
        again = load_content(fixed.text.encode("utf-8", "surrogatepass"), chosen.loaded.name)
        if again.document is None:
            break
        text, count, chosen = fixed.text, count + len(fixed.applied), choose_again(again)
    return Mended(chosen, text, count)


def difference(chosen: Chosen, mended: Mended) -> str:
    """A unified difference of what the fixes change; empty where they change nothing."""
    document = chosen.loaded.document
    assert document is not None, "only what could be read was mended"
    return diff_of(document.text, mended.text, document.name) if document.text != mended.text else ""


def write_mended(path: str, text: str) -> None:
    """Puts the text into a file that keeps its mode, its byte order mark, and the links that lead to it."""
    from vhpipe.store.atomic import write_atomically

    real = os.path.realpath(path)
    mode = os.stat(real).st_mode & 0o7777
    with open(real, "rb") as file:
        mark = BYTE_ORDER_MARK if file.read(3) == BYTE_ORDER_MARK else b""
    write_atomically(real, mark + text.encode("utf-8"), mode)
    os.chmod(real, mode)


def _span_of(loaded: LoadedFile) -> Callable[[Location | Span], Span]:
    return lambda at: at if isinstance(at, Span) else loaded.source.span(at)
