"""Plain scalars as they stand in the text, of which the data have only the value: `3.10`, not 3.1."""

from vhpipe.diagnostics import Location, Path
from vhpipe.document.scalars import NotReadableError, ambiguity, resolve
from vhpipe.document.spans import Document, value_at


def written_texts(document: Document, path: Path) -> tuple[str, ...]:
    """The texts of the scalar at a path, or of each scalar of the list there."""
    data = value_at(document.data, path)
    if isinstance(data, list):
        return tuple(written_text(document, (*path, number)) for number in range(len(data)))
    return (written_text(document, path),)


def written_text(document: Document, path: Path) -> str:
    """The text of a plain scalar as written; of all others, and behind anchors and tags, the text of the value."""
    value = value_at(document.data, path)
    if isinstance(value, str) or value is None:
        return value or ""
    span = document.span(Location(path))
    written = document.lines[span.line - 1][span.column - 1 : span.end_column - 1]
    spelling = str(value).lower() if isinstance(value, bool) else str(value)
    return written if span.line == span.end_line and _means(written, value) else spelling


def portable_text(document: Document, path: Path) -> str | None:
    """The text of a plain scalar, None where YAML 1.2 reads another value in it: that is said anyway."""
    text, value = written_text(document, path), value_at(document.data, path)
    return None if ambiguity(text, value) else text


def _means(text: str, value: object) -> bool:
    try:
        read = resolve(text)
    except NotReadableError:
        return False
    return type(read) is type(value) and read == value
