"""Dates where the platform wants a text: it reads what looks like one as a date, which no schema takes for a text."""

from collections.abc import Iterator

from vhpipe.config import written_fixes
from vhpipe.diagnostics import Diagnostic, Location, Path
from vhpipe.document.spans import Document


def misplaced_dates(document: Document) -> Iterator[Diagnostic]:
    """An error for each date that is no value of a parameter. To be asked of a document that has dates.

    Source: decision 1.
    """
    for path, value in _texts(document.data, ()):
        span = document.span(Location(path))
        if (span.line, span.column) in document.dates and not _takes_dates(path):
            message = f"`{path[-1]}` is a date for the platform, but a text is expected"
            fix = written_fixes.quote_scalar(path, document)
            yield Diagnostic("wrong-type", "error", message, Location(path), f'write `"{value}"`', fix=fix)


def _texts(data: object, path: Path) -> Iterator[tuple[Path, str]]:
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in members:
        if isinstance(value, str):
            if value[:4].isdigit() and value[4:5] == "-":
                yield (*path, name), value
        else:
            yield from _texts(value, (*path, name))


def _takes_dates(path: Path) -> bool:
    """Values of parameters, and what no schema of the platform looks into."""
    names = [part for part in path if isinstance(part, str)]
    if names[:1] in (["vhpipe"], ["deployment"]) or not names:
        return True
    is_value = names[-1] in ("default", "choices") and names[-2:-1] == ["parameters"]
    return is_value or "parameter-sets" in names
