"""What of a script counts for one of its functions that runs as a step: all but what cannot have been reached from it.

The step's process runs the top level of the script, where the names of `vhpipe.api` stand for nothing, and then calls
the function. So the bodies of functions that nothing there names, what is guarded by `__name__`, and the statements
that build and start the pipeline do not count. Classes count entirely. A name in a text counts as named. Where names
may be looked up in any other way all of the script counts. Source: decision 170.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

API = "vhpipe.api"
PIPELINES = ("Pipeline", "PipelineController")
STARTING = frozenset({"start", "start_locally", "run", "wait"})
PUBLISHING = frozenset({"upload_artifact", "upload_model", "get_logger"})
"""What pipelines do in a step too."""
LOOKING_UP = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "compile", "__import__"})
"""Functions of Python by which a name can be reached that stands nowhere."""
LOOKED_AT = frozenset(
    {
        "__dict__", "__globals__", "__code__", "__module__", "__builtins__", "f_globals", "import_module", "getmembers",
        "getmodule", "attrgetter", "methodcaller", "modules", "find_class",
    }
)  # fmt: skip
"""Attributes and imported names by which that can be done."""
LOOKERS = frozenset(
    {
        "__main__", "builtins", "cloudpickle", "code", "dill", "doctest", "fire", "gc", "importlib", "inspect", "pdb",
        "runpy", "typeguard", "unittest",
    }
)  # fmt: skip
"""Modules that do it, or read sources."""
PLAIN = (ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.keyword, ast.Load, ast.UnaryOp, ast.USub)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Part(NamedTuple):
    """A statement of the top level; `name` where it is a function that nothing but its name leads to."""

    statement: ast.stmt
    name: str = ""
    is_pipeline: bool = False
    """Whether it is a function that builds a pipeline, whose body does not run in a step."""


def reached_text(source: bytes, function: str) -> str | None:
    """What counts of a script for a function, without comments and layout; None where all of the file counts."""
    try:
        parts = tuple(_parts(ast.parse(source).body))
        kept = tuple(_reached(parts, function.partition(".")[0]))
        if any(_looks_up(part.statement) for part in kept):
            return None
        return "\n".join(f"pipeline {part.name}" if part.is_pipeline else ast.dump(part.statement) for part in kept)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _reached(parts: Sequence[_Part], function: str) -> Iterator[_Part]:
    words = {function}
    for part in parts:
        if not part.name:
            words |= _words(part.statement)
    waiting = [part for part in parts if part.name]
    while found := [part for part in waiting if part.name in words]:
        waiting = [part for part in waiting if part.name not in words]
        for part in found:
            if part.name == function or not part.is_pipeline:
                words |= _words(part.statement)
    for part in parts:
        if not part.name or part.name in words:
            yield part._replace(is_pipeline=False) if part.name == function else part


def _words(statement: ast.stmt) -> set[str]:
    """All names in a statement, however they are written."""
    found: set[str] = set()
    for node in ast.walk(statement):
        for _, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else (value,):
                if isinstance(each, str):
                    found.update(re.findall(r"\w+", each))
                elif isinstance(each, bytes):
                    found.update(re.findall(r"\w+", each.decode("latin-1")))
    return found


# ── what stands at the top level ─────────────────────────────────────────────────────────────────────


def _parts(body: Sequence[ast.stmt]) -> Iterator[_Part]:
    """The statements that a step's process runs and that do something there."""
    ours = _names_of_api(body)
    pipelines = {name for name, meant in ours.items() if meant == "a pipeline"}
    for statement in body:
        method, arguments = _call_of(statement, pipelines)
        is_plain = all(map(_is_plain, arguments))
        if method in STARTING:
            if not is_plain:
                yield _Part(statement)
            return
        if _is_guarded(statement) or (method and method not in PUBLISHING and is_plain):
            continue
        if isinstance(statement, Function) and not statement.name.startswith("__"):
            meanings = [_decorator(each, ours) for each in statement.decorator_list]
            if all(meanings) and _is_simple(statement):
                yield _Part(statement, statement.name, "pipeline" in meanings)
                continue
        yield _Part(statement)


