"""One function of the user's, called with what its step was given; what it returns becomes outputs.

    python3 -m vhpipe.function_step [--path FOLDER] MODULE|FILE FUNCTION [--returns NAME…]
        [--json NAME…] [--tuple NAME…]

Parameters come from parameters.json, with their types; those named after `--json` hold data as JSON text, lists named
after `--tuple` become tuples. Every parameter and input is the argument of its name, unless JSON data refers to it by
`{"vhpipe.parameter": NAME}` or `{"vhpipe.input": NAME}`.
"""

import os
import sys
from contextlib import suppress
from types import ModuleType

from vhpipe.function_step.code_recorder import CodeRecorder, record_code
from vhpipe.function_step.inside import InsideStep, enter
from vhpipe.function_step.plain_json import json_text, read_json
from vhpipe.function_step.values import UnreadableValueError, UnwritableValueError, read_value, write_value

TYPE_CHECKING = False
if TYPE_CHECKING:  # these modules take longer to import than the rest together
    from collections.abc import Callable
    from typing import Any

TAKES_ANY_NAME = 0x08
"""The flag of a function with `**named` arguments."""
LONGEST_METADATA = 1000


def main(words: list[str], recorder: CodeRecorder | None = None) -> int:
    options = _options(words)
    try:
        module, name = options[""]
        enter(name)
        loaded = _load_module(module, options.get("--path", []))
        if recorder is not None and loaded.__file__:
            recorder.tell_function(loaded.__file__, name)
        function = _function(loaded, module, name)
        kinds = frozenset(options.get("--json", [])), frozenset(options.get("--tuple", []))
        result = function(**_arguments(function, *kinds))  # type: ignore[operator]
        _keep(result, options.get("--returns", []))
    except (UnreadableValueError, UnwritableValueError, _NoFunctionError) as problem:
        print(f"vhpipe: error: {problem}", file=sys.stderr)
        return 1
    except Exception as failure:
        _print_failure(failure)
        return 1
    return 0


def _print_failure(failure: Exception) -> None:
    """The traceback from where the user's code begins."""
    import traceback

    begins = failure.__traceback__
    while begins is not None and _is_ours(begins.tb_frame.f_code.co_filename):
        begins = begins.tb_next
    traceback.print_exception(type(failure), failure, begins or failure.__traceback__)


def _is_ours(file: str) -> bool:
    return file.startswith("<frozen ") or os.path.dirname(file) == os.path.dirname(__file__)


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"": []}
    name, left = "", 0
    for word in words:
        if word.startswith("--"):
            name, left = word, 1 if word == "--path" else -1
            found[name] = []
            continue
        found[name if left else ""].append(word)
        left -= left > 0
    return found


# ── the function ─────────────────────────────────────────────────────────────────────────────────


class _NoFunctionError(Exception):
    pass


def _load_module(module: str, folders: list[str]) -> ModuleType:
    """The user's module. One that starts a pipeline is not run further than to there."""
    for folder in folders:
        sys.path.insert(0, os.path.abspath(folder))
    return _loaded_file(os.path.abspath(module)) if module.endswith(".py") else _import_module(module)


def _loaded_file(path: str) -> ModuleType:
    """A script, under its own name and not as `__main__`, so that what is guarded does not run."""
    from importlib.machinery import ModuleSpec, SourceFileLoader

    name = os.path.basename(path)[: -len(".py")]
    if os.path.dirname(path) != os.getcwd():
        sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    loader = SourceFileLoader(name, path)
    spec = ModuleSpec(name, loader, origin=path)
    module = ModuleType(name)
    module.__file__, module.__spec__, module.__loader__ = path, spec, loader
    sys.modules[name] = module
    try:
        with suppress(InsideStep):
            loader.exec_module(module)
    except FileNotFoundError as failure:
        if failure.filename != path:
            raise
        raise _NoFunctionError(f"there is no file `{os.path.relpath(path)}` in the code of this run") from None
    return module


