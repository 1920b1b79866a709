"""One grammar for values that are typed: after `-p` and `--sweep`, in a cell of a table, in a file of parameters.

5    abc    5" wide     the text itself; a quote inside of it is a character like any other
"a, b"    '5'           in quotes: always text, read as YAML reads it
[1, "a b"]              a list of such values
                        nothing: an optional parameter is not passed
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from vhpipe.config.model import Parameter, ParameterType, Scalar, Value
from vhpipe.diagnostics import Location
from vhpipe.errors import UsageError

if TYPE_CHECKING:
    from vhpipe.document.spans import Document


class TypedText(msgspec.Struct, frozen=True):
    """One value as typed. `native` is what a file's reader makes of it, None where no reader has seen it."""

    text: str
    native: Scalar | None = None
    is_quoted: bool = False


Given = Value | TypedText | tuple[Scalar | TypedText, ...]
"""What the user gives: a typed text, or a value that has its type already, as those of Python and of JSON have."""

QUOTES = ('"', "'")
LIST_HINT = 'a list is written as `[1, 2, 3]` or `["a", "b"]`'


def read_typed(text: str) -> TypedText | tuple[TypedText, ...]:
    """What a typed text says: a list in brackets, a text in quotes, else one value as it stands.

    A list that cannot be read or holds more than plain values, and a quote at the start that does not enclose the
    entire text, raise `UsageError`. Source: decisions 8 and 122.
    """
    if text.startswith("[") and text.endswith("]"):
        items = _read_list(text)
        if any(isinstance(item, tuple) for item in items):
            raise UsageError(f"`{text}` is not a list of plain values", LIST_HINT)
        return tuple(item for item in items if isinstance(item, TypedText))
    return TypedText(unquoted(text), is_quoted=True) if text.startswith(QUOTES) else TypedText(text)


def read_typed_items(text: str) -> list[TypedText | tuple[TypedText, ...]]:
    """The values of a text with commas between them, or of one list in brackets; within it lists are values too.

    Raises as `read_typed` does. Commas in quotes and brackets separate nothing.
    """
    parts = list(_split(text))
    if len(parts) == 1 and text.startswith("[") and text.endswith("]"):
        return list(_read_list(text))
    odd = next((part for part in parts if part.startswith("[") and not part.endswith("]")), None)
    if odd is not None:
        raise UsageError(f"`{odd}` begins with a bracket that does not enclose all of it", f"as a text: '{odd}'")
    return [read_typed(part) for part in parts]


def unquoted(text: str) -> str:
    """The text between quotes that enclose all of it. Errors: UsageError where they do not."""
    document, _ = _read(text)
    if document is not None and isinstance(document.data, str) and _is_one_value(document):
        return document.data
    outer = "'" if text[0] == '"' else '"'
    hint = f"put quotes around all of it: {outer}{text}{outer}" if outer not in text else "double the quotes in it"
    raise UsageError(f"`{text}` begins with a quote that does not enclose all of it", hint)


def in_texts(native: Value, texts: Sequence[str]) -> Given:
    """A value that a file's reader made, with its texts as they stand in the file: one, or one for each of a list."""
    if isinstance(native, tuple):
        return tuple(_in_text(item, text) for item, text in zip(native, texts, strict=True))
    return None if native is None else _in_text(native, texts[0])


def arriving(parameter: Parameter, given: Given, default: Value = None) -> Value:
    """The value that a parameter gets of what was given; None: it is not passed.

    Where the parameter has no `type`, a typed text is read as YAML reads it if the default is a number or true or
    false; without a default that of the pipeline's parameter (`default`), then the choices say what it is.
    What YAML cannot read raises ValueError, whose text is the end of a sentence about the parameter.
    """
    if not isinstance(given, tuple):
        return _arriving(parameter, given, default)
    items = [_arriving(parameter, item, default) for item in given]
    return tuple("" if item is None else item for item in items)


def doubt(parameter: Parameter, given: Given, default: Value = None) -> str | None:
    """What to say of a text that stays one in a parameter of numbers, and that looks like a number: `1e-4`."""
    typed = given if isinstance(given, TypedText) and given.native is None and not given.is_quoted else None
    if typed is None or parameter.type is not ParameterType.STRING or "type" in parameter.written:
        return None
    if not _is_native(parameter, default):
        return None
    from vhpipe.document.scalars import NotReadableError, ambiguity, resolve

    text = typed.text.strip()
    try:
        differs = ambiguity(text, text) if resolve(text) == text else None
    except NotReadableError:
        return None
    return f"{differs.message}; {differs.hint}" if differs else None


