"""What the value of a setting can be: one reader a type, for what TOML has and for the text of a variable."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Generic, Literal, NamedTuple, TypeVar

from vhpipe.diagnostics import SEVERITIES

T = TypeVar("T")

Repository = Literal["copy", "link", "in-place"]
Approval = Literal["wait", "reject", "approve"]
Pull = Literal["missing", "always", "never"]
Place = Literal["local", "process", "sandbox", "docker", "podman", "auto"]
ValohaiFolder = Literal["auto", "off", "required"]

Environments = Literal["auto", "requirements", "none"]

REPOSITORIES: tuple[Repository, ...] = ("copy", "link", "in-place")
APPROVALS: tuple[Approval, ...] = ("wait", "reject", "approve")
PULLS: tuple[Pull, ...] = ("missing", "always", "never")
PLACES: tuple[Place, ...] = ("local", "process", "sandbox", "docker", "podman", "auto")
VALOHAI_FOLDERS: tuple[ValohaiFolder, ...] = ("auto", "off", "required")
ENVIRONMENTS: tuple[Environments, ...] = ("auto", "requirements", "none")


class UnfitValueError(ValueError):
    """A value that a setting cannot have. `expected` ends a sentence that begins with the setting; `hint` helps."""

    def __init__(self, expected: str, hint: str | None = None) -> None:
        super().__init__(expected)
        self.expected, self.hint = expected, hint


class ValueType(NamedTuple, Generic[T]):
    """`read` gives the typed value of what TOML has, `data` what a variable's text would be in TOML.

    Both raise UnfitValueError. `name` is for the docs.
    """

    name: str
    read: Callable[[object], T]
    data: Callable[[str], object] = str


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise UnfitValueError("must be a string")


def _path(value: object) -> str:
    if isinstance(value, str) and value and "\0" not in value:
        return value
    raise UnfitValueError("must be a string, the path of a file or folder")


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise UnfitValueError("must be `true` or `false`")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise UnfitValueError("must be a whole number, 1 or more")


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and isfinite(value):
        return float(value)
    raise UnfitValueError("must be a number of seconds, 0 or more")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise UnfitValueError("must be a list of strings")


def _groups(value: object) -> dict[str, tuple[str, ...]]:
    if isinstance(value, dict) and all(map(_is_list_of_texts, value.values())):
        return {name: tuple(names) for name, names in value.items()}
    raise UnfitValueError("must be a table of lists of names", 'such as `wandb = ["WANDB_API_KEY"]`')


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _rules(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise UnfitValueError("must be a list of rules", 'such as `["unfilled-input"]`')


def _amounts(value: object) -> Mapping[str, str]:
    """Amounts by name, each as its text; `gpu=2,mem=32G` is a table written as a text."""
    pairs = value.items() if isinstance(value, dict) else _pairs_in(value)
    found = {str(name).strip(): str(amount).strip() for name, amount in pairs if _is_amount(amount)}
    if len(found) != len(tuple(pairs)) or not all(name and amount for name, amount in found.items()):
        example = 'such as `{ gpu = 2, mem = "32G" }` or `"gpu=2,mem=32G"`'
        raise UnfitValueError("must be amounts by name, each once", example)
    return found


def _pairs_in(value: object) -> tuple[tuple[str, str], ...]:
    texts = value.split(",") if isinstance(value, str) else ()
    return tuple((name, amount) for name, _, amount in (text.partition("=") for text in texts)) or (("", ""),)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _size(value: object) -> int:
    """Bytes of a text such as `8g`."""
    found = re.fullmatch(r"\s*(\d+)\s*([kmgt]?)i?b?\s*", value.lower()) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise UnfitValueError("must be a size", 'such as `"8g"` or `"512m"`')
    return int(found[1]) << 10 * " kmgt".index(found[2] or " ")


def _one_of(choices: tuple[T, ...]) -> Callable[[object], T]:
    def read(value: object) -> T:
        for choice in choices:
            if value == choice:
                return choice
        *others, last = (f"`{choice}`" for choice in choices)
        raise UnfitValueError(f"cannot be `{str(value)[:100]}`", f"write {', '.join(others)} or {last}")

    return read


def _number_in(text: str) -> object:
    """The number that a text spells, else the text."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


_SWITCH_WORDS: dict[str, object] = {"true": True, "1": True, "false": False, "0": False}

TEXT = ValueType("string", _text)
PATH = ValueType("path", _path)
SWITCH = ValueType("true or false", _switch, lambda text: _SWITCH_WORDS.get(text.lower(), text))
COUNT = ValueType("number", _count, _number_in)
SECONDS = ValueType("seconds", _seconds, _number_in)
TEXTS = ValueType("list of names", _texts, lambda text: [name for name in text.split(",") if name])
GROUPS = ValueType("table of lists of names", _groups)
RULES = ValueType("list of rules", _rules)
SEVERITY = ValueType("error, warning, info", _one_of(SEVERITIES))
REPOSITORY = ValueType("copy, link, in-place", _one_of(REPOSITORIES))
APPROVAL = ValueType("wait, reject, approve", _one_of(APPROVALS))
PLACE = ValueType("local, process, sandbox, docker, podman, auto", _one_of(PLACES))
VALOHAI_FOLDER = ValueType("auto, off, required", _one_of(VALOHAI_FOLDERS))
PULL = ValueType("missing, always, never", _one_of(PULLS))
SIZE = ValueType("size", _size)
AMOUNTS = ValueType("table of amounts", _amounts)
ENVIRONMENTS_TYPE = ValueType("auto, requirements, none", _one_of(ENVIRONMENTS))
