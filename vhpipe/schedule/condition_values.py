"""What the conditions of a node's actions see of it: metadata and parameters.

Source: decisions 19 and 127.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vhpipe.config.model import Value
from vhpipe.language.absence import Absence
from vhpipe.plan.execution import is_search, typed_execution_values
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode, PlannedTask
from vhpipe.schedule import events
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Json, Moment, Status
from vhpipe.sweep.parameter_sets import sweep_size


class ConditionValues(NamedTuple):
    """`absent` says what a name without a value means at the moment of the condition."""

    metadata: dict[str, Json | Absence]
    parameters: dict[str, Value]
    absent: Absence


def condition_values_of(
    plan: Plan, state: RunState, node: PlannedNode, moment: Moment, only: int | None = None
) -> ConditionValues:
    """An execution node's own values, or those of the execution `only`; of a task, tuples of its children's.

    A condition must hold for every entry of a tuple. A parameter that all children share stays a single value. At
    node-starting they are those of all children; later of the completed ones, entry by entry, with an `Absence` where a
    child has no such metric.
    """
    absent = Absence.NOT_YET if moment is Moment.STARTING else Absence.MISSING
    if isinstance(node, PlannedDeployment):
        return ConditionValues({}, {}, absent)
    executions = state.nodes[node.name].executions
    if only is None and isinstance(node, PlannedTask):
        done = [index for index, each in enumerate(executions) if each.status is Status.COMPLETE]
        if moment is Moment.STARTING or not done:
            return ConditionValues({}, _parameters_of_all(plan, state, node), Absence.NOT_YET)
        return ConditionValues(
            _metadata_of_each([executions[index].metadata for index in done]),
            _shared_values([_values(plan, state, node, index) for index in done]),
            absent,
        )
    index = only or 0
    metadata = dict(executions[index].metadata) if executions else {}
    return ConditionValues(metadata, _values(plan, state, node, index), absent)


def _metadata_of_each(done: Sequence[Mapping[str, Json]]) -> dict[str, Json | Absence]:
    keys = dict.fromkeys(key for metadata in done for key in metadata)
    return {key: tuple(metadata.get(key, Absence.MISSING) for metadata in done) for key in keys}


def _parameters_of_all(plan: Plan, state: RunState, node: PlannedTask) -> dict[str, Value]:
    count = len(state.nodes[node.name].executions)
    if not count and is_search(node):  # nothing is proposed yet
        bound = state.nodes[node.name].bound
        return {**node.spec.values, **(bound.values if bound else {})}
    children = range(count or 1 if sweep_size(node.sweep) else 0)
    return _shared_values([_values(plan, state, node, index) for index in children] or [node.spec.values])


def _values(plan: Plan, state: RunState, node: PlannedNode, index: int) -> dict[str, Value]:
    bound = state.nodes[node.name].bound or events.InputsBound(node.name)
    return typed_execution_values(node, bound, index, plan.seed)


def _shared_values(every: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    names = dict.fromkeys(name for values in every for name in values)
    return {name: _shared_value([values.get(name) for values in every]) for name in names}


def _shared_value(values: Sequence[Value]) -> Value:
    """One value for all, or a tuple with that of each; of lists it is a tuple of tuples."""
    return values[0] if all(value == values[0] for value in values) else tuple(values)  # type: ignore[arg-type]
