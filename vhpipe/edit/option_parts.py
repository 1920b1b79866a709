"""The parts of options that argparse and click share: a call that defines one, and what becomes of its keywords.

A default that would reach the script as something else than the script's own is left to the script.
"""

import ast
import math
from typing import NamedTuple

from vhpipe.edit.literals import Literals, NotLiteral, name_of
from vhpipe.edit.script import DeclaredName, Note, Scalar, Value

_TYPES = {
    "int": "integer", "float": "float", "str": "string", "Path": "string", "PurePath": "string", "open": "string",
    "FileType": "string", "File": "string", "INT": "integer", "FLOAT": "float", "STRING": "string",
    "IntRange": "integer", "FloatRange": "float", "BOOL": "bool", "bool": "bool", "Choice": "string",
}  # fmt: skip
_ORDER = (
    "type", "default", "optional", "multiple", "multiple-separator", "choices", "min", "max", "pass-as",
    "pass-true-as", "pass-false-as", "description", "category", "widget",
)  # fmt: skip

Written = dict[str, Value]


class Option(NamedTuple):
    """One option as a parameter; `before` is the word that the command has in front of its values."""

    declared: DeclaredName
    is_positional: bool = False
    before: str | None = None


class OmittedOption(NamedTuple):
    """An option that is no parameter; without a reason it is left out because it is none."""

    reason: str | None = None


class Call:
    """A call that defines an option: its words and its keywords, some of which may not be known."""

    def __init__(self, node: ast.Call, literals: Literals, is_click: bool = False) -> None:
        self.line, self.is_click = node.lineno, is_click
        self.keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
        self.is_complete = all(keyword.arg is not None for keyword in node.keywords)
        self.literals = literals
        self.words = [self._literal_or_none(argument) for argument in node.args]
        self.notes: list[Note] = []

    def _literal_or_none(self, node: ast.expr) -> object:
        try:
            return self.literals.value(node)
        except NotLiteral:
            return None

    def has(self, name: str) -> bool:
        return name in self.keywords

    def get(self, name: str) -> object:
        """The value of a keyword; None if it is not given or not known."""
        return self._literal_or_none(self.keywords[name]) if name in self.keywords else None

    def told(self, name: str, of: str) -> object:
        """The value of a keyword; one that is not known is said and counts as not given."""
        if name not in self.keywords:
            return None
        try:
            return self.literals.value(self.keywords[name])
        except NotLiteral:
            written = " ".join(ast.unparse(self.keywords[name]).split())
            self.note(f"{name} of `{of}` is only known when the script runs (`{written[:60]}`): left out")
            return None

    def note(self, message: str) -> None:
        self.notes.append(Note(self.line, message))


def last_name(call: Call, keyword: str) -> str:
    node = call.keywords.get(keyword)
    if isinstance(node, ast.Call):
        node = node.func
    return name_of(node) if node is not None else ""


def add_type(written: Written, call: Call, name: str, is_list: bool) -> None:
    """The type; `bool` takes every text but the empty one for true in argparse, and words in click."""
    spoken = last_name(call, "type")
    if spoken == "FileType" or not call.has("type"):
        spoken = spoken or (_type_of_default(call) if call.is_click else "str")
    kind = _TYPES.get(spoken)
    if kind == "bool" or (kind is None and "bool" in spoken.lower()):
        template = str(written.pop("pass-as", f"--{name}={{value}}"))
        no = "" if spoken == "bool" and not call.is_click else "false"
        written |= {
            "type": "flag",
            "pass-true-as": template.replace("{value}", "true"),
            "pass-false-as": template.replace("{value}", no),
        }
        return
    written["type"] = kind or "string"
    if is_list:
        written["multiple"] = "repeat"


def _type_of_default(call: Call) -> str:
    default = call.get("default")
    first = default[0] if isinstance(default, list) and default else default
    return type(first).__name__ if isinstance(first, bool | int | float) else "str"


def add_default(written: Written, call: Call, name: str, is_required: bool, keep: bool = True) -> None:
    """The default as the script would have it, or that there is none."""
    default = call.told("default", name) if keep and last_name(call, "default") != "SUPPRESS" else None
    if written["type"] == "flag":
        add_flag_default(written, default)
        return
    kind = str(written["type"])
    value = None if default is None else _fitting(default, kind, "multiple" in written)
    if default is not None and (value is None or not _is_same_in_the_script(call, default, kind)):
        call.note(f"default of `{name}` ({default!r}) would reach the script as something else: left to the script")
        value = None
    if value is not None:
        written["default"] = value
    elif not is_required:
        written["optional"] = True


def _is_same_in_the_script(call: Call, default: object, kind: str) -> bool:
    """Whether the default, passed as a text, becomes what it is. Numbers do only where the script makes numbers."""
    items = default if isinstance(default, list) else [default]
    return all(isinstance(item, str) or kind in ("integer", "float") for item in items) or call.is_click


def _fitting(default: object, kind: str, is_list: bool) -> Value | None:
    """The default as a value of the kind; None where it is none."""
    if isinstance(default, list):
        items = [_fitting(item, kind, False) for item in default]
        whole = [item for item in items if item is not None and not isinstance(item, list)]
        return whole if is_list and whole and len(whole) == len(items) else None
    found = typed_scalar(default, kind)
    return [found] if is_list and found is not None else found


def typed_scalar(value: object, kind: str) -> Scalar | None:
    """A value as one of the kind, None where it is none: numbers that a file cannot have are none."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        if kind == "integer":
            return int(value) if not isinstance(value, float) and abs(int(value)) < 2**63 else None
        if kind == "float":
            return float(value) if math.isfinite(float(value)) else None
        return str(value)
    except (ValueError, OverflowError):
        return None


def add_flag_default(written: Written, default: object) -> None:
    if isinstance(default, bool):
        written["default"] = default


def add_choices(written: Written, call: Call, name: str, keyword: str) -> None:
    choices = call.told(keyword, name)
    if isinstance(choices, list) and written["type"] != "flag":
        put_choices(written, choices)


def put_choices(written: Written, choices: list[object]) -> None:
    found = [typed_scalar(choice, str(written["type"])) for choice in choices]
    whole = [choice for choice in found if choice is not None]
    if whole and len(whole) == len(found):
        written["choices"] = list(whole)


def add_description(written: Written, call: Call, name: str) -> None:
    """The help in one line, with what argparse would put in."""
    text = call.told("help", name)
    if not isinstance(text, str) or not text.strip():
        return
    if "%" in text and not call.is_click:
        default = call.get("default")
        text = text.replace("%(default)s", str(default)).replace("%(default)r", repr(default)).replace("%%", "%")
    written["description"] = " ".join(text.split())


def declared(name: str, written: Written) -> DeclaredName:
    return DeclaredName(name, in_order(written))


def in_order(written: Written) -> tuple[tuple[str, Value], ...]:
    """The properties of a parameter in the order in which they are written."""
    return tuple((key, written[key]) for key in _ORDER if key in written)
