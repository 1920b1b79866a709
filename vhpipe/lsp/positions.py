"""Places as reports have them (from 1, in characters) and as editors have them (from 0, in units of an encoding)."""

from collections.abc import Callable

from lsprotocol.types import Position, Range

from vhpipe.diagnostics import Span
from vhpipe.document.text import LINE_BREAK

BYTE_ORDER_MARK = "\ufeff"


def _utf_16(character: str) -> int:
    return 2 if character > "\uffff" else 1


def _utf_8(character: str) -> int:
    return len(character.encode("utf-8", "surrogatepass"))


UNITS: dict[str, Callable[[str], int]] = {"utf-16": _utf_16, "utf-8": _utf_8, "utf-32": len}
"""How many units of a position a character takes, by what the editor and the server have agreed upon."""


class Positions:
    """The lines of a text as an editor has it, and both kinds of places in it.

    A byte order mark is a character for the editor and none for the reader. Places outside of the text are moved to
    the nearest one inside.
    """

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.has_mark = text.startswith(BYTE_ORDER_MARK)
        self.lines: tuple[str, ...] = tuple(LINE_BREAK.split(text.removeprefix(BYTE_ORDER_MARK)))
        self._units = UNITS[encoding]
        self._mark_units = self._units(BYTE_ORDER_MARK) if self.has_mark else 0

    def range_of(self, span: Span) -> Range:
        """The place of a span, as the editor counts."""
        return Range(self.position(span.line, span.column), self.position(span.end_line, span.end_column))

    def position(self, line: int, column: int) -> Position:
        """The place of a line and a column, both from 1, as the editor counts."""
        if line > len(self.lines):
            line, column = len(self.lines), len(self.lines[-1]) + 1
        before = self.lines[line - 1][: max(0, column - 1)]
        units = len(before) if before.isascii() else sum(map(self._units, before))
        return Position(line - 1, units + (self._mark_units if line == 1 else 0))

    def place(self, position: Position) -> tuple[int, int]:
        """Line and column, both from 1, of a place of the editor; inside a pair of units the character counts."""
        if position.line >= len(self.lines):
            return len(self.lines), len(self.lines[-1]) + 1
        line = self.lines[position.line]
        left = position.character - (self._mark_units if position.line == 0 else 0)
        column = 1
        for character in line:
            left -= self._units(character)
            if left < 0:
                break
            column += 1
        return position.line + 1, column
