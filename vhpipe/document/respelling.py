"""Plain scalars in another spelling. Loaded only where one is needed."""

from typing import Any

from vhpipe.diagnostics import Edit, Fix, Span
from vhpipe.document.spans import span_of_event


def respelling_fix(event: Any, spelling: str, is_safe: bool = True) -> Fix | None:
    """The fix that writes the plain scalar of an event otherwise; an anchor before it stays.

    None for a scalar that has a tag or goes over several lines.
    """
    span, length = span_of_event(event), len(event.value)
    if span.line != span.end_line or event.ctag is not None or span.end_column <= length:
        return None
    written = Span(span.end_line, span.end_column - length, span.end_line, span.end_column)
    return Fix(f"write `{spelling[:60]}`", (Edit(written, spelling),), is_safe)


def quotes_around(event: Any) -> Fix | None:
    """The fix that makes a text of a plain scalar; None for one that needs more than quotes for that."""
    text = event.value
    return None if event.style or '"' in text or "\\" in text else respelling_fix(event, f'"{text}"')
