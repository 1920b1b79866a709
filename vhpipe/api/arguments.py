"""A function's arguments as a step has them: typed parameters, data as JSON, and inputs that other steps fill."""

import json
import math
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from vhpipe.api.functions import UNANNOTATED, Argument
from vhpipe.api.references import PipelineParameterReference, Result, as_text, is_known, meaning, parameter_of, refers
from vhpipe.api.stored_arguments import StoredFile
from vhpipe.errors import UsageError
from vhpipe.function_step.data_tags import INPUT, PARAMETER, tagged

Returns = Mapping[str, tuple[str, ...]]
GivenArguments = Callable[[str, str], object]
"""By step and argument, what a step that was added before was given."""


def _nothing_given(_step: str, _argument: str) -> object:
    return None


class WrittenNone:
    """Stands for None that a step was given as data, so that what refers to it is data too."""


TYPES: dict[object, str] = {bool: "flag", int: "integer", float: "float", str: "string"}


class ParameterDefinition(NamedTuple):
    name: str
    default: object = None
    description: str | None = None
    type: str | None = None


class WrittenArguments(NamedTuple):
    """What arguments are in the file.

    `referring` are texts with references, for the node; `targets` pairs an argument with the pipeline's parameter
    that fills it, `edges` an input with the result that does. `as_json` are parameters that hold data, `as_tuple`
    lists that were tuples, `as_none` arguments that are None where their parameter is not passed.
    """

    parameters: list[dict[str, Any]]
    inputs: list[dict[str, Any]]
    referring: dict[str, str]
    targets: list[tuple[str, str]]
    edges: list[tuple[str, Result]]
    as_json: tuple[str, ...]
    as_tuple: tuple[str, ...] = ()
    as_none: tuple[str, ...] = ()


def written_arguments(
    step: str, taken: Mapping[str, Argument], values: Mapping[str, object], known: Mapping[str, ParameterDefinition],
    returns: Returns, given: GivenArguments = _nothing_given,
) -> WrittenArguments:  # fmt: skip
    """How a step gets `values`, and the defaults of what they leave out.

    Errors: UsageError for arguments without a value, and for values that a file cannot say.
    """
    writer = _ArgumentWriter(step, known, returns, given)
    for name in (*taken, *(name for name in values if name not in taken)):
        argument = taken.get(name, Argument(UNANNOTATED, UNANNOTATED))
        value = values.get(name, argument.default)
        if value is UNANNOTATED:
            raise UsageError(
                f"step `{step}` has no value for argument `{name}`", f"give it: `function_kwargs=dict({name}=…)`"
            )
        writer.add(name, argument, value)
    return writer.written()


