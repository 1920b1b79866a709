"""Scalars with an explicit tag of YAML's core: `!!str 5`, `!!float 1`."""

import re

from vhpipe.document.scalars import WORDS, NotReadableError, Scalar, number

_PREFIX = "tag:yaml.org,2002:"
_CORE = frozenset(_PREFIX + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_PLAIN_FLOAT = r"(?a)[-+]?[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?"


def is_core_tag(tag: str) -> bool:
    return tag in _CORE


def by_tag(tag: str, text: str) -> Scalar:
    """The value that a core tag makes of a scalar.

    Errors: NotReadableError where the text is no such value.
    """
    kind = tag.removeprefix(_PREFIX)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool" and isinstance(WORDS.get(text.lower()), bool):
        return WORDS[text.lower()]
    if kind in ("int", "float"):
        value = number(text)
        if kind == "int" and isinstance(value, int):
            return value
        if kind == "float" and (not isinstance(value, str) or re.fullmatch(_PLAIN_FLOAT, text)):
            return float(text.replace("_", "")) if isinstance(value, str) else float(value)
    raise NotReadableError("wrong-tag", f"`{text[:40]}` does not fit the tag `!!{kind}`", "remove the tag")
