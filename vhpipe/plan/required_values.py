"""Required parameters, inputs and variables that nothing fills. A file without faults may still need arguments."""

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from vhpipe.config.model import EdgeKind, ParameterType
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedExecution, PlannedNode, PlannedTask
from vhpipe.plan.secret_names import is_secret_name
from vhpipe.sweep.parameter_sets import Sweep
from vhpipe.wording import joined

FilledTargets = Set[tuple[str, EdgeKind, str]]
"""Node, kind and key of what edges bring."""


class MissingValue(NamedTuple):
    """A parameter, input or variable that nothing fills, and the argument that would."""

    node: str
    kind: EdgeKind
    name: str
    argument: str


def missing_values(
    graph: PipelineGraph, nodes: Sequence[PlannedNode], filled: FilledTargets
) -> tuple[MissingValue, ...]:
    """Everything that nodes need and nothing fills."""
    return tuple(
        MissingValue(node.name, kind, name, _argument_for(graph, kind, node.name, name))
        for node in nodes
        if not isinstance(node, PlannedDeployment)
        for kind, name in (*_required_slots(node), *_required_variables(graph, node))
        if (node.name, kind, name) not in filled
    )


def refuse_missing(missing: Sequence[MissingValue]) -> None:
    """Raises one `UsageError` that names everything missing, with the arguments that would fill it as its hint."""
    if missing:
        named = joined(f"{each.kind} `{each.name}` of node `{each.node}`" for each in missing)
        hints = dict.fromkeys(each.argument for each in missing)
        raise UsageError(f"nothing fills {named}", " ".join(hints))


def _required_slots(node: PlannedExecution | PlannedTask) -> Iterator[tuple[EdgeKind, str]]:
    """What the node needs and neither the file nor an argument gives; edges are not looked at."""
    varied = names_in(node.sweep) if isinstance(node, PlannedTask) else frozenset()
    for parameter in node.spec.parameters:
        has_value = parameter.name in node.spec.values or parameter.name in varied
        if not (has_value or parameter.optional or parameter.type is ParameterType.FLAG):
            yield EdgeKind.PARAMETER, parameter.name
    for item in node.spec.inputs:
        if not (item.uris or item.optional):
            yield EdgeKind.INPUT, item.name


def _required_variables(
    graph: PipelineGraph, node: PlannedExecution | PlannedTask
) -> Iterator[tuple[EdgeKind, str]]:
    """The variables that the node's step requires and that nobody gives a value."""
    step = graph.steps.get(node.name)
    for variable in step.environment_variables if step is not None else ():
        if not variable.optional and variable.name not in node.spec.environment_variables:
            yield EdgeKind.ENVIRONMENT_VARIABLE, variable.name


def filled_parameters(plan: Plan, node: PlannedExecution | PlannedTask) -> frozenset[str]:
    """The parameters of a node that edges and references fill when it starts."""
    ends = [(edge.target, edge.target_kind, edge.target_key) for edge in plan.edges]
    ends += [(node.name, each.where, each.name) for each in node.references]
    return frozenset(key for name, kind, key in ends if name == node.name and kind is EdgeKind.PARAMETER)


def names_in(sweep: Sweep) -> frozenset[str]:
    """The parameters that have a value in every execution of the sweep."""
    in_all_sets = [frozenset(name for name, _ in values) for values in sweep.sets]
    always = frozenset.intersection(*in_all_sets) if in_all_sets else frozenset()
    return always | {axis.name for axis in sweep.axes}


def _argument_for(graph: PipelineGraph, what: EdgeKind, node: str, name: str) -> str:
    if what is EdgeKind.INPUT:
        return input_argument(node, name)
    if what is EdgeKind.ENVIRONMENT_VARIABLE:
        return variable_argument(name)
    for parameter in graph.pipeline.parameters:
        if any(target.node == node and target.key == name for target in parameter.targets):
            return _typed("-p", f"{parameter.name}=VALUE")
    return _typed("-p", f"{node}.{name}=VALUE")


def variable_argument(name: str) -> str:
    """What to type to give a variable a value; that of a secret does not belong on a command line."""
    return f"-e {name}" if is_secret_name(name) else f"-e {name}=VALUE"


def input_argument(node: str, name: str) -> str:
    """What to type to give an input a file, for any shell to read."""
    return _typed("-i", f"{node}.{name}=PATH")


def empty_input_argument(node: str, name: str) -> str:
    """What to type to leave an optional input empty."""
    return _typed("-i", f"{node}.{name}=")


def _typed(option: str, value: str) -> str:
    from shlex import quote

    return f"{option} {quote(value)}"
