"""What an earlier run can give to a new one: nodes that are complete there, and the complete children of a task.

Source: decisions 60 and 61.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec

from vhpipe.config.edge_kinds import EDGE_KINDS
from vhpipe.language.globs import match_outputs
from vhpipe.plan.execution import execution_values, is_group, is_search
from vhpipe.plan.model import (
    AttemptId,
    CarriedDeployment,
    CarriedExecution,
    CarriedResults,
    Datum,
    ExecutionId,
    Origin,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedNode,
)
from vhpipe.schedule import events
from vhpipe.schedule.binding.upstream import Upstream
from vhpipe.schedule.published_results import things_published_by
from vhpipe.schedule.state import ExecutionState, NodeState, RunState
from vhpipe.schedule.terms import Status


def given_node(plan: Plan, state: RunState, name: str, run: int) -> PlannedNode | None:
    """The node as that run planned it, with its results in the place of running.

    None where it is not complete there, also where its downstream was held back and nobody has let it go on. A task
    that is complete although children failed is given with the children that are complete.
    """
    had, planned = state.nodes[name], plan.node(name)
    if had.status is not Status.COMPLETE or had.withheld is not None:
        return None
    if isinstance(planned, PlannedDeployment):
        return msgspec.structs.replace(planned, given=_given_deployment(had))
    executions = tuple(_given_executions(plan, state, planned, run))
    if not executions:
        return None
    return msgspec.structs.replace(planned, given=_results_to_carry(plan, state, planned, executions, is_whole=True))


def given_children(
    plan: Plan, state: RunState, name: str, run: int, without: Collection[int] = ()
) -> CarriedResults | None:
    """What a node has of its executions that are complete in that run, to run the others; None where there is none.

    Neither members of a group nor the tries of a search can be parted from each other.
    `without` are the indexes that run whatever is there.
    """
    planned = plan.node(name)
    if isinstance(planned, PlannedDeployment) or is_group(planned) or is_search(planned):
        return None
    found = _given_executions(plan, state, planned, run)
    executions = tuple(each for each in found if each.index not in without)
    return _results_to_carry(plan, state, planned, executions, is_whole=False) if executions else None


def origins(node: PlannedNode) -> tuple[object, ...]:
    """What tells the results of a given node from others: equal where two runs have the same work of it."""
    given = node.given
    if given is None:
        return ()
    return (given.deployment, *((each.index, each.origin) for each in given.executions))


def given_data(node: PlannedNode) -> Iterator[Datum]:
    """Every output that a given node stands for."""
    for each in node.given.executions if node.given else ():
        yield from each.outputs
        yield from (thing.datum for thing in each.published if thing.datum is not None)


class LostOutput(NamedTuple):
    """A file of a given node that is not in the store as its sha256 says; `origin` is where it was made."""

    name: str
    blob: str
    origin: Origin | None

    def __str__(self) -> str:
        what = f"output `{self.name}` of {self.origin}" if self.origin else f"input `{self.name}`"
        return f"{what} (stored file {self.blob[:16]})"


def lost_output(node: PlannedNode, is_there: Callable[[str], bool]) -> LostOutput | None:
    """The first output of a given node whose bytes are not there; `is_there` knows them by sha256."""
    return next(_lost(node, lambda name: True, is_there), None)


def lost_for(node: PlannedNode, edges: Iterable[PlannedEdge], is_intact: Callable[[str], bool]) -> LostOutput | None:
    """The first file of a given node that some edge takes and whose bytes are not intact."""
    taking = [edge for edge in edges if edge.source == node.name]
    names = [datum.name for datum in given_data(node)]
    taken: set[str] = set()
    for edge in taking:
        files = EDGE_KINDS[edge.source_kind].files
        if files == "named":
            taken.update(match_outputs(edge.source_key, names))
        elif files == "all":
            taken.update(names)
    lost = next(_lost(node, taken.__contains__, is_intact), None)
    if lost is not None or not any(EDGE_KINDS[edge.source_kind].files == "inputs" for edge in taking):
        return lost
    return next(_lost_inputs(node, is_intact), None)


"""Kinds of edges behind which references may stand, which name files in ways of their own."""


def _lost(node: PlannedNode, is_wanted: Callable[[str], bool], is_there: Callable[[str], bool]) -> Iterator[LostOutput]:
    for each in node.given.executions if node.given else ():
        data = (*each.outputs, *(thing.datum for thing in each.published if thing.datum is not None))
        for datum in data:
            if is_wanted(datum.name) and not is_there(datum.blob):
                yield LostOutput(datum.name, datum.blob, each.origin)


def _lost_inputs(node: PlannedNode, is_there: Callable[[str], bool]) -> Iterator[LostOutput]:
    """Those that an edge hands on as they came."""
    for _, files in node.given.files if node.given else ():
        for file in files:
            blob = file.blob if file.datum is None else file.datum.blob
            if blob is not None and not is_there(blob):
                yield LostOutput(file.path, blob, None)


def _results_to_carry(
    plan: Plan, state: RunState, node: PlannedNode, executions: tuple[CarriedExecution, ...], is_whole: bool
) -> CarriedResults:
    """The inputs with their blobs: the same bytes again, whatever the addresses would give now."""
    bound = state.nodes[node.name].bound or events.InputsBound(node.name)
    inputs = Upstream(plan, state, {node.name: node}).inputs(node.name)
    return CarriedResults(
        executions=executions,
        is_whole=is_whole,
        total=len(state.nodes[node.name].executions),
        files=tuple((name, files) for name, files in inputs.items() if files),
        values=bound.values,
        spread=bound.spread,
        environment_variables=bound.environment_variables,
        deferred=bound.deferred,
        configuration=bound.configuration,
    )


def _given_executions(plan: Plan, state: RunState, node: PlannedNode, run: int) -> Iterator[CarriedExecution]:
    bound = state.nodes[node.name].bound or events.InputsBound(node.name)
    for index, execution in enumerate(state.nodes[node.name].executions):
        if execution.status is Status.COMPLETE:
            yield CarriedExecution(
                index=index,
                origin=_origin(execution, ExecutionId(node.name, index), run),
                values=execution_values(node, bound, index, plan.seed),
                metadata=execution.metadata,
                use=execution.use,
                outputs=execution.outputs,
                published=things_published_by(state, ExecutionId(node.name, index)),
            )


def _origin(execution: ExecutionState, name: ExecutionId, run: int) -> Origin:
    """Where the work was done: a result that is handed on keeps the run that made it."""
    return execution.origin or Origin(run, AttemptId(name, execution.attempt))


def _given_deployment(had: NodeState) -> CarriedResults:
    made = had.deployment
    assert made is not None, "a deployment node that is complete has made its version"
    version = CarriedDeployment(made.version, made.identifier, made.version_identifier, made.files)
    return CarriedResults(total=0, deployment=version)