class _ArgumentWriter:
    def __init__(
        self, step: str, known: Mapping[str, ParameterDefinition], returns: Returns, given: GivenArguments
    ) -> None:
        self._step, self._known, self._returns, self._given = step, known, returns, given
        self._written = WrittenArguments([], [], {}, [], [], ())
        self._as_json: list[str] = []
        self._as_tuple: list[str] = []
        self._as_none: list[str] = []

    def written(self) -> WrittenArguments:
        return self._written._replace(
            as_json=tuple(self._as_json), as_tuple=tuple(self._as_tuple), as_none=tuple(self._as_none)
        )

    def add(self, name: str, argument: Argument, value: object) -> None:
        if not self._add_place(name, argument, value):
            self._add_value(name, argument, _python_value(value))

    def _add_place(self, name: str, argument: Argument, value: object) -> bool:
        """Add what something else fills; False for a value, which stands in the file."""
        means = meaning(value, self._returns)
        if isinstance(means, Result):
            self._written.inputs.append({"name": name, "keep-directories": "full"})
            self._written.edges.append((name, means))
        elif isinstance(means, StoredFile):
            self._written.inputs.append({"name": name, "default": means.path, "filename": f"{name}{means.suffix}"})
        elif isinstance(means, PipelineParameterReference) and means.name in self._known:
            self._written.targets.append((name, means.name))
            parameter = self._known[means.name]
            self._add_shaped(name, argument, parameter.default, parameter.type)
        elif refers(value):
            assert isinstance(value, str), "only strings refer"
            self._written.referring[name] = as_text(value, self._returns)
            source = parameter_of(value)
            origin = self._given(*source) if source else None
            self._add_shaped(name, argument, origin, None)
        else:
            return False
        return True

    def _add_shaped(self, name: str, argument: Argument, like: object, kind: str | None) -> None:
        """Add a parameter without a value that takes such as `like`."""
        if _is_data(like):
            self._written.parameters.append({"name": name, "type": "string"})
            self._as_json.append(name)
            return
        is_list = isinstance(like, list | tuple)
        first = like[0] if isinstance(like, list | tuple) and like else like
        kind = _type_of_annotation(argument.annotation) or kind or _type_of(first)
        described: dict[str, Any] = {"name": name, "type": kind}
        if is_list:
            described["multiple"] = "repeat"
        if like is None and name not in self._written.referring:
            described["optional"] = True
            if argument.default is UNANNOTATED:
                self._as_none.append(name)
        if isinstance(like, tuple):
            self._as_tuple.append(name)
        self._written.parameters.append(described)

    def _add_value(self, name: str, argument: Argument, value: object) -> None:
        described: dict[str, Any] = {"name": name, "type": _fitting_type(argument.annotation, value)}
        if value is None and argument.default is None:
            self._written.parameters.append({**described, "optional": True})
        elif _is_scalar(value):
            self._written.parameters.append({**described, "default": value})
        elif isinstance(value, list | tuple) and value and not _is_data(value) and not self._has_places(value):
            of_items = {"type": _type_of(value[0]), "default": list(value), "multiple": "repeat"}
            self._written.parameters.append({**described, **of_items})
            if isinstance(value, tuple):
                self._as_tuple.append(name)
        else:
            self._add_data(name, value)

    def _has_places(self, value: Sequence[object]) -> bool:
        return any(meaning(item, self._returns) is not item or refers(item) for item in value)

    def _add_data(self, name: str, value: object) -> None:
        """Add data as JSON; what fills places in it has parameters and inputs of its own, `NAME-1`, `NAME-2`."""
        numbers = count(1)

        def place(item: object) -> dict[str, str] | None:
            is_nested = isinstance(item, dict | list | tuple) and not isinstance(item, StoredFile)
            if is_nested or is_known(item):
                return None
            key, inputs = f"{name}-{next(numbers)}", len(self._written.inputs)
            if not self._add_place(key, Argument(UNANNOTATED, UNANNOTATED), item):
                return None
            return {INPUT if len(self._written.inputs) > inputs else PARAMETER: key}

        text = data_text(name, value, self._step, place)
        self._written.parameters.append({"name": name, "type": "string", "default": text})
        self._as_json.append(name)


def _nowhere(_: object) -> None:
    return None


def data_text(
    name: str, value: object, step: str = "", place: Callable[[object], dict[str, str] | None] = _nowhere
) -> str:
    """Data as the text of JSON. Errors: UsageError for what no file can hold."""

    def placed(item: object) -> dict[str, str] | None:
        return place(item)

    try:
        return json.dumps(tagged(value, placed), ensure_ascii=False, default=_of_numpy)
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
        return data_text("default", value)
    return list(value) if isinstance(value, tuple) else value


def shape_of(value: object) -> str:
    """How a parameter has to be written for such a value: as data, as a list or a tuple, or as one scalar."""
    if _is_data(value):
        return "data"
    return type(value).__name__ if isinstance(value, list | tuple) else "scalar"


def _python_value(value: object) -> object:
    """NumPy's numbers as those of Python."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        plain: object = value.item()
        return plain
    return value


def _of_numpy(value: object) -> object:
    """A number of NumPy within data. Errors: TypeError for all else."""
    plain = _python_value(value)
    if plain is value:
        raise TypeError
    return plain
