"""A run asked again with changes: which nodes keep the results of the run before, and which run again for what reason.

Source: decisions 62 and 63.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from vhpipe.errors import UsageError
from vhpipe.plan.execution import is_group
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.plan.plan_differences import differences, edge_differences
from vhpipe.schedule.carry_over.carried_results import given_children, given_node
from vhpipe.schedule.state import NodeState, RunState
from vhpipe.schedule.terms import Status, what_became


class PreviousRun(NamedTuple):
    """The run before. `given` are the nodes that the new run is given in any case, for they are no part of it."""

    run: int
    plan: Plan
    state: RunState
    given: frozenset[str] = frozenset()


class RerunRequest(NamedTuple):
    """What shall run again although it is complete.

    `named` has nodes with the executions that are meant, None for all. `failed`: also nodes that are complete although
    an execution failed. `spoiled` says why the results of a node cannot be kept, None if they can.
    """

    named: Mapping[str, frozenset[int] | None]
    failed: bool
    spoiled: Callable[[PlannedNode], str | None]


class Rerun(NamedTuple):
    """A node that runs again: because of the nodes in `after`, which do too, else for the reason in words.

    `kept` of its `total` executions do not run.
    """

    node: str
    because: str
    after: tuple[str, ...] = ()
    kept: int = 0
    total: int = 0


class CarryOver(NamedTuple):
    """The plan with what is kept, and the rest with its reasons, both in the order of the plan."""

    plan: Plan
    kept: tuple[str, ...]
    reruns: tuple[Rerun, ...]


def keep(before: PreviousRun, plan: Plan, again: RerunRequest) -> CarryOver:
    """The new plan, whose kept nodes are given. A node is kept if it is complete and would be made alike now.

    A node of which some executions are complete keeps these, if all before it is kept and they would be made
    alike. Errors: UsageError where what the run before was given cannot be given again.
    """
    nodes: list[PlannedNode] = []
    reruns: dict[str, Rerun] = {}
    for node in plan.nodes:
        after = tuple(dict.fromkeys(edge.source for edge in plan.edges_into(node.name) if edge.source in reruns))
        if after:
            made, rerun = node, Rerun(node.name, "", after)
        elif node.name in before.given:
            made, rerun = _carry_again(before, node, again), None
        else:
            made, rerun = _kept_or_not(before, plan, node, again)
        nodes.append(made)
        if rerun is not None:
            reruns[node.name] = rerun
    kept = tuple(node.name for node in plan.nodes if node.name not in reruns)
    return CarryOver(msgspec.structs.replace(plan, nodes=tuple(nodes)), kept, tuple(reruns.values()))


def _carry_again(before: PreviousRun, node: PlannedNode, again: RerunRequest) -> PlannedNode:
    name = node.name
    found = _given_node(before, name)
    because = "is not complete there" if found is None else again.spoiled(found)
    if found is None or because:
        raise UsageError(f"`{name}` was not part of run {before.run} and cannot be provided again: it {because}",
                         f"make it again: vhpipe run --from {name}")  # fmt: skip
    return found


def _kept_or_not(
    before: PreviousRun, plan: Plan, node: PlannedNode, again: RerunRequest
) -> tuple[PlannedNode, Rerun | None]:
    """A node with nothing before it that runs again."""
    name, named = node.name, again.named.get(node.name, frozenset())
    if name not in before.state.nodes:
        return node, Rerun(name, "it is new")
    changed = (*differences(before.plan.node(name), node), *edge_differences(before.plan, plan, name))
    if changed:
        return node, Rerun(name, f"changed: {', '.join(changed)}")
    if named is None:
        return node, Rerun(name, "asked for")
    found = _given_node(before, name)
    spoiled = again.spoiled(found) if found is not None else None
    if spoiled:
        return node, Rerun(name, f"it {spoiled}")
    because = _why_partial(before.state.nodes[name], found, named, again.failed)
    if because is None:
        assert found is not None, "what has no results is not complete"
        return found, None
    return _partly_kept(before, node, because, named, again)


def _given_node(before: PreviousRun, name: str) -> PlannedNode | None:
    if name not in before.state.nodes:
        return None
    return given_node(before.plan, before.state, name, before.run)


def _why_partial(had: NodeState, found: PlannedNode | None, named: frozenset[int], also_failed: bool) -> str | None:
    """Why not everything of a node that would be made in the same manner is kept."""
    if had.withheld is not None:
        return "its approval was not given"
    if had.status is not Status.COMPLETE:
        return "it has not run" if had.status in (Status.CREATED, Status.SKIPPED) else f"it {what_became(had.status)}"
    if found is None or (also_failed and had.failed):
        return "it failed" if len(had.executions) == 1 else f"{had.failed} of {len(had.executions)} executions failed"
    if named:
        return f"asked for: {', '.join(f'{found.name}#{index}' for index in sorted(named))}"
    return None


def _partly_kept(
    before: PreviousRun, node: PlannedNode, because: str, named: frozenset[int], again: RerunRequest
) -> tuple[PlannedNode, Rerun]:
    """The node with the executions that are complete; the members of a group run together or not at all."""
    given = None
    if not isinstance(node, PlannedDeployment) and not is_group(node):
        given = given_children(before.plan, before.state, node.name, before.run, without=named)
    if given is None or again.spoiled(msgspec.structs.replace(node, given=given)):
        return node, Rerun(node.name, because)
    assert not isinstance(node, PlannedDeployment), "a deployment has no executions"
    made = msgspec.structs.replace(node, given=given)
    return made, Rerun(node.name, because, kept=len(given.executions), total=given.total)
