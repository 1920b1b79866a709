"""Fixes that need to see how something is written: quotes that are missing, keys that stand too far to the left."""

from typing import Any

from vhpipe.diagnostics import Edit, Fix, Location, Path, Span
from vhpipe.document.spans import Document
from vhpipe.wording import is_same_but_for_case, the_one_meant

_COMMANDS = frozenset(("command", "server-command"))
_ODD_START = frozenset("&*!|>\"'")


def rename_key(path: Path, meant: str, is_safe: bool) -> Fix:
    """The last key of a path, called otherwise."""
    return Fix(f"write `{meant}`", (Edit(Location(path, "key"), meant),), is_safe)


def choose_word(path: Path, written: object, words: list[str]) -> Fix | None:
    """The one word that a value is nearest to. Safe where only the case of its letters is wrong."""
    meant = the_one_meant(written, words) if isinstance(written, str) else None
    if meant is None or not isinstance(written, str):
        return None
    is_safe = is_same_but_for_case(written, meant)
    return Fix(f"write `{meant}`", (Edit(Location(path), meant),), is_safe)


def quote_scalar(path: Path, document: Document) -> Fix | None:
    """Quotes around a bare number or word where a text is wanted."""
    span = document.span(Location(path))
    written = _written_text(document, span)
    if written is None or not written or written[0] in _ODD_START:
        return None
    return _quotes_around(span, written)


def quote_braces(path: Path, key: str, document: Document) -> Fix | None:
    """Quotes around `{parameters}`, which YAML takes for a mapping."""
    span = document.span(Location(path))
    written = _written_text(document, span)
    if written is None or not written.startswith("{") or not written.endswith("}"):
        return None
    return _quotes_around(span, written, is_safe=written[1:-1].strip() == key)


def quote_command(path: Path, document: Document) -> Fix | None:
    """Quotes around a command with `: ` in it, which YAML takes for a mapping. None elsewhere: there it may be one."""
    span = document.span(Location(path))
    written = _written_text(document, span)
    if written is None or not _COMMANDS.intersection(map(str, path[-2:])) or written[:1] in ("", "{"):
        return None
    return None if written[0] in "&*!" else _quotes_around(span, written)


def indent_beside(kind_at: Path, beside: list[str], document: Document, is_safe: bool) -> Fix | None:
    """Two more spaces before all lines of the keys that stand under an empty `kind:` instead of inside it."""
    kind = document.span(Location(kind_at, "key"))
    spans = [document.span(Location((*kind_at[:-1], key), "key")) for key in beside]
    if not all(_begins_a_line(document, span) and span.column == kind.column for span in spans):
        return None
    if min(spans).line <= kind.line:
        return None
    last = max(document.span(Location((*kind_at[:-1], key))).end_line for key in beside)
    title = f"indent it under `{kind_at[-1]}:`"
    return _indent(document, min(spans).line, max(last, max(spans).line), 2, title, is_safe)


def indent_into(kind_at: Path, key: str, document: Document, is_safe: bool) -> Fix | None:
    """As many spaces before a key, and all that belongs to it, as the members of the mapping above it have."""
    members = document.span(Location(kind_at))
    place = document.span(Location((*kind_at[:-1], key), "key"))
    shift = members.column - place.column
    if shift <= 0 or not _begins_a_line(document, place) or not _begins_a_line(document, members):
        return None
    last = document.span(Location((*kind_at[:-1], key))).end_line
    if any(line.strip() and not line.lstrip().startswith("#") for line in _between(document, members, place)):
        return None
    return _indent(document, place.line, max(place.line, last), shift, f"indent it under `{kind_at[-1]}:`", is_safe)


def _between(document: Document, above: Span, below: Span) -> tuple[str, ...]:
    """The lines between two places, none if they are not in this order."""
    return document.lines[above.end_line : below.line - 1] if above.end_line < below.line else ("never",)


def _indent(document: Document, first: int, last: int, by: int, title: str, is_safe: bool) -> Fix | None:
    """Empty lines stay empty. None for lines with tabs in their margin, which no space belongs before."""
    lines = range(first, last + 1)
    if any(document.lines[line - 1][:1] == "\t" for line in lines):
        return None
    filled = (line for line in lines if document.lines[line - 1])
    edits = tuple(Edit(Span(line, 1, line, 1), " " * by) for line in filled)
    return Fix(title, edits, is_safe)


def _begins_a_line(document: Document, span: Span) -> bool:
    return not document.lines[span.line - 1][: span.column - 1].strip()


def _written_text(document: Document, span: Span) -> str | None:
    """What stands at a place of one line."""
    if span.line != span.end_line:
        return None
    return document.lines[span.line - 1][span.column - 1 : span.end_column - 1]


def _quotes_around(span: Span, written: str, is_safe: bool = True) -> Fix:
    quoted = f'"{written}"' if '"' not in written and "\\" not in written else "'" + written.replace("'", "''") + "'"
    return Fix(f"write `{quoted[:60]}`", (Edit(span, quoted),), is_safe)


def moved_inside(item: dict[str, Any], kind: str, beside: list[str]) -> dict[str, Any]:
    """An item whose keys beside `kind` stand inside it."""
    own = item[kind] if isinstance(item[kind], dict) else {}
    return {kind: {**own, **{key: item[key] for key in beside}}}
