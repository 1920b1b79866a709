"""Values → the text of a YAML file, in the spelling that every reader takes for the same."""

import re
from collections.abc import Mapping, Sequence

from vhpipe.document.scalars import RESERVED, WORDS, NotReadableError, ambiguity, resolve

Scalar = str | int | float | bool
Tree = Scalar | Sequence["Tree"] | Mapping[str, "Tree"]

_PLAIN = re.compile(r"(?:[^\W\d]|[./]|--?(?=\w))(?:[^\s#:\"\\]| (?=[^#\s])|:(?=[^\s])|#)*")
_NEEDS_QUOTES_IN_FLOW = re.compile(r"[\[\]{},?]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar_text(value: Scalar, in_flow: bool = False) -> str:
    """A value on one line. Texts that a reader could take for something else are quoted.

    `in_flow` is inside of brackets, where commas and brackets end a value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, int):
        return str(value)
    return value if _is_plain(value, in_flow) else f'"{"".join(map(_escape_sequence, value))}"'


def flow_text(value: Tree) -> str:
    """A value with all that is in it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_text(key, True)}: {flow_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    return scalar_text(value, in_flow=True)


def block_lines(value: Mapping[str, Tree]) -> list[str]:
    """A mapping as lines without a margin. Lists of mappings stand one below the other, other lists on one line."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, Mapping):
            lines += [f"{key}:", *(f"  {line}" for line in block_lines(item))]
        elif _is_list_of_mappings(item):
            lines.append(f"{key}:")
            assert not isinstance(item, bool | int | float)
            for member in item:
                assert isinstance(member, Mapping)
                lines += [f"  {line}" for line in item_lines(member)]
        else:
            lines.append(f"{key}: {scalar_text(item) if isinstance(item, Scalar) else flow_text(item)}")
    return lines


def item_lines(value: Mapping[str, Tree]) -> list[str]:
    """A mapping as the item of a list, without a margin."""
    first, *rest = block_lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _is_list_of_mappings(value: Tree) -> bool:
    return isinstance(value, Sequence) and bool(value) and isinstance(value[0], Mapping)


def _float_text(value: float) -> str:
    """With a point, without which YAML 1.1 takes `1e-05` for a text, and a sign in the exponent."""
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{sign}{exponent}"


def _is_plain(text: str, in_flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or text in WORDS or text in RESERVED or not text.isprintable():
        return False
    if " #" in text or (in_flow and (_NEEDS_QUOTES_IN_FLOW.search(text) or ":" in text)):
        return False
    try:
        value = resolve(text)
    except NotReadableError:
        return False
    return isinstance(value, str) and ambiguity(text, value) is None


def _escape_sequence(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and character != "\ufeff":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
