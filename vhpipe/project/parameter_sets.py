"""Files of parameter sets, one for each execution of a sweep, as `--sets` takes them."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular

if TYPE_CHECKING:
    from vhpipe.config.model import Value
    from vhpipe.plan.sweep_arguments import ParameterSet, ParameterSetFile


def read_parameter_sets(word: str, nodes: Sequence[str]) -> "ParameterSetFile":
    """The sets of `[NODE=]FILE`; `nodes` are the names that may stand before the equals sign.

    Errors: UsageError for a file that cannot be read, or that has none.
    """
    from vhpipe.plan.sweep_arguments import ParameterSetFile

    node, equals, file = word.partition("=")
    if not equals or node not in nodes:
        node, file = "", word
    rows = tuple(_rows(file))
    if not rows:
        raise UsageError(
            f"`--sets {file}` has no parameter set", "write one set per line, below the names of parameters"
        )
    return ParameterSetFile(file, rows, node or None)


def _rows(file: str) -> "Iterator[ParameterSet]":
    content = _content(file)
    ending = os.path.splitext(file)[1].lower()
    if ending in (".json", ".yaml", ".yml"):
        return _from_objects(file, _read_list(file, content))
    text = content.decode("utf-8-sig", "surrogateescape")
    if ending in (".jsonl", ".ndjson"):
        return _from_objects(file, _json_lines(file, text))
    return _from_table(file, text)


def _content(file: str) -> bytes:
    try:
        return read_regular(file, TYPED_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{file}`: {error.strerror or error}") from None


def _from_table(file: str, text: str) -> "Iterator[ParameterSet]":
    """Rows of a CSV file; values stay as written, as those of `-p` do."""
    import csv
    from io import StringIO

    lines = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        _refuse_bad_header(file, names)
        for cells in lines:
            if len(cells) not in (0, len(names)):
                raise UsageError(f"line {lines.line_num} of `{file}` has {len(cells)} values below {len(names)} names")
            if cells:
                yield tuple((name, _utf8(file, cell)) for name, cell in zip(names, cells, strict=True))
    except csv.Error as problem:
        raise UsageError(f"`{file}` cannot be read: {problem} in line {lines.line_num}") from None


def _refuse_bad_header(file: str, names: Sequence[str]) -> None:
    if "" in names:
        raise UsageError(f"`{file}` has a column without a name", "the first line has the names of parameters")
    repeated = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if repeated is not None:
        raise UsageError(f"`{file}` has two columns `{repeated}`")
    for name in names:
        _utf8(file, name)


def _utf8(file: str, text: str) -> str:
    """The text. What is run is recorded as JSON, which cannot hold bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"`{file}` is not UTF-8") from None
    return text


def _read_list(file: str, content: bytes) -> list[object]:
    from vhpipe.document.read import read_document

    document, diagnostics = read_document(content, file)
    fault = next((diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"), None)
    if document is None or fault is not None:
        raise UsageError(f"`{file}` cannot be read: {fault.message if fault else 'it is empty'}")
    if not isinstance(document.data, list):
        raise UsageError(f"`{file}` is not a list of parameter sets", "- {lr: 0.1, epochs: 5}")
    return list(document.data)


def _json_lines(file: str, text: str) -> Iterator[object]:
    import json

    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as problem:
            raise UsageError(f"line {number} of `{file}` is not JSON: {problem}") from None


def _from_objects(file: str, objects: "list[object] | Iterator[object]") -> "Iterator[ParameterSet]":
    for number, item in enumerate(objects, 1):
        if not isinstance(item, dict):
            raise UsageError(f"set {number} of `{file}` is not a mapping of names to values", "{lr: 0.1, epochs: 5}")
        yield tuple((str(name), _plain(file, number, name, value)) for name, value in item.items())


def _plain(file: str, number: int, name: object, data: object) -> "Value":
    from vhpipe.plan.arguments import plain_value

    value = plain_value(data)
    if value is None:
        raise UsageError(f"`{name}` in set {number} of `{file}` is neither a plain value nor a list of them")
    return value
