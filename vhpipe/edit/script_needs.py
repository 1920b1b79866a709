"""What a script asks its step for: parameters and inputs of `valohai`, and options that it must have or knows.

Only what is written out counts: what is known when the script runs is asked for by nobody.
"""

import ast
import warnings
from typing import NamedTuple

from vhpipe.edit.literals import name_of
from vhpipe.edit.option_parts import Call
from vhpipe.edit.script_reading import ScriptReader

_TOLERANT = frozenset({"parse_known_args", "parse_known_intermixed_args", "set_defaults", "add_subparsers"})
_ASKING = frozenset({"parameters", "inputs"})


class ScriptNeeds(NamedTuple):
    """Names that a script asks for, each with its first line.

    `parameters` have no default in the script. `prepared_*` are those of its `valohai.prepare`, `step` is the step of
    that. `required` are option words without which argparse refuses to start. `options` are all option words that it
    knows, None where it may know others, or takes what it does not know.
    """

    parameters: dict[str, int]
    inputs: dict[str, int]
    step: str | None
    prepared_parameters: frozenset[str]
    prepared_inputs: frozenset[str]
    required: dict[str, int]
    options: frozenset[str] | None


def read_needs(content: bytes) -> ScriptNeeds | None:
    """What the script asks for; None if it is no Python that can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        reader = _NeedsReader()
        reader.visit(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return reader.needs()


class _NeedsReader(ScriptReader):
    """Walks through a script as `ScriptReader` does, and takes down what it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self._asking: dict[str, str] = {}
        self._asked: dict[str, dict[str, int]] = {"parameters": {}, "inputs": {}}
        self._required: dict[str, int] = {}
        self._words: set[str] = {"-h", "--help"}
        self._parsers = 0
        self._is_strict = False

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802 - ast calls it so
        super().visit_ImportFrom(node)
        if node.module == "valohai":
            self._asking |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in _ASKING}

    def visit_Call(self, node: ast.Call) -> None:  # noqa: N802 - ast calls it so
        super().visit_Call(node)
        name = name_of(node.func)
        if name == "parse_args":
            self._is_strict = self._is_strict or not node.args
        elif name in _TOLERANT or name == "parse_known_args":
            self.is_complete = False
        elif name == "add_argument":
            self._take_option(node)
        elif name == "ArgumentParser":
            self._parsers += 1
            self.is_complete = self.is_complete and not any(
                word.arg in ("parents", "prefix_chars") for word in node.keywords
            )
        kind = self._asking.get(name, name) if isinstance(node.func, ast.Name) else name
        if kind in _ASKING and self._is_valohai(node.func):
            self._ask(node, kind)

    def _is_valohai(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self._asking
        owner = getattr(function, "value", None)
        return isinstance(owner, ast.Name) and owner.id in self.modules

    def _ask(self, node: ast.Call, kind: str) -> None:
        call = Call(node, self.literals)
        name = call.words[0] if call.words else call.get("name")
        has_default = len(node.args) > 1 or any(keyword.arg == "default" for keyword in node.keywords)
        is_written = bool(node.args) and isinstance(node.args[0], ast.Constant)
        if isinstance(name, str) and is_written and not (kind == "parameters" and has_default):
            self._asked[kind].setdefault(name, node.lineno)

    def _take_option(self, node: ast.Call) -> None:
        call = Call(node, self.literals)
        words = [word for word in call.words if isinstance(word, str)]
        self._words |= set(words)
        if len(words) < len(call.words) or not call.is_complete or not words:
            self.is_complete = False
        elif call.get("required") is True and words[0].startswith("-"):
            self._required[next((word for word in words if word.startswith("--")), words[0])] = node.lineno
        if "BooleanOptionalAction" in ast.dump(node):
            self._words |= {f"--no-{word[2:]}" for word in words if word.startswith("--")}

    def needs(self) -> ScriptNeeds:
        prepared = self.prepared
        is_known = self._is_strict and self._parsers == 1 and self.is_complete and prepared is None
        return ScriptNeeds(
            self._asked["parameters"],
            self._asked["inputs"],
            None if prepared is None else prepared.texts.get("step"),
            frozenset() if prepared is None else frozenset(item.name for item in prepared.parameters),
            frozenset() if prepared is None else frozenset(item.name for item in prepared.inputs),
            self._required if self._parsers == 1 and prepared is None else {},
            frozenset(self._words) if is_known else None,
        )
