"""The parameters and environment variables that edges bring."""

from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.command.parameter_values import value_problem
from vhpipe.config.model import EdgeKind, Multiple, Parameter, Scalar, Value
from vhpipe.plan.model import EnvironmentValue, PlannedEdge, PlannedExecution, PlannedTask
from vhpipe.schedule.binding.upstream import CannotBindError, NothingToBindError, Upstream, listing
from vhpipe.schedule.terms import Json


class BoundValues(NamedTuple):
    """`spread` names the parameters whose list becomes one child per element."""

    values: dict[str, Value]
    spread: tuple[str, ...]


def parameter_values(
    upstream: Upstream, node: PlannedExecution | PlannedTask, edges: Sequence[PlannedEdge], warnings: list[str]
) -> BoundValues:
    """What the edges bring to parameters. An edge without a value leaves the parameter as it was, with a warning.

    A value that does not fit, and a missing one that the node needs, raise `CannotBindError`. Source: decision 18.
    """
    values: dict[str, Value] = {}
    spread: list[str] = []
    for edge in edges:
        parameter = node.spec.parameter(edge.target_key)
        assert parameter is not None, "the rules refuse an edge into an unknown parameter"
        found = upstream.value(edge)
        if found is None:
            warnings.append(_missing(upstream, node, parameter, edge))
            continue
        value = _as_value(edge, found)
        is_spread = isinstance(value, tuple) and isinstance(node, PlannedTask) and parameter.multiple is Multiple.NONE
        _refuse_unfit(edge, parameter, value if is_spread and isinstance(value, tuple) else (value,))
        if is_spread:
            spread.append(parameter.name)
        values[parameter.name] = value
    return BoundValues(values, tuple(spread))


def _refuse_unfit(edge: PlannedEdge, parameter: Parameter, values: tuple[Value, ...]) -> None:
    if not values:
        raise CannotBindError(f"`{edge}` brings an empty list: there is nothing to run")
    for value in values:
        problem = value_problem(parameter, value)
        if problem:
            raise CannotBindError(f"`{edge}` brings a value that does not fit: {problem}")


def _missing(upstream: Upstream, node: PlannedExecution | PlannedTask, parameter: Parameter, edge: PlannedEdge) -> str:
    message = f"`{edge}` brings no value: {_absence(upstream, edge)}"
    varied = isinstance(node, PlannedTask) and any(axis.name == parameter.name for axis in node.sweep.axes)
    if node.spec.values.get(parameter.name) is not None or parameter.optional or varied:
        return f"{message}; `{parameter.name}` stays as it was"
    because = upstream.why_empty([edge.source])
    if because is not None:
        raise NothingToBindError(f"{because} and left nothing for `{edge}`")
    raise CannotBindError(message)


def _absence(upstream: Upstream, edge: PlannedEdge) -> str:
    """Why an edge has nothing: what is null is there, and what was not passed is declared."""
    if edge.source_kind is not EdgeKind.METADATA:
        return f"`{edge.source}` has no value for its {edge.source_kind} `{edge.source_key}`"
    keys = upstream.metadata_keys(edge.source)
    if edge.source_key in keys:
        return f"`{edge.source_key}` of `{edge.source}` is null"
    return f"`{edge.source}` has no metadata `{edge.source_key}`; its metadata has {listing(keys)}"


def _as_value(edge: PlannedEdge, found: Json) -> Value:
    if isinstance(found, list | tuple):
        return tuple(_as_scalar(edge, each) for each in found)
    return _as_scalar(edge, found)


def _as_scalar(edge: PlannedEdge, found: Json) -> Scalar:
    if isinstance(found, bool | int | float | str):
        return found
    what = "an object" if isinstance(found, dict) else "a list in a list" if isinstance(found, list) else repr(found)
    raise CannotBindError(f"`{edge}` brings {what}, which cannot be the value of a parameter")


def variable_values(
    upstream: Upstream, edges: Sequence[PlannedEdge], warnings: list[str]
) -> dict[str, EnvironmentValue]:
    """What the edges bring to environment variables; what the source does not set stays as it was, with a warning."""
    variables: dict[str, EnvironmentValue] = {}
    for edge in edges:
        value = upstream.variable(edge)
        if value is None:
            warnings.append(f"`{edge}` brings no value: `{edge.source}` does not set `{edge.source_key}`")
        else:
            variables[edge.target_key] = value
    return variables
