"""Bytes of a YAML file to a document, with a diagnostic and a place for all that is wrong."""

from typing import Any

from vhpipe.diagnostics import Diagnostic, RelatedPlace, Span
from vhpipe.document.build import Builder, StopReadingError
from vhpipe.document.parser import event_source, refuses_inner_colon
from vhpipe.document.spans import Document, Places
from vhpipe.document.syntax import explain
from vhpipe.document.text import read_text


def read_document(content: bytes, name: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The document that the bytes of a file spell, and what is wrong with it.

    The document is None where reading had to stop; beside errors that let it go on (a duplicate key: the last wins,
    as on the platform) it is there. Its data are plain dicts, lists and scalars, as PyYAML reads them; dates stay
    strings. An empty file is a document of None, not an error. Never raises, whatever the bytes are.
    Source: decisions 1 to 3.
    """
    text, fault = read_text(content)
    if text is None:
        return None, (fault,) if fault else ()
    builder, data, error = _build(text, spare_colons=False)
    spares_colons = error is not None and refuses_inner_colon(error)
    if spares_colons:
        builder, data, error = _build(text, spare_colons=True)
    if "\t" in text and error is None:
        from vhpipe.document.tabs import stray_tabs  # few files have any

        for fault in stray_tabs(text, spares_colons):
            builder.add_fault(fault)
    if error is not None and not isinstance(error, StopReadingError):
        builder.add_fault(explain(error, text, builder.last_event))
    places = Places(text) if any(fault.rule == "duplicate-key" for fault in builder.errors) else None
    document = None if error is not None else Document(name, text, data, places, frozenset(builder.dates))
    errors = _with_first_keys(builder.errors, places) if places else builder.errors
    return document, (*errors, *builder.warnings)


def _build(text: str, spare_colons: bool) -> tuple[Builder, Any, Exception | None]:
    builder = Builder()
    try:
        return builder, builder.build(event_source(text, spare_colons)), None
    except Exception as error:  # whatever a parser raises: it has no other words for a broken file
        return builder, None, error


def _with_first_keys(errors: list[Diagnostic], places: Places) -> list[Diagnostic]:
    """Duplicate keys with the place of the first one, which only the index of places knows."""
    found = []
    for error in errors:
        assert isinstance(error.at, Span), "the reader speaks of spans only"
        first = places.repeats.get((error.at.line, error.at.column))
        if error.rule == "duplicate-key" and first is not None:
            error = error._replace(related=(RelatedPlace(places.span(first), "first here"),))
        found.append(error)
    return found
