"""What a value with references becomes once what it refers to is known. Pure: who knows it is asked by `lookup`."""

from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

from vhpipe.config.model import Scalar, Value
from vhpipe.language.reference import Reference, Template

Lookup = Callable[[Reference], Value]


class UnfillableError(ValueError):
    """A text that has no value in the middle of it, or with `is_list` a list; the message ends a sentence about it."""

    def __init__(self, message: str, is_list: bool = False) -> None:
        super().__init__(message)
        self.is_list = is_list


class FilledValue(NamedTuple):
    """A value in which nothing is left to fill in."""

    value: Value


def resolve(parts: Template, lookup: Lookup) -> Value:
    """The value of a template: of one reference alone what it stands for, else a text.

    What `lookup` raises is not caught; None within a text and a list within a text raise `UnfillableError`.
    """
    first = parts[0] if parts else ""
    if len(parts) == 1 and isinstance(first, Reference):
        return lookup(first)
    return "".join(part if isinstance(part, str) else _within_text(part, lookup(part)) for part in parts)


def fill_pipeline_values(parts: Template, values: Mapping[str, Value]) -> Template | FilledValue:
    """The template with the pipeline's parameters put in; a parameter that `values` does not have is None.

    None or a list within a text raises `UnfillableError`.
    """
    first = parts[0] if parts else ""
    if len(parts) == 1 and isinstance(first, Reference):
        return FilledValue(values.get(first.key)) if first.is_of_pipeline else parts
    left: list[str | Reference] = []
    for part in parts:
        piece = part
        if isinstance(part, Reference) and part.is_of_pipeline:
            piece = _within_text(part, values.get(part.key))
        if isinstance(piece, str) and left and isinstance(left[-1], str):
            left[-1] += piece
        else:
            left.append(piece)
    if all(isinstance(piece, str) for piece in left):
        return FilledValue("".join(str(piece) for piece in left))
    return tuple(left)


def as_text(value: Scalar) -> str:
    """A scalar within a text: as a file would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _within_text(reference: Reference, value: Value) -> str:
    if value is None:
        raise UnfillableError(f"`{reference.text}` has no value")
    if isinstance(value, tuple):
        only = "and only a single value fits into a string"
        raise UnfillableError(f"`{reference.text}` is a list of {len(value)}, {only}", is_list=True)
    return as_text(value)


def parameter_key(reference: Reference, names: Container[str]) -> str:
    """The parameter that a reference means: `lr`, and for those who write sections `Args/lr` too."""
    return reference.key if reference.key in names else reference.key.rpartition("/")[2]
