"""Tabs where the platform's reader has no patience with them: everywhere but in quotes, blocks of text and comments."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from vhpipe.diagnostics import MAX_OF_A_RULE, Diagnostic, Edit, Fix, Span
from vhpipe.document.parser import event_source, event_types
from vhpipe.document.text import LINE_BREAK


def stray_tabs(text: str, spare_colons: bool) -> Iterator[Diagnostic]:
    """A finding for each run of tabs that PyYAML refuses and other readers skip, in a text that could be read.

    Source: decision 132.
    """
    allowed, plain = _scalars(text, spare_colons)
    starts = [first for first, _ in allowed]
    position, count = text.find("\t"), 0
    while position >= 0 and count < MAX_OF_A_RULE:
        place = bisect_right(starts, position) - 1
        if place >= 0 and position < allowed[place][1]:
            position = text.find("\t", allowed[place][1])
            continue
        end = position
        while text[end : end + 1] == "\t":
            end += 1
        if not _is_in_comment(text, position, allowed):
            count += 1
            yield _stray_tab(text, position, end, is_text=any(first <= position < last for first, last in plain))
        position = text.find("\t", end)


def _scalars(text: str, spare_colons: bool) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where quoted texts and blocks of text are, and where plain ones with a tab are."""
    allowed, plain = [], []
    next_event = event_source(text, spare_colons)
    events = event_types()
    while not isinstance(event := next_event(), events.StreamEndEvent):
        if isinstance(event, events.DocumentEndEvent):
            break
        if isinstance(event, events.ScalarEvent):
            first, last = event.start_mark.index, event.end_mark.index
            if event.style:
                allowed.append((_inside(text, first, event), last))
            elif "\t" in event.value:
                plain.append((first, last))
    return allowed, plain


def _inside(text: str, first: int, event: Any) -> int:
    """Where the text of a scalar begins: behind its quote, or on the line behind `|`."""
    sign = text.find(event.style, first)
    if event.style in "'\"":
        return sign
    line_end = LINE_BREAK.search(text, sign)
    return len(text) if line_end is None else line_end.end()


def _is_in_comment(text: str, position: int, allowed: list[tuple[int, int]]) -> bool:
    line = max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1
    sign = text.find("#", line, position)
    while sign >= 0:
        is_quoted = any(first <= sign < last for first, last in allowed)
        if not is_quoted and (sign == line or text[sign - 1] in " \t\ufeff"):
            return True
        sign = text.find("#", sign + 1, position)
    return False


def _stray_tab(text: str, start: int, end: int, is_text: bool) -> Diagnostic:
    lines = LINE_BREAK.split(text[:start])
    line, column = len(lines), len(lines[-1]) + 1
    at = Span(line, column, line, column + end - start)
    where = "in a text without quotes" if is_text else "between the parts of the file"
    hint = "put the text into quotes, or write spaces" if is_text else "write spaces"
    fix = Fix("write a space", (Edit(at, " "),), is_safe=not is_text)
    return Diagnostic("stray-tab", "error", f"the platform cannot read a file with a tab {where}", at, hint, (), fix)
