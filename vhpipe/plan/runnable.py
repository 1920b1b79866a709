"""What a plan may hold that can be shown but not run, on this machine or not yet."""

from collections.abc import Iterator

from vhpipe.plan.execution import is_group
from vhpipe.plan.model import BayesianSearch, Plan, PlannedTask
from vhpipe.sweep.parameter_sets import sweep_size

MOST_EXECUTIONS = 1_000_000
"""A slip in a range should end before it fills the memory: each execution takes some hundred bytes of the engine."""


def runnable_problems(plan: Plan, capacity: int) -> tuple[str, ...]:
    """Why the plan cannot be run with so many executions at once, one sentence per node; empty where it can."""
    return tuple(_problems(plan, capacity))


def _problems(plan: Plan, capacity: int) -> Iterator[str]:
    for node in plan.nodes:
        if not isinstance(node, PlannedTask) or node.given:
            continue
        what = f"task `{node.blueprint}` of node `{node.name}`" if node.blueprint else f"node `{node.name}`"
        if (size := sweep_size(node.sweep)) > MOST_EXECUTIONS:
            yield f"{what} has {_size_text(size)} executions; more than {MOST_EXECUTIONS:,} are not run"
        elif node.search is not None:
            yield from _search_problems(what, node.search)
        elif is_group(node) and (members := sweep_size(node.sweep)) > capacity:
            yield f"{what} is a group of {members} executions that start together; allow as many: -j {members}"


def _size_text(size: int) -> str:
    return f"{size:,}" if size < 10**15 else "more than 10¹⁵"


def _search_problems(what: str, search: BayesianSearch) -> Iterator[str]:
    if not search.metric:
        yield f"{what} searches without a metric; name it by `--metric` or `optimization-target-metric`"
    elif search.target is None and search.goal is None:
        goals = "`--goal max`, `--goal min`, `--target` or `optimization-target-value`"
        yield f"{what} does not say what is better; add {goals}"
