"""Python code → what it says of itself. The code is parsed, never imported or run."""

import ast
import warnings
from collections.abc import Callable, Iterable

from vhpipe.edit.argparse_reading import argparse_option
from vhpipe.edit.click_reading import click_option
from vhpipe.edit.literals import Literals, name_of
from vhpipe.edit.option_parts import Call, OmittedOption, Option
from vhpipe.edit.prepare_reading import PrepareCall, read_prepare
from vhpipe.edit.script import DeclaredName, Note, Script, ScriptOutput, UnusableScript

_PARSERS = ("ArgumentParser", "ArgParser")
_CLICK_COMMANDS = frozenset({"command", "group"})
_CLICK = ("click", "rich_click", "asyncclick")


def read_script(content: bytes) -> Script | UnusableScript:
    """What a script says by `valohai.prepare`, argparse or click; why not where it says nothing or is no Python.

    Values that are only known when the script runs are left out, with a note each.
    Source: decisions 96 and 97.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        reader = ScriptReader()
        reader.visit(tree)
    except SyntaxError as error:
        return UnusableScript(f"it is not Python: {error.msg}", error.lineno)
    except (ValueError, RecursionError, MemoryError):
        return UnusableScript("it cannot be read as Python")
    return reader.script()


class ScriptReader(ast.NodeVisitor):
    """Walks through a script in the order of its lines."""

    def __init__(self) -> None:
        self.literals = Literals()
        self.modules, self.prepares = {"valohai"}, set[str]()
        self.click_names: dict[str, str] = {}
        self.prepared: PrepareCall | None = None
        self.has_parser = False
        self.click_commands = 0
        self.subparsers: set[str] = set()
        self.options: list[Option] = []
        self.click_options: list[Option] = []
        self.outputs: dict[ScriptOutput, None] = {}
        self.notes: list[Note] = []
        self.is_complete = True

    # ── names ──

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "valohai" and alias.asname:
                self.modules.add(alias.asname)
            if alias.name in _CLICK:
                self.click_names[alias.asname or alias.name] = ""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.module == "valohai" and alias.name == "prepare":
                self.prepares.add(alias.asname or alias.name)
            if node.module in _CLICK:
                self.click_names[alias.asname or alias.name] = alias.name

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.literals.assign(node.target, None)

    def visit_For(self, node: ast.For) -> None:
        self.literals.assign(node.target, None)
        self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        self.literals.assign(target, value)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call) and name_of(value.func) == "add_parser":
            self.subparsers.add(target.id)

    # ── calls ──

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        name = name_of(node.func)
        if name.endswith(_PARSERS):
            self.has_parser = True
        elif self._is_prepare(node.func):
            self._prepare(node)
        elif name == "add_argument" and isinstance(node.func, ast.Attribute):
            self._argparse(node, node.func)
        elif name == "add_subparsers":
            self._leave_out(node, "the options of subcommands are not read: which of them is meant?")
        elif name == "path" and isinstance(node.func, ast.Attribute):
            self._output(node, node.func.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._read_decorator(decorator)
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def _is_prepare(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self.prepares
        return name_of(function) == "prepare" and name_of(getattr(function, "value", function)) in self.modules

    def _prepare(self, node: ast.Call) -> None:
        self.prepared = read_prepare(node, self.literals)
        self.notes += self.prepared.notes

    def _argparse(self, node: ast.Call, function: ast.Attribute) -> None:
        if name_of(function.value) in self.subparsers:
            return
        self._add(node, Call(node, self.literals), argparse_option, self.options)

    def _read_decorator(self, decorator: ast.expr) -> None:
        """What stands above a function: click's commands, options and arguments."""
        node = decorator if isinstance(decorator, ast.Call) else None
        kind = self._kind_of_click(decorator if node is None else node.func)
        if kind in _CLICK_COMMANDS:
            self.click_commands += 1
        elif kind in ("option", "argument") and node is not None:
            call = Call(node, self.literals, is_click=True)
            self._add(node, call, lambda call: click_option(call, kind == "argument"), self.click_options)

    def _kind_of_click(self, function: ast.expr) -> str:
        """`command`, `option`, …, empty where it is not click's; a group's own `command` is one too."""
        if isinstance(function, ast.Name):
            return self.click_names.get(function.id, "")
        if isinstance(function, ast.Attribute) and self.click_names:
            is_click = isinstance(function.value, ast.Name) and function.value.id in self.click_names
            return function.attr if is_click or function.attr in _CLICK_COMMANDS else ""
        return ""

    def _add(
        self, node: ast.Call, call: Call, read: Callable[[Call], Option | OmittedOption], options: list[Option]
    ) -> None:
        found = read(call)
        self.notes += call.notes
        if isinstance(found, Option):
            options.append(found)
        elif found.reason is not None:
            self._leave_out(node, found.reason)

    def _output(self, node: ast.Call, owner: ast.expr) -> None:
        if not isinstance(owner, ast.Call) or name_of(owner.func) != "outputs" or not node.args:
            return
        if name_of(getattr(owner.func, "value", owner.func)) in self.modules:
            folder = self.literals.glob(owner.args[0]) if owner.args else ""
            self.outputs[ScriptOutput(folder, self.literals.glob(node.args[0]))] = None

    def _leave_out(self, node: ast.AST, message: str) -> None:
        self.is_complete = False
        self.notes.append(Note(getattr(node, "lineno", 1), message))

    # ── all of it ──

    def script(self) -> Script | UnusableScript:
        """Positional values go first: argparse wants them in one piece, and an option could take them too."""
        if self.prepared is None and not self.has_parser and not self.click_commands:
            return UnusableScript("it has neither `valohai.prepare` nor options of argparse or click")
        if self.click_commands > 1:
            self.is_complete = False
            self.notes.append(Note(1, "the options of subcommands are not read: which of them is meant?"))
        options = tuple(self.options if self.has_parser else ())
        options += tuple(self.click_options if self.click_commands == 1 else ())
        options = tuple(sorted(options, key=lambda option: not option.is_positional))
        script = Script(
            parameters=_each_once(option.declared for option in options),
            is_complete=self.is_complete,
            outputs=tuple(self.outputs),
            arguments=_arguments(options),
            notes=tuple(sorted(set(self.notes))),
        )
        return script if self.prepared is None else _with_prepared(script, self.prepared, options)


