"""Files of parameters, as `-P` takes them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Value
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular

if TYPE_CHECKING:
    from vhpipe.document.spans import Document


class WrittenValue(NamedTuple):
    """A value of a file; `texts` is how it stands there, one for each of a list."""

    value: Value
    texts: tuple[str, ...]


def read_parameter_files(names: Sequence[str]) -> Iterator[tuple[str, WrittenValue]]:
    """What the files say, in their order; a parameter of a node has the node before a dot. Null is None."""
    for name in names:
        document = _read_mapping(name)
        yield from _flatten(document, document.data, ())


def _read_mapping(name: str) -> "Document":
    from vhpipe.document.read import read_document

    try:
        content = read_regular(name, TYPED_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{name}`: {error.strerror or error}") from None
    document, diagnostics = read_document(content, name)
    if document is None or any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise _unreadable(name, diagnostics)
    if not isinstance(document.data, dict):
        raise UsageError(f"`{name}` is not a mapping of names to values", "write one `name: value` per line")
    return document


def _unreadable(name: str, diagnostics: tuple[Diagnostic, ...]) -> UsageError:
    error = next(diagnostic for diagnostic in diagnostics if diagnostic.severity == "error")
    line = f" in line {error.at.line}" if isinstance(error.at, Span) else ""
    return UsageError(f"`{name}` cannot be read: {error.message}{line}", error.hint)


def _flatten(
    document: "Document", values: Mapping[str, object], node: tuple[str, ...]
) -> Iterator[tuple[str, WrittenValue]]:
    """Names and values; a mapping below a name is that of a node."""
    from vhpipe.document.written_texts import written_texts
    from vhpipe.plan.typed_text import plain_value

    for key, data in values.items():
        name, value = ".".join((*node, key)), plain_value(data)
        if value is not None or data is None:
            yield name, WrittenValue(value, written_texts(document, (*node, key)))
        elif isinstance(data, dict) and not node:
            yield from _flatten(document, data, (key,))
        else:
            raise UsageError(f"`{name}` in `{document.name}` is neither a plain value nor a list of them")