def _names_of_api(body: Sequence[ast.stmt]) -> dict[str, str]:
    """What names of the script mean that come from `vhpipe.api` and are never given another meaning."""
    found: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.module == API and not statement.level:
            found |= {each.asname or each.name: each.name for each in statement.names}
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            made, target = statement.value.func, statement.targets[0]
            if isinstance(made, ast.Name) and found.get(made.id) in PIPELINES and isinstance(target, ast.Name):
                found[target.id] = "a pipeline"
    times = _times_bound(body)
    return {name: meant for name, meant in found.items() if times.get(name) == 1 and "*" not in times}


def _times_bound(body: Sequence[ast.stmt]) -> dict[str, int]:
    """How often each name gets a meaning anywhere in the script."""
    times: dict[str, int] = {}
    for statement in body:
        for node in ast.walk(statement):
            for name in _bound(node):
                times[name] = times.get(name, 0) + 1
    return times


def _bound(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return tuple((each.asname or each.name).partition(".")[0] for each in names)
        case ast.Global(names=names):
            return tuple(names)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case _:
            return ()


def _call_of(statement: ast.stmt, pipelines: set[str]) -> tuple[str, list[ast.expr]]:
    """The method of a pipeline that a statement does nothing but call, and its arguments."""
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name in pipelines and (
            isinstance(statement, ast.Expr) or method in STARTING
        ):
            return method, [*value.args, *(each.value for each in value.keywords)]
        case _:
            return "", []


def _decorator(decorator: ast.expr, ours: dict[str, str]) -> str:
    """`component` or `pipeline` where a decorator is that of `vhpipe.api`, else the empty text."""
    if isinstance(decorator, ast.Call):
        if not all(map(_is_plain, (*decorator.args, *(each.value for each in decorator.keywords)))):
            return ""
        decorator = decorator.func
    match decorator:
        case ast.Name(id=name):
            meant = ours.get(name, "")
        case ast.Attribute(value=ast.Name(id=name), attr=meant) if ours.get(name) == "PipelineDecorator":
            pass
        case _:
            return ""
    return meant if meant in ("component", "pipeline") else ""


def _is_simple(function: Function) -> bool:
    """Whether to define the function runs nothing."""
    given = function.args
    defaults = (*given.defaults, *(each for each in given.kw_defaults if each is not None))
    arguments = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    notes = (function.returns, *(each.annotation for each in arguments if each is not None))
    is_quiet = not any(isinstance(node, ast.Call) for note in notes if note is not None for node in ast.walk(note))
    return is_quiet and all(map(_is_plain, defaults)) and not getattr(function, "type_params", ())


def _is_plain(value: ast.expr) -> bool:
    return all(isinstance(node, PLAIN) for node in ast.walk(value))


def _is_guarded(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`; a step's process has the script under its own name."""
    match statement:
        case ast.If(
            test=ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]),
            orelse=[],
        ):
            return True
        case _:
            return False


# ── what may reach anything ──────────────────────────────────────────────────────────────────────────


def _looks_up(statement: ast.stmt) -> bool:
    named = sum(isinstance(node, ast.Name) and node.id == "getattr" for node in ast.walk(statement))
    return named > sum(map(_gets_known, ast.walk(statement))) or any(map(_looks, ast.walk(statement)))


def _gets_known(node: ast.AST) -> bool:
    """Whether it is `getattr(x, "name")`."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(str()), *_]):
            return True
        case _:
            return False


def _looks(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name in LOOKING_UP or name in LOOKED_AT
        case ast.Attribute(attr="modules", value=value):
            return isinstance(value, ast.Name) and value.id == "sys"
        case ast.Attribute(attr=name):
            return name in LOOKED_AT
        case ast.Import(names=names):
            return any(each.name.partition(".")[0] in LOOKERS for each in names)
        case ast.ImportFrom(module=module, names=names):
            return (module or "").partition(".")[0] in LOOKERS or any(
                each.name in LOOKED_AT | LOOKERS or each.name == "sys" for each in names
            )
        case _:
            return False