def _each_once(found: Iterable[DeclaredName]) -> tuple[DeclaredName, ...]:
    by_name: dict[str, DeclaredName] = {}
    for item in found:
        by_name.setdefault(item.name, item)
    return tuple(by_name.values())


def _arguments(options: tuple[Option, ...]) -> tuple[str, ...]:
    """`{parameters}`, or word by word where an option has to stand before its values, such ones last."""
    if not options:
        return ()
    if all(option.before is None for option in options):
        return ("{parameters}",)
    words = []
    for option in sorted(options, key=lambda option: option.before is not None):
        words += [option.before] if option.before else []
        words.append(f"{{parameter:{option.declared.name}}}")
    return tuple(words)


def _with_prepared(script: Script, prepared: PrepareCall, options: tuple[Option, ...]) -> Script:
    """What `prepare` says goes first; options of the same name are the same parameters."""
    texts = prepared.texts
    known = {parameter.name for parameter in prepared.parameters}
    more = tuple(parameter for parameter in script.parameters if parameter.name not in known)
    words = _arguments(tuple(option for option in options if option.declared.name not in known))
    words = words if words != ("{parameters}",) else ()
    named = tuple(f"{{parameter:{name}}}" for name in (item.name for item in prepared.parameters))
    return script._replace(
        step=texts.get("step"),
        image=texts.get("image"),
        environment=texts.get("environment"),
        upload_store=texts.get("upload_store"),
        is_prepared=True,
        is_multifile=prepared.is_multifile,
        is_complete=script.is_complete and prepared.is_complete,
        parameters=(*prepared.parameters, *more),
        inputs=prepared.inputs,
        arguments=(*named, *words) if words else ("{parameters}",),
    )
