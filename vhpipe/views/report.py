"""Diagnostics as text: one line each, or with the line of the file and a caret under what is meant."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from vhpipe.diagnostics import SEVERITIES, Diagnostic, Location, Span
from vhpipe.views.safe_text import one_line
from vhpipe.views.snippet import snippet

MAX_RELATED = 4
"""How many second places are shown with their line."""

_STYLES = {"error": "1;31", "warning": "1;33", "info": "1;36", "hint": "1;32", "quiet": "34", "strong": "1"}


class Source(Protocol):
    """What a report needs of a document: its name, its lines, and where its data stands in them."""

    @property
    def name(self) -> str: ...

    @property
    def lines(self) -> Sequence[str]: ...

    def span(self, location: Location) -> Span: ...


class UnreadSource(NamedTuple):
    """A file that is no document: whatever is said about it has a span already."""

    name: str
    lines: Sequence[str] = ()

    def span(self, location: Location) -> Span:
        raise AssertionError(f"nothing was read, so nothing can be located at {location}")


class PlacedDiagnostic(NamedTuple):
    span: Span
    diagnostic: Diagnostic


def placed_diagnostics(document: Source, diagnostics: Iterable[Diagnostic]) -> tuple[PlacedDiagnostic, ...]:
    """The diagnostics with their spans, in the order of their places in the file, each once."""
    found = {PlacedDiagnostic(_span(document, diagnostic.at), diagnostic): None for diagnostic in diagnostics}
    return tuple(sorted(found, key=_order))


def render_full(document: Source, diagnostics: Iterable[Diagnostic], color: bool) -> str:
    """Every diagnostic with its line of the file, hint and second places, a blank line between two.

    Ends with a newline, or is empty where there is nothing to say.
    """
    paint = _painter(color)
    return "\n".join(_full(document, item, paint) for item in placed_diagnostics(document, diagnostics))


def render_concise(document: Source, diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """One line for each diagnostic: `file:line:column: severity: message [rule]`."""
    paint = _painter(color)
    return "".join(_headline(document, item, paint) + "\n" for item in placed_diagnostics(document, diagnostics))


def _full(document: Source, item: PlacedDiagnostic, paint: "_Painter") -> str:
    span, diagnostic = item
    second = [(_span(document, related.at), related.message) for related in diagnostic.related[:MAX_RELATED]]
    digits = len(str(max(place.line for place in (span, *(place for place, _ in second)))))
    lines = [_headline(document, item, paint)]
    lines += _snippet_lines(document, span, digits, "^", "", diagnostic.severity, paint)
    for place, message in second:
        lines += _snippet_lines(document, place, digits, "-", one_line(message), "quiet", paint)
    if diagnostic.hint:
        lines.append(f"{' ' * digits} {paint('=', 'quiet')} {paint('hint:', 'hint')} {one_line(diagnostic.hint)}")
    return "\n".join(lines) + "\n"


def _headline(document: Source, item: PlacedDiagnostic, paint: "_Painter") -> str:
    span, diagnostic = item
    place = paint(f"{one_line(document.name)}:{span.line}:{span.column}:", "strong")
    severity = paint(f"{diagnostic.severity}:", diagnostic.severity)
    return f"{place} {severity} {one_line(diagnostic.message)} {paint(f'[{diagnostic.rule}]', 'quiet')}"


def _snippet_lines(
    document: Source, span: Span, digits: int, mark: str, label: str, style: str, paint: "_Painter"
) -> list[str]:
    """The line of a span behind its number, and the marks under it; nothing where the file has no such line."""
    if span.line > len(document.lines):
        return []
    line = document.lines[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(line) + 1
    shown, before, width = snippet(line, span.column - 1, end - 1)
    bar = paint("|", "quiet")
    marks = " " * before + paint(mark * width + (f" {label}" if label else ""), style)
    return [f"{paint(str(span.line).rjust(digits), 'quiet')} {bar} {shown}".rstrip(), f"{' ' * digits} {bar} {marks}"]


def _span(document: Source, at: Location | Span) -> Span:
    return at if isinstance(at, Span) else document.span(at)


def _order(item: PlacedDiagnostic) -> tuple[Span, int, str, str]:
    return item.span, SEVERITIES.index(item.diagnostic.severity), item.diagnostic.rule, item.diagnostic.message


class _Painter(Protocol):
    def __call__(self, text: str, style: str) -> str: ...


def _painter(color: bool) -> _Painter:
    if not color:
        return lambda text, style: text
    return lambda text, style: f"\x1b[{_STYLES[style]}m{text}\x1b[0m"
