"""What the user says about a sweep on the command line: ranges of parameters, sets of values, how to search.

lr=0.1,0.01    lr=[0.1, 0.01]      the values themselves
mode="a, b",c  lr=0.1,              in quotes a comma is none; nothing: an optional parameter is not passed
xs=[1,2],[3]   xs=[[1, 2], [3]]     lists as values, for a parameter with `multiple`
lr=linear:0:1:0.1                  from start to end, so far apart
lr=log:1e-4:1e-1:5                 from start to end, so many, each the same factor from the next
lr=random:0:1                      anything between, for a random or bayesian search
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite, log10
from typing import NamedTuple

import msgspec

from vhpipe.config.model import Parameter, ParameterType, Value, VariantRules, VariantStyle
from vhpipe.errors import UsageError
from vhpipe.plan.typed_text import Given, TypedText, arriving, in_texts, read_typed, read_typed_items
from vhpipe.wording import nearest

ParameterSet = tuple[tuple[str, Value], ...]
Number = int | float


class ParameterSetFile(msgspec.Struct, frozen=True):
    """A file of parameter sets, one for each execution, with names as written; `node` is None where it is left open.

    The values of a table are typed texts, for nothing else tells a number from a text there. `texts` has for each value
    of a YAML file how it stands there, one for each of a list.
    """

    file: str
    rows: tuple[ParameterSet, ...]
    node: str | None = None
    is_table: bool = False
    texts: tuple[tuple[tuple[str, ...], ...], ...] = ()

    def set_of(self, index: int, parameters: Mapping[str, Parameter]) -> ParameterSet:
        """One set by the names that the parameters have in the node's step, with values as these get them.

        An optional parameter that other sets have is not passed where this one lacks it. Errors: UsageError.
        """
        row = self.rows[index]
        texts = self.texts[index] if self.texts else ((),) * len(row)
        found = {
            parameters[name].name: self._value(index, parameters[name], value, written)
            for (name, value), written in zip(row, texts, strict=True)
        }
        absent = {each.name: None for each in parameters.values() if each.optional and each.name not in found}
        return tuple({**found, **absent}.items())

    def _value(self, index: int, parameter: Parameter, value: Value, texts: tuple[str, ...]) -> Value:
        try:
            if self.is_table and isinstance(value, str):
                return arriving(parameter, read_typed(value))
            return arriving(parameter, in_texts(value, texts)) if texts else value
        except (ValueError, UsageError) as fault:
            problem = fault.message if isinstance(fault, UsageError) else str(fault)
            hint = fault.hint if isinstance(fault, UsageError) else None
            message = f"`--sets {self.file}`, set {index + 1}: parameter `{parameter.name}`: {problem}"
            raise UsageError(message, hint) from None


class SweepArguments(msgspec.Struct, frozen=True):
    """`ranges` are as typed: `[node.]name=…`. `count`, `search`, `metric` and `target` are for every node swept."""

    ranges: tuple[str, ...] = ()
    sets: tuple[ParameterSetFile, ...] = ()
    search: str | None = None
    count: int | None = None
    metric: str | None = None
    target: float | None = None

    def __bool__(self) -> bool:
        return self != SweepArguments()


class Variation(NamedTuple):
    """How one parameter varies, as a blueprint would say it."""

    style: VariantStyle
    rules: VariantRules


def split_range(typed: str) -> tuple[str, str]:
    """Name and variation of `[node.]name=…`. Errors: UsageError where one of them is missing."""
    name, equals, text = typed.partition("=")
    if not (name and equals and text):
        what = "names no parameter" if equals and not name else "has no values"
        raise UsageError(f"`--sweep {typed}` {what}", _FORMS)
    return name, text


def is_range(text: str) -> bool:
    """Whether it is a range between numbers, and no list of values."""
    kind, colon, _ = text.partition(":")
    return bool(colon) and kind in _RANGES


def variation(text: str, parameter: Parameter) -> Variation:
    """What stands behind the `=` of a sweep: values as those of `-p`, or a range between numbers.

    Raises ValueError whose text is the end of a sentence about the sweep.
    """
    kind, _, rest = text.partition(":")
    if is_range(text):
        names, make = _RANGES[kind]
        return make(*_numbers(kind, names, rest.split(":"), parameter))
    if re.fullmatch(_LIKE_A_RANGE, text):
        _refuse_misspelled(kind)
    return Variation(VariantStyle.MULTIPLE, VariantRules(items=_items(text, parameter)))


_FORMS = "NAME=0.1,0.01 or NAME=linear:START:END:STEP, NAME=log:START:END:COUNT, NAME=random:MIN:MAX"


# ── values one by one ────────────────────────────────────────────────────────────────────────────


def _items(text: str, parameter: Parameter) -> tuple[Value, ...]:
    """The values, each as one for the parameter; of commas and quotes decision 122 speaks."""
    try:
        typed = read_typed_items(text)
    except UsageError as fault:
        raise ValueError(f"cannot be read: {fault.message}; {fault.hint}") from None
    if not typed:
        raise ValueError("is an empty list, which leaves no execution")
    items = tuple(_item(parameter, each) for each in typed)
    seen: set[tuple[type, Value]] = set()
    for item in items:
        if (type(item), item) in seen:  # true is not 1
            raise ValueError(f"has the value `{item}` twice")
        seen.add((type(item), item))
    return items


def _item(parameter: Parameter, typed: Given) -> Value:
    value = arriving(parameter, typed)
    if value == "" and isinstance(typed, TypedText) and not typed.is_quoted:
        raise ValueError('has an empty value between its commas; `""` is how to write an empty text')
    return value


# ── ranges ───────────────────────────────────────────────────────────────────────────────────────


def _linear(start: Number, end: Number, step: Number) -> Variation:
    if step == 0:
        raise ValueError("has the step 0, so it never ends")
    if (end - start) * step < 0:
        raise ValueError(f"leads away from its end: the step has to be {'negative' if end < start else 'positive'}")
    return Variation(VariantStyle.LINEAR, VariantRules(start=start, end=end, step=step))


def _log(start: Number, end: Number, count: Number) -> Variation:
    if start <= 0 or end <= 0:
        raise ValueError("has an end that is not above 0, so it has no logarithm")
    if not isinstance(count, int) or count < 1:
        raise ValueError("has a count that is not a whole number above 0")
    if count == 1 and start != end:
        raise ValueError("has two ends and one value; the count includes both ends")
    return Variation(
        VariantStyle.LOGSPACE, VariantRules(start=log10(start), end=log10(end), size=count, ends=(start, end))
    )


def _random(minimum: Number, maximum: Number) -> Variation:
    if minimum > maximum:
        raise ValueError("has its minimum above its maximum")
    return Variation(VariantStyle.RANDOM, VariantRules(minimum=minimum, maximum=maximum))


_RANGES: dict[str, tuple[tuple[str, ...], Callable[..., Variation]]] = {
    "linear": (("start", "end", "step"), _linear),
    "log": (("start", "end", "count"), _log),
    "random": (("minimum", "maximum"), _random),
}
"""Kind → what its numbers are called, and how they are read."""

_NUMBER = r"(?ia)[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?"
_LIKE_A_RANGE = r"(?ia)[A-Za-z]+(:[+-]?[\d.]+(e[+-]?\d+)?){2,3}"
_LONGEST_NUMBER = 100


def _refuse_misspelled(kind: str) -> None:
    """`lineer:0:1:0.1` is hardly meant as one value."""
    near = nearest(kind, (*_RANGES, "logspace", "uniform"))
    if near is not None:
        meant = {"logspace": "log", "uniform": "random"}.get(near, near)
        raise ValueError(f"has no range `{kind}`; did you mean `{meant}`? A value of this form is written in brackets")


def _numbers(kind: str, names: tuple[str, ...], texts: list[str], parameter: Parameter) -> list[Number]:
    if len(texts) != len(names):
        raise ValueError(f"has {len(texts)} of {len(names)} parts: {kind}:{':'.join(names).upper()}")
    numbers = [_number(name, text) for name, text in zip(names, texts, strict=True)]
    return [_integer(name, number) if _is_integer(name, parameter) else number
            for name, number in zip(names, numbers, strict=True)]  # fmt: skip


def _number(name: str, text: str) -> Number:
    if not re.fullmatch(_NUMBER, text) or len(text) > _LONGEST_NUMBER:
        raise ValueError(f"has the {name} `{text}`, which is not a number")
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    if not isfinite(float(number)):
        raise ValueError(f"has the {name} `{text}`, which is too large")
    return number


def _is_integer(name: str, parameter: Parameter) -> bool:
    return name == "count" or parameter.type is ParameterType.INTEGER


def _integer(name: str, number: Number) -> int:
    if not float(number).is_integer():
        raise ValueError(f"has the {name} `{number}`, which is not an integer")
    return int(number)
