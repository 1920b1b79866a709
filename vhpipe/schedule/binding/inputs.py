"""What a node gets when it is about to start: what edges and references bring, and all that one execution needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vhpipe.config.model import EdgeKind, Value
from vhpipe.plan.deferred import stand_ins_in
from vhpipe.plan.execution import execution_count, execution_values, is_group
from vhpipe.plan.model import (
    Deferred,
    EnvironmentValue,
    ExecutionId,
    ExecutionSpec,
    FilledUri,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedNode,
    PlannedTask,
)
from vhpipe.schedule import events
from vhpipe.schedule.binding.edge_files import endpoint_files, input_files
from vhpipe.schedule.binding.edge_values import parameter_values, variable_values
from vhpipe.schedule.binding.node_extension import filled_configuration, skip_reason
from vhpipe.schedule.binding.reference_values import reference_values
from vhpipe.schedule.binding.upstream import CannotBindError, NothingToBindError, Upstream
from vhpipe.schedule.state import RunState


class Binding(NamedTuple):
    """`bound` is None where no edge brings anything. With `failure` or `skip`, never both, the node does not start."""

    bound: events.InputsBound | None = None
    executions: int = 1
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    skip: str | None = None


def bind_inputs(
    plan: Plan, state: RunState, nodes: Mapping[str, PlannedNode], name: str, edges: Sequence[PlannedEdge]
) -> Binding:
    """What `edges`, all edges into the node in file order, bring to it now that its upstream has settled.

    Source: decisions 11, 13 to 18 and 83.
    """
    warnings: list[str] = []
    upstream, node = Upstream(plan, state, nodes), nodes[name]
    skip = skip_reason(upstream, node, warnings)
    if skip is not None:
        return Binding(warnings=tuple(warnings), skip=skip)
    try:
        bound = _bind(upstream, node, edges, warnings) if edges or node.extras.configuration else None
        executions = _count(nodes[name], bound or events.InputsBound(name))
    except CannotBindError as problem:
        return Binding(warnings=tuple(warnings), failure=str(problem))
    except NothingToBindError as reason:
        return Binding(warnings=tuple(warnings), skip=str(reason))
    return Binding(bound, executions, tuple(warnings))


def _bind(
    upstream: Upstream, node: PlannedNode, edges: Sequence[PlannedEdge], warnings: list[str]
) -> events.InputsBound | None:
    by_kind: dict[EdgeKind, list[PlannedEdge]] = {}
    for edge in edges:
        by_kind.setdefault(edge.target_kind, []).append(edge)
    if isinstance(node, PlannedDeployment):
        files = endpoint_files(upstream, by_kind.get(EdgeKind.FILE, ()), warnings)
        return events.InputsBound(node.name, tuple(files.items())) if files else None
    referred = reference_values(upstream, node, warnings)
    inputs = {item.name: item for item in node.spec.inputs}
    files = input_files(upstream, inputs, by_kind.get(EdgeKind.INPUT, ()), referred.files, warnings)
    values, spread = parameter_values(upstream, node, by_kind.get(EdgeKind.PARAMETER, ()), warnings)
    variables = variable_values(upstream, by_kind.get(EdgeKind.ENVIRONMENT_VARIABLE, ()), warnings)
    values, variables = {**referred.values, **values}, {**referred.variables, **variables}
    configuration, in_configuration = filled_configuration(upstream, node)
    if not (files or values or variables or configuration):
        return None
    passed_on = _stand_ins_passed_on(upstream, edges, (*values.values(), *variables.values()))
    deferred = tuple(dict.fromkeys((*referred.deferred, *passed_on, *in_configuration)))
    return events.InputsBound(
        node.name, tuple(files.items()), values, (*referred.spread, *spread), variables,
        deferred=deferred, configuration=configuration,
    )  # fmt: skip


def _stand_ins_passed_on(
    upstream: Upstream, edges: Sequence[PlannedEdge], values: Sequence[Value | EnvironmentValue]
) -> Iterator[Deferred]:
    """What the sources of edges had stand-ins for and handed on in a parameter or variable."""
    for source in dict.fromkeys(edge.source for edge in edges):
        known = upstream.bound(source).deferred
        if known:
            yield from (each for value in values for each in stand_ins_in(value, known))


def _count(node: PlannedNode, bound: events.InputsBound) -> int:
    try:
        count = execution_count(node, bound)
    except ValueError as problem:
        raise CannotBindError(str(problem)) from problem
    if not count and isinstance(node, PlannedTask):
        raise CannotBindError("its sweep has no parameter set: there is nothing to run")
    return count


def uris_to_fetch(state: RunState, node: PlannedNode, plan: Plan) -> tuple[str, ...]:
    """The URIs of the node's files from outside whose bytes are not known yet, each once."""
    if isinstance(node, PlannedDeployment) or not node.spec.inputs:
        return ()
    files = Upstream(plan, state, {node.name: node}).inputs(node.name).values()
    wanted = (file.uri for of_input in files for file in of_input if file.blob is None)
    return tuple(dict.fromkeys(uri for uri in wanted if uri is not None))


def filled_uris_to_find(state: RunState, node: PlannedNode, plan: Plan) -> tuple[FilledUri, ...]:
    """The URIs with parameters in them whose files are unknown. Errors: CannotBindError where a value is missing."""
    if isinstance(node, PlannedDeployment) or not any(item.base for item in node.spec.inputs):
        return ()
    from vhpipe.schedule.binding.filled_inputs import uris_to_find

    return uris_to_find(Upstream(plan, state, {node.name: node}), node)


def filled_collisions(state: RunState, node: PlannedNode, plan: Plan) -> tuple[str, ...]:
    """What is to say of files of such URIs that want one name. Errors: CannotBindError where that is not allowed."""
    if isinstance(node, PlannedDeployment) or not any(item.base for item in node.spec.inputs):
        return ()
    from vhpipe.schedule.binding.filled_inputs import collision_warnings

    return collision_warnings(Upstream(plan, state, {node.name: node}), node)


def execution_spec(
    plan: Plan, state: RunState, nodes: Mapping[str, PlannedNode], execution: ExecutionId
) -> ExecutionSpec:
    """All that one execution of a started node needs to know."""
    node, upstream = nodes[execution.node], Upstream(plan, state, nodes)
    assert not isinstance(node, PlannedDeployment), "a deployment has no executions"
    bound = upstream.bound(execution.node)
    return ExecutionSpec(
        id=execution,
        type="task" if isinstance(node, PlannedTask) else "execution",
        task_stop_condition=node.stop_condition if isinstance(node, PlannedTask) else None,
        members=len(state.nodes[node.name].executions) if is_group(node) else None,
        step=node.spec,
        values=execution_values(node, bound, execution.index, plan.seed),
        inputs=tuple(upstream.inputs(execution.node, execution.index).items()),
        environment_variables={**node.spec.environment_variables, **bound.environment_variables},
        deferred=bound.deferred,
        configuration=tuple({each.name: each for each in (*node.extras.configuration, *bound.configuration)}.values()),
    )
