"""How bayesian tasks of a plan search: what the blueprint says, and what the user adds."""

import msgspec

from vhpipe.config.model import Task, TaskType
from vhpipe.plan.model import BayesianSearch, Plan, PlannedTask

BATCH_SIZE = 10
"""Executions between two looks at the results, where the blueprint does not say. Source: decision 76."""


def search_of(task: Task) -> BayesianSearch | None:
    """The search of a blueprint; None for one whose points are known from the start."""
    if task.type is not TaskType.BAYESIAN:
        return None
    size = max(task.execution_batch_size or BATCH_SIZE, 1)
    return BayesianSearch(task.optimization_target_metric or "", size, task.optimization_target_value)


def with_goal(plan: Plan, goal: str | None) -> Plan:
    """The plan in which every search without a target value has this goal, `max` or `min`."""
    if goal is None:
        return plan

    def with_search_goal(node: PlannedTask) -> PlannedTask:
        assert node.search is not None, "only searches are aimed"
        return msgspec.structs.replace(node, search=msgspec.structs.replace(node.search, goal=goal))

    nodes = tuple(
        with_search_goal(node) if isinstance(node, PlannedTask) and node.search else node for node in plan.nodes
    )
    return msgspec.structs.replace(plan, nodes=nodes)
