"""What a function is to a step: where it is imported from, what it takes, and why some cannot be steps."""

import inspect
import os
import shlex
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError

if TYPE_CHECKING:
    from vhpipe.api.arguments import WrittenArguments

WORDS = ("python3", "-m", "vhpipe.function_step")
UNANNOTATED = inspect.Parameter.empty


class Argument(NamedTuple):
    """One that a function takes. `annotation` is `UNANNOTATED` where there is none, `default` where it is required."""

    annotation: object
    default: object


class FunctionSource(NamedTuple):
    """How a step gets at a function: `words` are its place for `python3 -m vhpipe.function_step`."""

    words: tuple[str, ...]
    name: str
    arguments: Mapping[str, Argument]
    takes_any_name: bool

    def command(self, returns: tuple[str, ...], arguments: "WrittenArguments") -> str:
        words = (*WORDS, *self.words, self.name)
        words += ("--returns", *returns) if returns else ()
        words += ("--json", *arguments.as_json) if arguments.as_json else ()
        words += ("--tuple", *arguments.as_tuple) if arguments.as_tuple else ()
        words += ("--none", *arguments.as_none) if arguments.as_none else ()
        return shlex.join(words)


def folder_of(frame: FrameType) -> Path:
    """The folder from which the modules of the program are imported that this frame belongs to."""
    file, package = frame.f_globals.get("__file__"), frame.f_globals.get("__package__")
    if not isinstance(file, str):
        return Path.cwd()
    folder = Path(file).resolve().parent
    depth = len(package.split(".")) if isinstance(package, str) and package else 0
    return folder.parents[depth - 1] if 0 < depth <= len(folder.parents) else folder


def unwrap(function: object) -> object:
    """The function below our own decorators."""
    while hasattr(function, "__wrapped_by_vhpipe__"):
        function = function.__wrapped_by_vhpipe__
    return function


def source_of(function: object, folder: Path) -> FunctionSource:
    """Where a step of a project in `folder` finds the function. Errors: UsageError with the reason why it cannot be."""
    function = unwrap(function)
    if not inspect.isfunction(function):
        raise UsageError(
            f"`{getattr(function, '__name__', type(function).__name__)}` is not a Python function",
            "write a function at the top of a module that calls it",
        )
    _refuse_unreachable(function)
    signature = inspect.signature(function, eval_str=False)
    _refuse_positional(function, signature)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    hints = _hints(function)
    return FunctionSource(
        words=_place(function, folder),
        name=function.__qualname__,
        arguments={
            parameter.name: Argument(hints.get(parameter.name, parameter.annotation), parameter.default)
            for parameter in signature.parameters.values()
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        },
        takes_any_name=inspect.Parameter.VAR_KEYWORD in kinds,
    )


def _refuse_unreachable(function: Callable[..., object]) -> None:
    """A step imports its function by name: it must have one, and a file."""
    name = function.__qualname__
    if function.__name__ == "<lambda>":
        raise UsageError("a lambda cannot be a step: it has no name to import it by", "write it as a function: `def …`")
    if "<locals>" in name:
        inner, outer = function.__name__, name.split(".<locals>")[0]
        raise UsageError(
            f"`{inner}` cannot be a step: it is defined inside `{outer}`, and a step imports it by name",
            "move it to the top of the module",
        )
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError(f"`{name}` cannot be a step: it does not return a value when it is called")
    if _file_of(function) is None:
        raise UsageError(
            f"`{name}` cannot be a step: it was typed into a notebook or an interpreter, and is not in a file",
            "write it into a file beside the notebook and import it from there",
        )


def _refuse_positional(function: Callable[..., object], signature: inspect.Signature) -> None:
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise UsageError(
                f"`{function.__name__}` cannot be a step: `{parameter.name}` cannot be passed by name",
                "remove the `/` from its arguments",
            )


def _hints(function: Callable[..., object]) -> dict[str, object]:
    """The annotations with texts evaluated; as written where that is not possible."""
    try:
        return dict(inspect.get_annotations(function, eval_str=True))
    except Exception:  # a name that only type checkers import
        return dict(function.__annotations__)


def _file_of(function: Callable[..., object]) -> Path | None:
    file = function.__code__.co_filename
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None) or file
    return Path(file).resolve() if os.path.isfile(file) and file.endswith(".py") else None


def _place(function: Callable[..., object], folder: Path) -> tuple[str, ...]:
    file = _file_of(function)
    assert file is not None, "functions without a file were refused"
    name = _module_name(function.__module__)
    if not file.is_relative_to(folder) or _is_installed(file):
        if name is None or not _is_installed(file):
            raise UsageError(
                f"`{function.__qualname__}` cannot be a step: `{file}` is not below the project's folder `{folder}`",
                "name the folder that contains both: `Pipeline(…, folder=…)`",
            )
        return (name,)
    inside = file.relative_to(folder)
    if name is None:
        return (str(inside),)
    root = _root_of(inside, name)
    if root is None:
        return (str(inside),)
    return (name,) if root == Path() else ("--path", str(root), name)


def _module_name(name: str) -> str | None:
    """The name to import a module by; None for a script."""
    if name != "__main__":
        return name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None else None


def _root_of(inside: Path, name: str) -> Path | None:
    """The folder from which a module is imported by its name; None where the name is another one's."""
    parts = tuple(name.split("."))
    path = inside.parent.parts if inside.name == "__init__.py" else inside.with_suffix("").parts
    return Path(*path[: -len(parts)]) if path[-len(parts) :] == parts else None


def _is_installed(file: Path) -> bool:
    places = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return any(file.is_relative_to(os.path.realpath(place)) for place in places if place)