def as_yaml(typed: TypedText) -> Scalar | None:
    """The value of a typed text as YAML reads it. Errors: ValueError."""
    if typed.is_quoted or typed.native is not None:
        return typed.text if typed.native is None else typed.native
    from vhpipe.document.scalars import NotReadableError, resolve

    try:
        value = resolve(typed.text.strip())
    except NotReadableError as fault:
        raise ValueError(f"{fault.message}; {fault.hint}") from None
    return typed.text if isinstance(value, str) else value


def spelled(value: Value) -> Value:
    """A value as it has to be typed: a text in quotes where it is empty or begins with a quote or a bracket."""
    if isinstance(value, str) and (not value or value.startswith((*QUOTES, "[", " "))):
        if value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        from json import dumps

        return dumps(value)
    return value


def plain_value(data: object) -> Value:
    """A scalar, or a list of scalars as a tuple; None for all else, also for a list that holds anything else."""
    if isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, list | tuple) and all(isinstance(item, bool | int | float | str) for item in data):
        return tuple(data)
    return None


# ── what is typed ────────────────────────────────────────────────────────────────────────────────


def _in_text(native: Scalar, text: str) -> TypedText:
    return TypedText(native, native, True) if isinstance(native, str) else TypedText(text, native)


def _arriving(parameter: Parameter, given: Scalar | TypedText | None, default: Value) -> Scalar | None:
    if not isinstance(given, TypedText):
        return given
    if parameter.optional and not given.is_quoted and given.native is None and _says_nothing(parameter, given.text):
        return None
    if parameter.type is not ParameterType.STRING:
        return given.text if given.native is None else given.native
    if "type" in parameter.written or given.is_quoted:
        return given.text
    if _is_native(parameter, default):
        return as_yaml(given)
    return given.text if given.native is None else given.native


def _says_nothing(parameter: Parameter, text: str) -> bool:
    """An empty text, and `null` where it cannot be a text."""
    return not text or (parameter.type is not ParameterType.STRING and text == "null")


def _is_native(parameter: Parameter, default: Value) -> bool:
    """Whether the file shows that a parameter without a type is a number, or true or false."""
    for shown in (parameter.default, default, parameter.choices):
        first = shown[:1] if isinstance(shown, tuple) else () if shown is None else (shown,)
        if first:
            return not isinstance(first[0], str)
    return False


# ── what YAML reads ──────────────────────────────────────────────────────────────────────────────


def _read(text: str) -> "tuple[Document | None, str]":
    """A text as a YAML document, or None and what is wrong with it."""
    from vhpipe.document.read import read_document

    document, diagnostics = read_document(text.encode("utf-8", "surrogateescape"), "argument")
    faults = [diagnostic.message for diagnostic in diagnostics if diagnostic.severity == "error"]
    return (None, faults[0]) if faults else (document, "it is empty")


def _is_one_value(document: "Document") -> bool:
    """Whether the value goes to the end of the text: nothing stands behind it, a remark neither."""
    span = document.span(Location(()))
    return (span.end_line, span.end_column) == (len(document.lines), len(document.lines[-1]) + 1)


def _read_list(text: str) -> list[TypedText | tuple[TypedText, ...]]:
    from vhpipe.document.written_texts import written_texts

    document, fault = _read(text)
    if document is None:
        raise UsageError(f"`{text}` is not a list: {fault}", LIST_HINT)
    items = document.data
    if not isinstance(items, list) or not _is_one_value(document):
        raise UsageError(f"`{text}` is not a list of plain values", LIST_HINT)
    found: list[TypedText | tuple[TypedText, ...]] = []
    for number, item in enumerate(items):
        native = plain_value(item)
        if native is None:
            raise UsageError(f"`{text}` is not a list of plain values", LIST_HINT)
        found.append(in_texts(native, written_texts(document, (number,))))  # type: ignore[arg-type]
    return found


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand neither in brackets nor in quotes that begin a part or an item of a list."""
    start, depth, quote, last, escapes = 0, 0, "", ",", 0
    for position, character in enumerate(text):
        if quote:
            is_end = character == quote and not (quote == '"' and escapes % 2)
            escapes = escapes + 1 if character == "\\" else 0
            quote = "" if is_end else quote
        elif character in QUOTES and last in ",[":
            quote = character
        elif character == "[" and last in ",[":
            depth += 1
        elif character == "]" and depth:
            depth -= 1
        elif character == "," and not depth:
            yield text[start:position].strip()
            start = position + 1
        last = character if not character.isspace() else last
    yield text[start:].strip()