def _import_module(name: str) -> ModuleType:
    from importlib.util import find_spec, module_from_spec

    sys.argv = [name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise _NoFunctionError(f"there is no module `{name}` in the code of this run")
    module = module_from_spec(spec)
    sys.modules[name] = module
    with suppress(InsideStep):
        spec.loader.exec_module(module)
    return module


def _function(module: ModuleType, source: str, name: str) -> object:
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    while hasattr(found, "__wrapped_by_vhpipe__"):
        found = found.__wrapped_by_vhpipe__
    if not callable(found):
        raise _NoFunctionError(f"`{source}` has no function `{name}`, or none before the pipeline is started in it")
    return found


# ── arguments and results ────────────────────────────────────────────────────────────────────────


def _arguments(function: object, as_json: frozenset[str], as_tuple: frozenset[str]) -> dict[str, object]:
    given: dict[str, Any] = _configuration("parameters")
    inputs = {name: entry.get("files", []) for name, entry in _configuration("inputs").items()}
    used: set[str] = set()

    def parameter(name: str) -> object:
        value = given.get(name)
        if name in as_tuple and isinstance(value, list):
            return tuple(value)
        return _data(value, used_parameter, used_input) if name in as_json and isinstance(value, str) else value

    def used_parameter(name: str) -> object:
        used.add(name)
        return parameter(name)

    def used_input(name: str) -> object:
        used.add(name)
        return _input_value(name, inputs.get(name, []), False)

    arguments = {name: parameter(name) for name in given}
    wants_path = getattr(function, "__annotations__", {})
    for name, files in inputs.items():
        if name not in used:
            arguments[name] = _input_value(name, files, "Path" in str(wants_path.get(name, "")))
    return _accepted_arguments(function, {name: value for name, value in arguments.items() if name not in used})


def _data(text: str, parameter: "Callable[[str], object]", input: "Callable[[str], object]") -> object:
    from vhpipe.function_step.data_tags import untagged

    return untagged(read_json(text), input, parameter)


def _accepted_arguments(function: object, arguments: dict[str, object]) -> dict[str, object]:
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & TAKES_ANY_NAME:
        return arguments
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {name: value for name, value in arguments.items() if name in names}


def _input_value(name: str, files: list[dict[str, object]], wants_path: bool) -> object:
    """The one value in an input; None where an optional one is empty."""
    if not files:
        return None
    folder = os.path.join(os.environ.get("VH_INPUTS_DIR", "/valohai/inputs"), name)
    found = sorted(os.listdir(folder))
    if len(found) > 1:
        raise UnreadableValueError(f"input `{name}` has {len(found)} values, but an argument takes one: {found}")
    path = os.path.join(folder, found[0])
    if wants_path and not os.path.isdir(path):
        from pathlib import Path

        return Path(path)
    made_by_step = all(str(file.get("uri", "")).startswith("datum://") for file in files)
    return read_value(path, may_unpickle=made_by_step)


def _configuration(name: str) -> "dict[str, Any]":
    folder = os.environ.get("VH_CONFIG_DIR", "/valohai/config")
    with open(os.path.join(folder, f"{name}.json"), "rb") as file:
        content = read_json(file.read())
    assert isinstance(content, dict), "these files hold mappings"
    return content


def _keep(result: object, names: list[str]) -> None:
    """Write what was returned; short plain values are metadata too, so that they are seen and can be compared."""
    folder = os.environ.get("VH_OUTPUTS_DIR", "/valohai/outputs")
    for name, value in _by_name(result, names).items():
        write_value(folder, name, value)
        if isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) < LONGEST_METADATA):
            sys.stdout.flush()
            print(f"\n{{{json_text(name)}: {json_text(value)}}}", flush=True)


def _by_name(result: object, names: list[str]) -> dict[str, object]:
    if len(names) < 2:
        return dict.fromkeys(names, result)
    if not isinstance(result, tuple | list) or len(result) != len(names):
        what = f"{len(result)} values" if isinstance(result, tuple | list) else f"a `{type(result).__name__}`"
        raise UnwritableValueError(f"the function returned {what}, and it should be {len(names)}: {', '.join(names)}")
    return dict(zip(names, result, strict=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], record_code()))
