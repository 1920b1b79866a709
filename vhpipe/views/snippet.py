"""One line of a file as a terminal shows it, cut where it is long, and where in it a part of it stands."""

from vhpipe.views.safe_text import one_line

MAX_CELLS = 110
"""Cells of a line that are shown."""
CONTEXT_CELLS = 40
"""Cells of a cut line that stay before the part that is meant."""
TAB_CELLS = 4
ELLIPSIS = "…"


def snippet(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The shown text, the cells before the part from character `start` to `end`, and its width in cells, at least 1.

    Tabs become spaces, unsafe characters escapes. Of a long line the part around `start` is shown.
    """
    start = max(0, min(start, len(line)))
    first, last = _window(line, start)
    head = ELLIPSIS if first else ""
    tail = ELLIPSIS if last < len(line) else ""
    shown = head + "".join(map(_visible_character, line[first:last])) + tail
    before = len(head) + _cells(line[first:start])
    return shown, before, max(1, _cells(line[start : max(start, min(end, last))]))


def _window(line: str, start: int) -> tuple[int, int]:
    """The characters to show, such that `start` is among them and they fit."""
    if len(line) * TAB_CELLS <= MAX_CELLS or (len(line) <= MAX_CELLS and _cells(line) <= MAX_CELLS):
        return 0, len(line)
    first, room = start, CONTEXT_CELLS
    while first > 0 and (room := room - _cells(line[first - 1])) >= 0:
        first -= 1
    last, room = first, MAX_CELLS
    while last < len(line) and (room := room - _cells(line[last])) >= 0:
        last += 1
    return first, last


def _visible_character(character: str) -> str:
    return " " * TAB_CELLS if character == "\t" else one_line(character)


def _cells(text: str) -> int:
    """The width of a text as shown: wide characters take two cells, combining ones none."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_character_cells, text))


def _character_cells(character: str) -> int:
    from unicodedata import combining, east_asian_width

    shown = _visible_character(character)
    if len(shown) > 1:
        return len(shown)
    if combining(character) or character in "\u200b\u200c\u200d\ufe0e\ufe0f":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
