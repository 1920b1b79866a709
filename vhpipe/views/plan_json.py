"""A plan as an object for programs: schema 1, to which keys may be added."""

import math
from collections.abc import Mapping, Sequence

from vhpipe.config.model import Value
from vhpipe.diagnostics import NO_MARKS, NodeMarks
from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import (
    EnvironmentValue,
    Literal,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedExecution,
    PlannedNode,
    PlannedTask,
    StepSpec,
)
from vhpipe.views.plan_sets import counted_executions, may_spread, parameter_sets, runs_that_gave
from vhpipe.views.usual_place import PlaceOf, in_usual_place

SETS_LISTED = 1000

Json = object


def plan_json(plan: Plan, marks: NodeMarks = NO_MARKS, place_of: PlaceOf = in_usual_place) -> dict[str, Json]:
    """The plan as JSON has it, with the places of nodes that are not in the usual one.

    Of more than 1,000 parameter sets of a node the first 1,000 are listed.
    """
    incoming: dict[str, list[PlannedEdge]] = {node.name: [] for node in plan.nodes}
    for edge in plan.edges:
        incoming[edge.target].append(edge)
    return {
        "schema": 1,
        "file": plan.file,
        "pipeline": plan.pipeline,
        "seed": plan.seed,
        "on_collision": plan.on_collision,
        "nodes": [_node(plan, node, incoming[node.name], place_of(node.name)) for node in plan.nodes],
        "edges": [_edge(edge) for edge in plan.edges],
        "notices": list(plan.notices),
        "ignored": list(plan.ignored),
        "problems": [
            *({"node": name, "message": each} for name, found in marks.of_nodes.items() for each in found),
            *({"node": None, "message": each} for each in marks.others),
        ],
    }


def _node(plan: Plan, node: PlannedNode, incoming: Sequence[PlannedEdge], place: str | None) -> dict[str, Json]:
    common = {
        "on_error": node.on_error,
        "actions": [
            {"when": list(action.when), "if": list(action.conditions), "then": list(action.then)}
            for action in node.actions
        ],
        "upstream": list(dict.fromkeys(edge.source for edge in incoming)),
    }
    match node:
        case PlannedExecution():
            own = {"name": node.name, "type": "execution", "executions": 1} | _spec(node.spec)
        case PlannedTask():
            own = {"name": node.name, "type": "task"} | _task(plan, node, incoming) | _spec(node.spec)
        case PlannedDeployment():
            own = {"name": node.name, "type": "deployment"} | _deployment(node)
    where: dict[str, Json] = {} if place is None else {"place": place}
    return own | common | where | ({} if node.given is None else {"given_by": list(runs_that_gave(node))})


def _task(plan: Plan, node: PlannedTask, incoming: Sequence[PlannedEdge]) -> dict[str, Json]:
    return {
        "task": node.blueprint,
        "search": node.sweep.type,
        "executions": counted_executions(node),
        "parameter_sets": [_values(values) for values in parameter_sets(node, plan.seed, SETS_LISTED)],
        "may_spread": list(may_spread(node, incoming)),
        "on_child_error": node.on_child_error,
        "maximum_queued_executions": node.maximum_queued_executions,
    }


def _spec(spec: StepSpec) -> dict[str, Json]:
    return {
        "step": spec.step,
        "commit": None if spec.commit is None else {"id": spec.commit.id, "name": spec.commit.name},
        "image": spec.image,
        "command": list(spec.command),
        "parameters": _values(in_declared_types(spec, spec.values)),
        "inputs": {item.name: {"uris": list(item.uris), "optional": item.optional} for item in spec.inputs},
        "environment_variables": {name: _variable(value) for name, value in spec.environment_variables.items()},
        "time_limit_s": spec.time_limit_s,
        "no_output_timeout_s": spec.no_output_timeout_s,
    }


def _variable(value: EnvironmentValue) -> Json:
    return value.text if isinstance(value, Literal) else {"secret": value.name}


def _deployment(node: PlannedDeployment) -> dict[str, Json]:
    return {
        "deployment": node.deployment,
        "aliases": list(node.aliases),
        "endpoints": [
            {"name": endpoint.name, "files": {file.name: file.path for file in endpoint.files}}
            for endpoint in node.endpoints
        ],
    }


def _edge(edge: PlannedEdge) -> dict[str, Json]:
    return {
        "index": edge.index,
        "source": {"node": edge.source, "kind": edge.source_kind, "key": edge.source_key},
        "target": {"node": edge.target, "kind": edge.target_kind, "key": edge.target_key},
    }


def _values(values: Mapping[str, Value]) -> dict[str, Json]:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Value) -> Json:
    """JSON has no numbers that are not finite: they are written as strings."""
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
