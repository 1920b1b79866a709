"""`valohai.prepare(…)` as the step that `vh yaml step` makes of it.

| in the script | in the file |
|---|---|
| a number, text or truth value | type and default; a truth value is passed as `--name=true` or `--name=false` |
| a list | `multiple: separate`, as valohai-utils reads it |
| a mapping | the parameter's or input's own properties |
| the address of an input, or several | its default; with a `*` also `keep-directories: suffix` |
| a path of this machine as an input | an optional input without default: Valohai cannot fetch it |
"""

import ast
from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.edit.literals import Literals, NotLiteral
from vhpipe.edit.option_parts import Written, in_order, typed_scalar
from vhpipe.edit.script import DeclaredName, Note, Properties, Scalar

_PARAMETER_KEYS = frozenset(
    {
        "type", "default", "optional", "multiple", "multiple-separator", "choices", "min", "max", "pass-as",
        "pass-true-as", "pass-false-as", "description", "category", "widget",
    }
)  # fmt: skip
_INPUT_KEYS = ("default", "optional", "filename", "keep-directories", "download", "description")
_TEXTS = ("step", "image", "environment", "upload_store")


class PrepareCall(NamedTuple):
    """What the call says; `texts` are its step, image, environment and upload store, as far as they are known."""

    texts: dict[str, str]
    parameters: tuple[DeclaredName, ...]
    inputs: tuple[DeclaredName, ...]
    is_multifile: bool
    is_complete: bool
    notes: tuple[Note, ...]


def read_prepare(node: ast.Call, literals: Literals) -> PrepareCall:
    """What is written in the call; what is only known when the script runs is left out and reported."""
    reading = _PrepareReader(literals)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if None in keywords:
        reading.leave_out(node, "what `**` passes to `prepare` is not read")
    texts = {"step": "default"} | {name: text for name in _TEXTS if (text := reading.text(keywords, name)) is not None}
    if "step" in keywords and not reading.is_known(keywords["step"]):
        del texts["step"]
    parameters = reading.declared(keywords.get("default_parameters"), "parameter")
    inputs = reading.declared(keywords.get("default_inputs"), "input")
    is_multifile = "multifile" in keywords and reading.truth(keywords["multifile"])
    return PrepareCall(texts, parameters, inputs, is_multifile, reading.is_complete, tuple(reading.notes))


