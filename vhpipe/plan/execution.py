"""From a planned node and what its edges brought: how many executions there are and what each gets."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Protocol

from vhpipe.command.parameter_values import fitting, typed_value
from vhpipe.config.model import Parameter, TaskType, Value
from vhpipe.plan.model import CarriedExecution, PlannedDeployment, PlannedNode, PlannedTask, StepSpec
from vhpipe.sweep.parameter_sets import Sweep, point, spread_sweep, sweep_size, with_value


class NodeBinding(Protocol):
    """What is known of a node's parameters once its edges are bound; `proposed` are the sets that a search has made."""

    @property
    def values(self) -> Mapping[str, Value]: ...

    @property
    def spread(self) -> Sequence[str]: ...

    @property
    def proposed(self) -> Sequence[Mapping[str, Value]]: ...


def bound_sweep(task: PlannedTask, bound: NodeBinding) -> Sweep:
    """The sweep of a task once edges have filled parameters: a value replaces a variation, a list spreads.

    A list under a search that cannot spread raises `ValueError`.
    Source: decision 18.
    """
    sweep = task.sweep
    for name, value in bound.values.items():
        if name in bound.spread and isinstance(value, tuple):
            sweep = spread_sweep(sweep, name, value)
        else:
            sweep = with_value(sweep, name, value)
    return sweep


def is_group(node: PlannedNode) -> bool:
    """Whether the node's executions are members of one group, which start together."""
    return isinstance(node, PlannedTask) and node.sweep.type is TaskType.DISTRIBUTED


def members_at_once(node: PlannedNode) -> int:
    """How many executions of the node start together: 1 but for a group."""
    return sweep_size(node.sweep) if isinstance(node, PlannedTask) and is_group(node) else 1


def is_search(node: PlannedNode) -> bool:
    """Whether the parameters of the node's executions depend on how earlier ones did."""
    return isinstance(node, PlannedTask) and node.sweep.type is TaskType.BAYESIAN


def execution_count(node: PlannedNode, bound: NodeBinding) -> int:
    """How many executions the node has in the end; 0 for a deployment."""
    if isinstance(node, PlannedTask):
        return sweep_size(bound_sweep(node, bound))
    return 0 if isinstance(node, PlannedDeployment) else 1


def execution_values(node: PlannedNode, bound: NodeBinding, index: int, seed: int) -> dict[str, Value]:
    """All parameters of one execution that have a value: the plan's, those of edges, and those of the sweep.

    Each has the shape of its parameter, wherever it comes from: a flag is true or false, of several there is a list.
    An execution that is given has those that it ran with.
    """
    if isinstance(node, PlannedDeployment):
        return {}
    given = given_execution(node, index)
    if given is not None:
        return dict(given.values)
    complete = {**node.spec.values, **bound.values}
    if is_search(node):
        complete |= bound.proposed[index]
    elif isinstance(node, PlannedTask):
        complete |= point(bound_sweep(node, bound), index, seed)
    shapes = {parameter.name: parameter for parameter in node.spec.parameters}
    return {name: fitting(shapes[name], value) if name in shapes else value for name, value in complete.items()}


def given_execution(node: PlannedNode, index: int) -> CarriedExecution | None:
    """What an execution has from an earlier run; None for one that has to run. Given ones stand in index order."""
    if node.given is None:
        return None
    executions = node.given.executions
    position = bisect_left(executions, index, key=attrgetter("index"))
    found = executions[position : position + 1]
    return found[0] if found and found[0].index == index else None


def typed_execution_values(node: PlannedNode, bound: NodeBinding, index: int, seed: int) -> dict[str, Value]:
    """The values of an execution's parameters in their declared types, as parameters.json has them.

    What does not fit its type stays as written.
    """
    written = execution_values(node, bound, index, seed)
    return {} if isinstance(node, PlannedDeployment) else in_declared_types(node.spec, written)


def in_declared_types(spec: StepSpec, values: Mapping[str, Value]) -> dict[str, Value]:
    """Values as parameters.json has them; what does not fit its type stays as written."""
    shapes = {parameter.name: parameter for parameter in spec.parameters}
    return {name: _typed_or_same(shapes[name], value) if name in shapes else value for name, value in values.items()}


def _typed_or_same(parameter: Parameter, value: Value) -> Value:
    try:
        return typed_value(parameter, value)
    except ValueError:
        return value
