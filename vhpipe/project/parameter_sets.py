"""Files of parameter sets, one for each execution of a sweep, as `--sets` takes them."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular
from vhpipe.wording import counted

if TYPE_CHECKING:
    from vhpipe.config.model import Value
    from vhpipe.document.spans import Document
    from vhpipe.plan.sweep_arguments import ParameterSet, ParameterSetFile


def read_parameter_sets(word: str, nodes: Sequence[str]) -> "ParameterSetFile":
    """The sets of `[NODE=]FILE`; `nodes` are the names that may stand before the equals sign.

    Errors: UsageError for a file that cannot be read, or that has none.
    """
    from msgspec import structs

    node, equals, file = word.partition("=")
    if not equals or node not in nodes:
        node, file = "", word
    found = _read_sets(file)
    if not found.rows:
        raise UsageError(
            f"`--sets {file}` has no parameter set", "write one set per line, below the names of parameters"
        )
    return structs.replace(found, node=node or None)


def _read_sets(file: str) -> "ParameterSetFile":
    from vhpipe.plan.sweep_arguments import ParameterSetFile

    content = _content(file)
    ending = os.path.splitext(file)[1].lower()
    if ending in (".json", ".yaml", ".yml"):
        document = _read_list(file, content)
        rows = tuple(_from_objects(file, document.data))
        return ParameterSetFile(file, rows, texts=_texts(document, rows) if ending != ".json" else ())
    text = content.decode("utf-8-sig", "surrogateescape")
    if ending in (".jsonl", ".ndjson"):
        return ParameterSetFile(file, tuple(_from_objects(file, _json_lines(file, text))))
    return ParameterSetFile(file, tuple(_from_table(file, text)), is_table=True)


def _texts(document: "Document", rows: "tuple[ParameterSet, ...]") -> tuple[tuple[tuple[str, ...], ...], ...]:
    from vhpipe.document.written_texts import written_texts

    return tuple(tuple(written_texts(document, (number, name)) for name, _ in row) for number, row in enumerate(rows))


def _content(file: str) -> bytes:
    try:
        return read_regular(file, TYPED_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{file}`: {error.strerror or error}") from None


def _from_table(file: str, text: str) -> "Iterator[ParameterSet]":
    """Rows of a CSV file; each cell is a typed text, as behind `-p`. Blanks before a cell are none of it."""
    import csv
    from io import StringIO

    lines = csv.reader(StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        _refuse_bad_header(file, names)
        for cells in lines:
            if len(cells) not in (0, len(names)):
                found = f"{counted(len(cells), 'value')} below {counted(len(names), 'name')}"
                raise UsageError(f"line {lines.line_num} of `{file}` has {found}")
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


def _read_list(file: str, content: bytes) -> "Document":
    from vhpipe.document.read import read_document

    document, diagnostics = read_document(content, file)
    fault = next((diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"), None)
    if document is None or fault is not None:
        raise UsageError(f"`{file}` cannot be read: {fault.message if fault else 'it is empty'}")
    if not isinstance(document.data, list):
        raise UsageError(f"`{file}` is not a list of parameter sets", "- {lr: 0.1, epochs: 5}")
    return document


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
    from vhpipe.plan.typed_text import plain_value

    value = plain_value(data)
    if value is None and data is not None:
        raise UsageError(f"`{name}` in set {number} of `{file}` is neither a plain value nor a list of them")
    return value
