"""What the earlier runs of a pipeline can give to a new one.

Source: decision 60.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from vhpipe.history.past_runs import PastRun, PastRuns
from vhpipe.plan.model import CarriedResults, Plan, PlannedEdge, PlannedNode, PlannedTask
from vhpipe.plan.plan_differences import differences, edge_differences
from vhpipe.schedule.carry_over.carried_results import (
    LostOutput,
    given_children,
    given_node,
    lost_for,
    lost_output,
    origins,
)


class EarlierNode(NamedTuple):
    """A node with its results, and the run that has them."""

    run: int
    node: PlannedNode


class EarlierChildren(NamedTuple):
    """Executions of a task with their results, and the run that has them."""

    run: int
    given: CarriedResults


class EarlierRuns:
    """What the runs of one pipeline can give. Parameters: see `PastRuns.of_pipeline`."""

    def __init__(self, runs: PastRuns, pipeline: str, is_pipeline: bool = True) -> None:
        self._runs, self._pipeline, self._is_pipeline = runs, pipeline, is_pipeline
        self.passed_over: dict[tuple[str, int], LostOutput] = {}

    def node(self, name: str, edges: Sequence[PlannedEdge] = ()) -> EarlierNode | None:
        """The node as the last run has it in which it is complete; one with all its executions goes first.

        Of its outputs all must be there, and those intact that `edges` take. Those that are not stand in
        `passed_over` then, by node and run.
        """
        second = None
        for past in self._runs_with(name):
            found = given_node(past.plan, past.state, name, past.number)
            if found is None or self._is_damaged(found, past.number, edges):
                continue
            if not past.state.nodes[name].left_out:
                return EarlierNode(past.number, found)
            second = second or EarlierNode(past.number, found)
        return second

    def children(self, plan: Plan, task: PlannedTask, given: Mapping[str, PlannedNode]) -> EarlierChildren | None:
        """What the last run has of the children that `task` leaves out, as they would be now.

        They stand on the same work: `given` are the nodes that are given to the new run, and all that is before the
        task must be among them.
        """
        before = {edge.source for edge in plan.edges_into(task.name)}
        if not before <= set(given):
            return None
        for past in self._runs_with(task.name):
            if not _is_same_work(past, plan, task, {name: given[name] for name in before}):
                continue
            found = given_children(past.plan, past.state, task.name, past.number, without=task.children or ())
            if found and not self._is_damaged(msgspec.structs.replace(task, given=found), past.number, plan.edges):
                return EarlierChildren(past.number, found)
        return None

    def _is_damaged(self, node: PlannedNode, run: int, edges: Sequence[PlannedEdge]) -> bool:
        if self._runs.store is None:
            return True
        blobs = self._runs.store.blobs
        lost = lost_output(node, blobs.has) or lost_for(node, edges, blobs.is_intact)
        if lost is not None:
            self.passed_over[node.name, run] = lost
        return lost is not None

    def _runs_with(self, name: str) -> Iterator[PastRun]:
        runs = self._runs.of_pipeline(self._pipeline, self._is_pipeline)
        return (past for past in runs if name in past.state.nodes)


def _is_same_work(past: PastRun, plan: Plan, task: PlannedTask, before: Mapping[str, PlannedNode]) -> bool:
    """Whether the children of that run are what the task's would be now."""
    was = past.plan.node(task.name)
    if past.plan.seed != plan.seed or differences(was, task) or edge_differences(past.plan, plan, task.name):
        return False
    for name, node in before.items():
        there = given_node(past.plan, past.state, name, past.number) if name in past.state.nodes else None
        if there is None or origins(there) != origins(node):
            return False
    return True
