"""Fixes into a text: nothing changes but the places that they name."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from vhpipe.diagnostics import SEVERITIES, Diagnostic, Edit, Fix, Location, Span
from vhpipe.document.text import LINE_BREAK
from vhpipe.edit.spelling import respelled_value

SpanOf = Callable[[Location | Span], Span]


class FixedText(NamedTuple):
    """A text with fixes in it, and the diagnostics whose fixes they are."""

    text: str
    applied: tuple[Diagnostic, ...]


class Replacement(NamedTuple):
    """Characters of a text, from start to end, that become others."""

    start: int
    end: int
    text: str


def apply_fixes(text: str, diagnostics: Sequence[Diagnostic], span_of: SpanOf, unsafe: bool) -> FixedText:
    """The text with every fix that fits into it, unsafe ones only if asked for. `text` has no byte order mark.

    A fix is put in wholly or not at all. Of fixes that overlap the first one wins, errors before warnings; a fix whose
    place cannot be changed alone, such as a text that stands behind an alias or goes over lines, is left out. So is
    the fix of a warning for a value that has an error too: what is meant there is not known.
    """
    starts = line_starts(text)
    taken = _AcceptedReplacements()
    applied = []
    faulty = {span_of(item.at) for item in diagnostics if item.severity == "error"}
    for item in sorted(diagnostics, key=lambda item: SEVERITIES.index(item.severity)):
        if item.fix is None or not (item.fix.is_safe or unsafe):
            continue
        if item.severity != "error" and span_of(item.at) in faulty:
            continue
        found = replacements(text, starts, item.fix, span_of)
        if found is not None and taken.take(found):
            applied.append(item)
    return FixedText(_text_with(text, taken.kept), tuple(applied))


def replacements(text: str, starts: Sequence[int], fix: Fix, span_of: SpanOf) -> tuple[Replacement, ...] | None:
    """What a fix does to the characters of a text; None where one of its places cannot be changed.

    The text of an edit at a span stands in the file as it is. At a location it is the value or the key that is meant,
    and is written in the quotes that stand there.
    """
    found = []
    for edit in fix.edits:
        start, end = _offsets(starts, span_of(edit.at), len(text))
        new = _replacement_text(text[start:end], edit)
        if new is None:
            return None
        found.append(Replacement(start, end, new))
    return tuple(found) if found else None


def exact_fix(text: str, fix: Fix, span_of: SpanOf) -> Fix | None:
    """The fix at spans of a text and in the quotes that it has to be written in; None where it cannot be put in."""
    found = replacements(text, line_starts(text), fix, span_of)
    if found is None:
        return None
    edits = zip(fix.edits, found, strict=True)
    return fix._replace(edits=tuple(Edit(span_of(edit.at), new.text) for edit, new in edits))


def diff_of(before: str, after: str, name: str) -> str:
    """A unified diff with three lines around; empty where the texts are equal. Line ends stay as they are."""
    from difflib import unified_diff

    found = unified_diff(_lines(before), _lines(after), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)


def line_starts(text: str) -> list[int]:
    """The offset of each line's first character."""
    return [0, *(found.end() for found in LINE_BREAK.finditer(text))]


def _offsets(starts: Sequence[int], span: Span, length: int) -> tuple[int, int]:
    def offset(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, length) if line <= len(starts) else length

    return offset(span.line, span.column), offset(span.end_line, span.end_column)


def _replacement_text(old: str, edit: Edit) -> str | None:
    if isinstance(edit.at, Span):
        return edit.text
    return respelled_value(old, edit.text, edit.at.chars)


def _text_with(text: str, kept: Iterable[Replacement]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, new in kept:
        parts += (text[done:start], new)
        done = end
    return "".join((*parts, text[done:]))


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


class _AcceptedReplacements:
    """The replacements that were let in, in the order of the text."""

    def __init__(self) -> None:
        self.kept: list[Replacement] = []

    def take(self, found: Iterable[Replacement]) -> bool:
        """Lets all of a fix in, or nothing. What is there already word for word is not in the way."""
        new = []
        for item in found:
            if self._has(item):
                continue
            if self._is_in_the_way(item):
                return False
            new.append(item)
        for item in new:
            insort(self.kept, item)
        return True

    def _has(self, item: Replacement) -> bool:
        place = bisect_left(self.kept, item)
        return item.start < item.end and place < len(self.kept) and self.kept[place] == item

    def _is_in_the_way(self, item: Replacement) -> bool:
        place = bisect_left(self.kept, item)
        return any(_overlap(item, other) for other in self.kept[max(0, place - 2) : place + 2])


def _overlap(one: Replacement, other: Replacement) -> bool:
    """Two insertions at one place overlap too: which of them is meant to be the first?"""
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return one.start < other.end and other.start < one.end
