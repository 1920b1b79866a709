"""What a plan may hold that can be shown but not run, on this machine or not yet."""

from collections.abc import Iterator

from vhpipe.config.model import TaskType
from vhpipe.plan.execution import is_group
from vhpipe.plan.model import Plan, PlannedTask
from vhpipe.plan.sweeps import sweep_size

NOT_RUN_YET = (TaskType.BAYESIAN,)


def runnable_problems(plan: Plan, capacity: int) -> tuple[str, ...]:
    """Why the plan cannot be run with so many executions at once, one sentence per node; empty where it can."""
    return tuple(_problems(plan, capacity))


def _problems(plan: Plan, capacity: int) -> Iterator[str]:
    for node in plan.nodes:
        if not isinstance(node, PlannedTask) or node.given:
            continue
        what = f"task `{node.blueprint}` of node `{node.name}`"
        if node.sweep.type in NOT_RUN_YET:
            yield f"{what} is of type `{node.sweep.type}`, which this version of vhpipe cannot run yet"
        elif is_group(node) and (members := sweep_size(node.sweep)) > capacity:
            yield f"{what} is a group of {members} executions that start together; allow as many: -j {members}"
