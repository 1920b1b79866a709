"""What a plan may hold that can be shown but not run yet."""

from vhpipe.config.model import TaskType
from vhpipe.plan.model import Plan, PlannedTask

NOT_RUN_YET = (TaskType.BAYESIAN, TaskType.DISTRIBUTED)


def runnable_problems(plan: Plan) -> tuple[str, ...]:
    """Why the plan cannot be run, one sentence per node; empty where it can."""
    return tuple(
        f"task `{node.blueprint}` of node `{node.name}` is of type `{node.sweep.type}`,"
        " which this version of vhpipe cannot run yet"
        for node in plan.nodes
        if isinstance(node, PlannedTask)
        and node.sweep.type in NOT_RUN_YET
        and not (node.given and node.given.is_whole)
    )
