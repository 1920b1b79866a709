"""Files of parameters, as `-P` takes them."""

from collections.abc import Iterator, Mapping, Sequence

from vhpipe.config.model import Value
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular


def read_parameter_files(names: Sequence[str]) -> Iterator[tuple[str, Value]]:
    """What the files say, in their order; a parameter of a node has the node before a dot."""
    for name in names:
        yield from _flatten(name, _read_mapping(name), "")


def _read_mapping(name: str) -> Mapping[str, object]:
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
    return document.data


def _unreadable(name: str, diagnostics: tuple[Diagnostic, ...]) -> UsageError:
    error = next(diagnostic for diagnostic in diagnostics if diagnostic.severity == "error")
    line = f" in line {error.at.line}" if isinstance(error.at, Span) else ""
    return UsageError(f"`{name}` cannot be read: {error.message}{line}", error.hint)


def _flatten(file: str, values: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Value]]:
    """Names and values; a mapping below a name is that of a node."""
    from vhpipe.plan.arguments import plain_value

    for name, data in values.items():
        value = plain_value(data)
        if value is not None:
            yield prefix + name, value
        elif isinstance(data, dict) and not prefix:
            yield from _flatten(file, data, f"{name}.")
        else:
            raise UsageError(f"`{prefix}{name}` in `{file}` is neither a plain value nor a list of them")
