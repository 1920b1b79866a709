"""Members of a mapping, whatever stands there: what has a wrong type counts as not written.

The schema has reported it by then; here nothing is reported again.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from vhpipe.config.model import Scalar, Value
from vhpipe.diagnostics import Path

Raw = Mapping[str, Any]
_Choice = TypeVar("_Choice", bound=StrEnum)


def text_of(raw: Raw, key: str) -> str | None:
    value = raw.get(key)
    return value if type(value) is str else None


def name_of(raw: Raw, key: str = "name") -> str:
    """The text, or `""` where the file has none: a diagnostic has said so."""
    value = raw.get(key)
    return value if type(value) is str else ""


def flag_of(raw: Raw, key: str, default: bool = False) -> bool:
    value = raw.get(key)
    return value if type(value) is bool else default


def maybe_flag_of(raw: Raw, key: str) -> bool | None:
    value = raw.get(key)
    return value if type(value) is bool else None


def number_of(raw: Raw, key: str) -> float | None:
    """An integer stays one."""
    value = raw.get(key)
    return value if type(value) is int or type(value) is float else None


def integer_of(raw: Raw, key: str) -> int | None:
    """`3.0` is an integer too, as JSON Schema has it."""
    value = raw.get(key)
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def texts_of(raw: Raw, key: str) -> tuple[str, ...]:
    """The texts of a list; a single text is a list of one."""
    value = raw.get(key)
    if type(value) is str:
        return (value,)
    return tuple(item for item in value if type(item) is str) if type(value) is list else ()


def choice_of(raw: Raw, key: str, choices: Mapping[str, _Choice], default: _Choice) -> _Choice:
    value = raw.get(key)
    return choices.get(value, default) if type(value) is str else default


def scalars_of(raw: Raw, key: str) -> tuple[Scalar, ...]:
    value = raw.get(key)
    return tuple(item for item in value if _is_scalar(item)) if type(value) is list else ()


def value_of(raw: Raw, key: str) -> Value:
    """A scalar, or the scalars of a list; None for nothing and for a mapping."""
    return as_value(raw.get(key))


def as_value(value: object) -> Value:
    if isinstance(value, list):
        return tuple(item for item in value if _is_scalar(item))
    return value if isinstance(value, bool | int | float | str) else None


def mapping_of(raw: Raw, key: str) -> dict[str, Any] | None:
    value = raw.get(key)
    return value if type(value) is dict else None


def objects_of(raw: Raw, key: str, at: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """The mappings in a list, each with its path."""
    value = raw.get(key)
    if type(value) is list:
        for number, item in enumerate(value):
            if type(item) is dict:
                yield item, (*at, key, number)


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float | str)
