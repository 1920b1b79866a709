"""What the runs of a project can give to a new one.

Source: decision 60.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import CarriedResults, Plan, PlannedNode, PlannedTask
from vhpipe.plan.plan_differences import differences, edge_differences
from vhpipe.schedule.carry_over.carried_results import given_children, given_data, given_node, origins
from vhpipe.schedule.state import RunState
from vhpipe.store.blobs import Blobs
from vhpipe.store.journal import read_journal
from vhpipe.store.project import FOLDER, ProjectStore
from vhpipe.store.run_folder import RunFolder


class PastRun(NamedTuple):
    """A run as far as it came."""

    number: int
    plan: Plan
    state: RunState


class EarlierNode(NamedTuple):
    """A node with its results, and the run that has them."""

    run: int
    node: PlannedNode


class EarlierChildren(NamedTuple):
    run: int
    given: CarriedResults


def past_run(folder: RunFolder) -> PastRun:
    """Errors: EnvironmentFailure for a run that cannot be read."""
    plan = folder.plan()
    state = RunState.of(plan)
    for recorded in read_journal(folder.journal_path):
        state.apply(recorded.event)
    return PastRun(folder.number, plan, state)


def missing_output(node: PlannedNode, blobs: Blobs) -> str | None:
    """The name of an output of a given node whose bytes are not there any more."""
    return next((datum.name for datum in given_data(node) if not blobs.has(datum.blob)), None)


class EarlierRuns:
    """The runs of one pipeline, the newest first, each read when it is needed."""

    def __init__(self, project: Path, pipeline: str, is_pipeline: bool = True) -> None:
        """`is_pipeline` is False for runs of a single step or task, which `pipeline` then names."""
        self._store = ProjectStore.open(project) if os.path.lexists(project / FOLDER) else None
        self._pipeline, self._is_pipeline = pipeline, is_pipeline
        self._past = lru_cache(maxsize=None)(_readable)

    def node(self, name: str) -> EarlierNode | None:
        """The node as the last run has it in which it is complete; one with all its executions goes first."""
        second = None
        for past in self._runs_with(name):
            found = given_node(past.plan, past.state, name, past.number)
            if found is None or self._is_damaged(found):
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
            if found and not self._is_damaged(msgspec.structs.replace(task, given=found)):
                return EarlierChildren(past.number, found)
        return None

    def _is_damaged(self, node: PlannedNode) -> bool:
        return self._store is None or missing_output(node, self._store.blobs) is not None

    def _runs_with(self, name: str) -> Iterator[PastRun]:
        for folder in self._folders():
            past = self._past(folder)
            if past is not None and name in past.state.nodes:
                yield past

    def _folders(self) -> Iterable[RunFolder]:
        for folder in reversed(self._store.runs() if self._store else ()):
            try:
                info = folder.info()
            except EnvironmentFailure:
                continue
            if (info.pipeline, info.is_pipeline) == (self._pipeline, self._is_pipeline):
                yield folder


def _readable(folder: RunFolder) -> PastRun | None:
    """None for a run of another version, or one that never got its plan: it gives nothing."""
    try:
        return past_run(folder)
    except EnvironmentFailure:
        return None


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