class _PrepareReader:
    def __init__(self, literals: Literals) -> None:
        self.literals = literals
        self.is_complete = True
        self.notes: list[Note] = []

    def leave_out(self, node: ast.AST, message: str) -> None:
        self.is_complete = False
        self.note(node, message)

    def note(self, node: ast.AST, message: str) -> None:
        self.notes.append(Note(getattr(node, "lineno", 1), message))

    def is_known(self, node: ast.expr) -> bool:
        try:
            return self.literals.value(node) is not None
        except NotLiteral:
            return False

    def text(self, keywords: dict[str | None, ast.expr], name: str) -> str | None:
        if name not in keywords:
            return None
        try:
            value = self.literals.value(keywords[name])
        except NotLiteral:
            self.note(keywords[name], f"`{name}` is only known when the script runs: left out")
            return None
        return str(value) if value else None

    def truth(self, node: ast.expr) -> bool:
        try:
            return bool(self.literals.value(node))
        except NotLiteral:
            return False

    def declared(self, node: ast.expr | None, kind: str) -> tuple[DeclaredName, ...]:
        """The parameters or inputs of a mapping, one by one, so that one that is not known hides no other."""
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return ()
        found = []
        for name, value, place in self._members(node, kind):
            properties = self._parameter(name, value, place) if kind == "parameter" else self._input(name, value, place)
            if properties is not None:
                found.append(DeclaredName(name, properties))
        return tuple(found)

    def _members(self, node: ast.expr, kind: str) -> list[tuple[str, object, ast.expr]]:
        written = self.literals.items(node)
        if written is None:
            try:
                whole = self.literals.value(node)
            except NotLiteral:
                whole = None
            if not isinstance(whole, dict):
                self.leave_out(node, f"the {kind}s of `prepare` are only known when the script runs: left out")
                return []
            return [(str(name), value, node) for name, value in whole.items()]
        found: list[tuple[str, object, ast.expr]] = []
        for name, value in written:
            try:
                found.append((name, self.literals.value(value), value))
            except NotLiteral:
                shown = " ".join(ast.unparse(value).split())[:60]
                self.leave_out(value, f"{kind} `{name}` is only known when the script runs (`{shown}`): left out")
        return found

    def _parameter(self, name: str, value: object, node: ast.expr) -> Properties | None:
        if isinstance(value, dict):
            return self._parameter_of_mapping(name, value, node)
        if isinstance(value, bool):
            flag: Written = {"type": "flag", "default": value}
            return in_order(flag | {"pass-true-as": f"--{name}=true", "pass-false-as": f"--{name}=false"})
        kind = _kind_of(value)
        if isinstance(value, list) and kind is not None:
            return in_order({"type": kind, "multiple": "separate", "default": _typed_values(value, kind)})
        default = None if kind is None or isinstance(value, list) else typed_scalar(value, kind)
        if kind is None or default is None:
            self.leave_out(node, f"parameter `{name}`: {value!r} cannot be the value of a parameter: left out")
            return None
        return in_order({"type": kind, "default": default})

    def _parameter_of_mapping(self, name: str, value: dict[object, object], node: ast.expr) -> Properties:
        written = self._properties(name, value, node, _PARAMETER_KEYS)
        if "type" not in written:
            kind = _kind_of(written.get("default"))
            written = {"type": "flag" if isinstance(written.get("default"), bool) else kind or "string"} | written
        default = written.get("default")
        if written.get("multiple") in ("repeat", "separate") and default is not None and not isinstance(default, list):
            written["default"] = [default]
        return in_order(written)

    def _properties(
        self, name: str, value: dict[object, object], node: ast.expr, keys: Sequence[str] | frozenset[str]
    ) -> Written:
        written: Written = {}
        for key, item in value.items():
            spelled = str(key).replace("_", "-")
            if spelled not in keys | {"name"} if isinstance(keys, frozenset) else spelled not in (*keys, "name"):
                self.note(node, f"`{name}` has `{key}`, which a file cannot express: left out")
            elif isinstance(item, str | int | float | list) and spelled != "name":
                written[spelled] = item
        return written

    def _input(self, name: str, value: object, node: ast.expr) -> Properties:
        if isinstance(value, dict):
            written = self._properties(name, value, node, _INPUT_KEYS)
            return tuple((key, written[key]) for key in _INPUT_KEYS if key in written)
        given = value if isinstance(value, list) else [] if value is None else [value]
        remote: list[Scalar] = [str(item) for item in given if "://" in str(item)]
        for item in given:
            if str(item) and "://" not in str(item):
                said = f"input `{name}`: `{item}` is a path on this machine, which Valohai cannot fetch: left out"
                self.note(node, f"{said}; `vhpipe run -i {name}={item}` takes it here")
        if not remote:
            return (("optional", True),)
        has_wildcard = any("*" in str(item) for item in remote)
        return (("default", remote), *((("keep-directories", "suffix"),) if has_wildcard else ()))


def _kind_of(value: object) -> str | None:
    """The type of a parameter with this value; of a list, that of all its items."""
    if isinstance(value, list):
        kinds = {_kind_of(item) for item in value}
        if kinds == {"integer", "float"}:
            return "float"
        return kinds.pop() if len(kinds) == 1 else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return "string" if isinstance(value, str) else "integer" if isinstance(value, int) else "float"


def _typed_values(values: list[object], kind: str) -> list[Scalar]:
    return [found for value in values if (found := typed_scalar(value, kind)) is not None]
