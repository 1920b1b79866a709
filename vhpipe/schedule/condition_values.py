"""What the conditions of a node's actions see of it: metadata and parameters.

Source: decision 19.
"""

from typing import NamedTuple

from vhpipe.config.model import Value
from vhpipe.plan.execution import is_search, typed_execution_values
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode, PlannedTask
from vhpipe.schedule import events
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Json, Status
from vhpipe.sweep.parameter_sets import sweep_size


class ConditionValues(NamedTuple):
    metadata: dict[str, Json]
    parameters: dict[str, Value]


def condition_values_of(plan: Plan, state: RunState, node: PlannedNode, only: int | None = None) -> ConditionValues:
    """An execution node's own values, or those of the execution `only`; of a task, tuples of its children's.

    A condition must hold for every entry of a tuple. A parameter that all children share stays a single value;
    metadata are those of the completed children.
    """
    if isinstance(node, PlannedDeployment):
        return ConditionValues({}, {})
    if only is None and isinstance(node, PlannedTask):
        return ConditionValues(_task_metadata(state, node), _task_parameters(plan, state, node))
    executions = state.nodes[node.name].executions
    index = only or 0
    return ConditionValues(dict(executions[index].metadata) if executions else {}, _values(plan, state, node, index))


def _task_metadata(state: RunState, node: PlannedTask) -> dict[str, Json]:
    executions = state.nodes[node.name].executions
    done = [execution.metadata for execution in executions if execution.status is Status.COMPLETE]
    keys = dict.fromkeys(key for metadata in done for key in metadata)
    return {key: tuple(metadata[key] for metadata in done if key in metadata) for key in keys}


def _task_parameters(plan: Plan, state: RunState, node: PlannedTask) -> dict[str, Value]:
    count = len(state.nodes[node.name].executions)
    if not count and is_search(node):  # nothing is proposed yet
        bound = state.nodes[node.name].bound
        return {**node.spec.values, **(bound.values if bound else {})}
    children = range(count or 1 if sweep_size(node.sweep) else 0)
    every = [_values(plan, state, node, index) for index in children] or [node.spec.values]
    return {key: _shared_value([values.get(key) for values in every]) for key in every[0]}


def _values(plan: Plan, state: RunState, node: PlannedNode, index: int) -> dict[str, Value]:
    bound = state.nodes[node.name].bound or events.InputsBound(node.name)
    return typed_execution_values(node, bound, index, plan.seed)


def _shared_value(values: list[Value]) -> Value:
    if all(value == values[0] for value in values):
        return values[0]
    return tuple(value for value in values if isinstance(value, bool | int | float | str))
