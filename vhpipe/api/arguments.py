"""A function's arguments as a step has them: typed parameters, data as JSON, and inputs that other steps fill."""

import json
import math
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

from vhpipe.api.functions import UNANNOTATED, Argument
from vhpipe.api.references import PipelineParameterReference, Result, as_text, meaning, refers, results_in
from vhpipe.errors import UsageError
from vhpipe.function_step.__main__ import INPUT

Returns = Mapping[str, tuple[str, ...]]

TYPES: dict[object, str] = {bool: "flag", int: "integer", float: "float", str: "string"}


class ParameterDefinition(NamedTuple):
    name: str
    default: object = None
    description: str | None = None
    type: str | None = None


class WrittenArguments(NamedTuple):
    """What arguments are in the file.

    `referring` are texts with references, for the node; `targets` pairs an argument with the pipeline's parameter
    that fills it, `edges` an input with the result that does. `as_json` are parameters that hold data.
    """

    parameters: list[dict[str, Any]]
    inputs: list[dict[str, Any]]
    referring: dict[str, str]
    targets: list[tuple[str, str]]
    edges: list[tuple[str, Result]]
    as_json: tuple[str, ...]


def written_arguments(
    step: str, taken: Mapping[str, Argument], values: Mapping[str, object], known: Mapping[str, ParameterDefinition],
    returns: Returns,
) -> WrittenArguments:  # fmt: skip
    """How a step gets `values`, and the defaults of what they leave out.

    Errors: UsageError for arguments without a value, and for values that a file cannot say.
    """
    written = WrittenArguments([], [], {}, [], [], ())
    as_json: list[str] = []
    for name in (*taken, *(name for name in values if name not in taken)):
        argument = taken.get(name, Argument(UNANNOTATED, UNANNOTATED))
        value = values.get(name, argument.default)
        if value is UNANNOTATED:
            raise UsageError(
                f"step `{step}` has no value for argument `{name}`", f"give it: `function_kwargs=dict({name}=…)`"
            )
        if _add(written, step, name, argument, value, known, returns):
            as_json.append(name)
    return written._replace(as_json=tuple(as_json))


def _add(
    written: WrittenArguments, step: str, name: str, argument: Argument, value: object,
    known: Mapping[str, ParameterDefinition], returns: Returns,
) -> bool:  # fmt: skip
    """Write one argument; True when it is data as JSON."""
    means = meaning(value, returns)
    if isinstance(means, Result):
        written.inputs.append({"name": name, "keep-directories": "full"})
        written.edges.append((name, means))
        return False
    if isinstance(means, PipelineParameterReference) and means.name in known:
        return _add_of_pipeline(written, name, argument, known[means.name])
    if refers(value):
        assert isinstance(value, str), "only strings refer"
        written.parameters.append({"name": name, "type": _type_of_annotation(argument.annotation) or "string"})
        written.referring[name] = as_text(value, returns)
        return False
    if any(True for _ in results_in(value, returns)):
        _add_template(written, name, value, returns)
        return True
    return _add_plain(written, step, name, argument, value)


def _add_of_pipeline(written: WrittenArguments, name: str, argument: Argument, parameter: ParameterDefinition) -> bool:
    written.targets.append((name, parameter.name))
    default = parameter.default
    if _is_data(default):
        written.parameters.append({"name": name, "type": "string"})
        return True
    first = default[0] if isinstance(default, list | tuple) and default else default
    kind = _type_of_annotation(argument.annotation) or parameter.type or _type_of(first)
    described: dict[str, Any] = {"name": name, "type": kind}
    if isinstance(default, list | tuple):
        described["multiple"] = "repeat"
    if default is None:
        described["optional"] = True
    written.parameters.append(described)
    return False


def _add_template(written: WrittenArguments, name: str, value: object, returns: Returns) -> None:
    """Data in which results stand: the data with the names of inputs in their places."""
    inputs: list[Result] = []

    def filled(item: object) -> object:
        means = meaning(item, returns)
        if isinstance(means, Result):
            inputs.append(means)
            return {INPUT: f"{name}-{len(inputs)}"}
        if isinstance(item, dict):
            return {str(key): filled(each) for key, each in item.items()}
        return [filled(each) for each in item] if isinstance(item, list | tuple) else item

    text = _json(name, filled(value))
    written.parameters.append({"name": name, "type": "string", "default": text})
    for number, result in enumerate(inputs, 1):
        written.inputs.append({"name": f"{name}-{number}", "keep-directories": "full"})
        written.edges.append((f"{name}-{number}", result))


def _add_plain(written: WrittenArguments, step: str, name: str, argument: Argument, value: object) -> bool:
    value = _python_value(value)
    described: dict[str, Any] = {"name": name, "type": _fitting_type(argument.annotation, value)}
    if value is None and argument.default is None:
        written.parameters.append({**described, "optional": True})
        return False
    if _is_scalar(value):
        written.parameters.append({**described, "default": value})
        return False
    if isinstance(value, list) and value and not _is_data(value):
        written.parameters.append({**described, "type": _type_of(value[0]), "default": value, "multiple": "repeat"})
        return False
    written.parameters.append({"name": name, "type": "string", "default": _json(name, value, step)})
    return True


def _json(name: str, value: object, step: str = "") -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        of = f" of step `{step}`" if step else ""
        kind = type(value).__name__
        raise UsageError(
            f"argument `{name}`{of} is a `{kind}`, but a file can hold only numbers, strings, lists and mappings",
            "have a step return it, or give the path of a file",
        ) from None


# ── types ────────────────────────────────────────────────────────────────────────────────────────


def parameter_type(asked: object, default: object) -> str | None:
    """The type of a pipeline's parameter: `param_type` is a type or its name. Errors: UsageError for another one."""
    if asked is None:
        return _type_of(default) if _is_scalar(default) else None
    names = {**{kind.__name__: word for kind, word in TYPES.items()}, **{word: word for word in TYPES.values()}}  # type: ignore[attr-defined]
    found = TYPES.get(asked) or names.get(str(asked))
    if found is None:
        raise UsageError(f"`param_type={asked!r}` is none of {', '.join(names)}")
    return found


def _type_of_annotation(annotation: object) -> str | None:
    """The type that an annotation asks for; `X | None` asks for X."""
    if annotation in TYPES:
        return TYPES[annotation]
    members = [each for each in typing.get_args(annotation) if each is not types.NoneType]
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return TYPES.get(members[0]) if is_union and len(members) == 1 else None


def _fitting_type(annotation: object, value: object) -> str:
    """That of the annotation where the value is one of these, else the value's own."""
    asked = _type_of_annotation(annotation)
    of_value = _type_of(value)
    fits = value is None or asked == of_value or (asked, of_value) == ("float", "integer")
    return asked if asked and fits else of_value


def _type_of(value: object) -> str:
    return TYPES.get(type(value), "string")


def _is_scalar(value: object) -> bool:
    return type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


def _is_data(value: object) -> bool:
    """Whether no parameter can be it but as JSON: a mapping, or a list of anything but scalars of one type."""
    if isinstance(value, list | tuple):
        return not all(map(_is_scalar, value)) or len(set(map(_type_of, value))) > 1
    return value is not None and not _is_scalar(value)


def parameter_value(value: object) -> object:
    """What stands in a file for a value of a pipeline's parameter: data as JSON."""
    if _is_data(value):
        return _json("default", value)
    return list(value) if isinstance(value, tuple) else value


def _python_value(value: object) -> object:
    """NumPy's numbers as those of Python, tuples as lists."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        plain: object = value.item()
        return plain
    return list(value) if isinstance(value, tuple) else value
