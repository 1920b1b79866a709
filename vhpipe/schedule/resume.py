"""A run that goes on: whether it may, and what becomes of what was under way, stopped or skipped when it ended."""

from collections.abc import Sequence

from vhpipe.plan.execution import is_group
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.state import NodeState, RunState
from vhpipe.schedule.terms import Moment, Status

ENGINE_GONE = "the engine ended before it did"
OUTPUTS_GONE = "its outputs are missing or damaged"
INPUTS_GONE = "its inputs are made again"
HELD = {Moment.STARTING: Status.CREATED, Moment.COMPLETE: Status.COMPLETE}
"""The status of a node that an approval holds back. One that is being made again is asked about when it is complete."""


def why_not_resumable(state: RunState) -> str | None:
    """Why a run cannot go on as it is, in words after `run 3 `; None if it can."""
    if state.status is Status.COMPLETE:
        return "is complete: there is nothing left to do"
    if state.refused is not None:
        return f"ended because the approval of `{state.refused}` was refused"
    if state.status is Status.ERROR:
        return f"ended in error: {state.because}"
    if state.status is Status.STOPPED and not (state.stopping and state.stopping.by_user):
        return f"was ended by its own pipeline: {state.because}"
    return None


def reopen(ledger: Ledger, resumed: stimuli.ResumeRequested) -> None:
    """Have the run started again, with everything taken back that only its stop had done.

    Attempts under way that were not found are lost. Nodes that failed stay as they are, and so do those that are
    skipped because of them.
    """
    state = ledger.state
    was_stopped = state.stopping is not None and state.stopping.by_user
    ledger.emit(events.RunResumed(resumed.capacity.slots, resumed.boot, resumed.capacity.amounts))
    found = {report.attempt.execution for report in resumed.found}
    for name, node in state.nodes.items():
        for index, execution in enumerate(node.executions if node.running else ()):
            if execution.status is Status.STARTED and (lost := ExecutionId(name, index)) not in found:
                ledger.emit(events.AttemptLost(AttemptId(lost, execution.attempt), ENGINE_GONE))
    if state.stopping is not None:
        return  # it only goes on to its end
    _make_again(ledger, [each for each in resumed.damaged if _may_be_made_again(state.nodes[each.node])])
    if was_stopped:
        _take_back_stop(ledger)
    _ask_again(ledger)


def _may_be_made_again(node: NodeState) -> bool:
    """Not where nothing starts any more, nor where it would not help: what has failed stays so."""
    return node.stopping is None and node.status is not Status.ERROR


def _make_again(ledger: Ledger, damaged: Sequence[ExecutionId]) -> None:
    """Queue executions again whose outputs are gone, and have what is under way behind them wait for the new ones."""
    state = ledger.state
    for execution in damaged:
        ledger.emit(events.AttemptLost(AttemptId(execution, state.execution(execution).attempt), OUTPUTS_GONE))
    for name in _broken_groups(ledger):
        _start_over(ledger, name)
    for name in {below: None for each in damaged for below in state.downstream[each.node]}:
        _start_over(ledger, name)


def _broken_groups(ledger: Ledger) -> list[str]:
    """Nodes whose executions need each other, and of which some will start again."""
    groups = (planned.name for planned in ledger.plan.nodes if is_group(planned))
    statuses = {name: {each.status for each in ledger.state.nodes[name].executions} for name in groups}
    return [name for name, found in statuses.items() if found & {Status.QUEUED, Status.STOPPED}]


def _start_over(ledger: Ledger, name: str) -> None:
    """Have a node that is under way wait for its inputs once more: they are being made again."""
    node = ledger.state.nodes[name]
    if node.status not in (Status.STARTED, Status.STOPPED):
        return
    for index, execution in enumerate(node.executions):
        if execution.status in (Status.COMPLETE, Status.STARTED):
            ledger.emit(events.AttemptLost(AttemptId(ExecutionId(name, index), execution.attempt), INPUTS_GONE))
    ledger.emit(events.NodeReopened(name, Status.CREATED))


def _take_back_stop(ledger: Ledger) -> None:
    """Reopen nodes in topological order: one that was skipped only if what it needs before it may still complete."""
    hopeful: set[str] = set()
    upstream: dict[str, list[str]] = {node.name: [] for node in ledger.plan.nodes}
    for edge in ledger.plan.edges:
        upstream[edge.target].append(edge.source)
    for planned in ledger.plan.nodes:
        name, node = planned.name, ledger.state.nodes[planned.name]
        is_enough = any if planned.extras.any_before else all
        if node.status is Status.SKIPPED and is_enough(source in hopeful for source in upstream[name]):
            ledger.emit(events.NodeReopened(name, Status.CREATED))
        elif node.status is Status.STARTED or node.settled_in_stop:
            _reopen_executions(ledger, name, node)
        if node.status in (Status.CREATED, Status.STARTED, Status.COMPLETE):
            hopeful.add(name)


def _reopen_executions(ledger: Ledger, name: str, node: NodeState) -> None:
    """Queue what the stop has stopped; a node that is complete or stopped settles anew, with the actions it missed."""
    stopped = tuple(index for index, each in enumerate(node.executions) if each.status is Status.STOPPED)
    queued = () if node.stopping else stopped
    if queued or node.status in (Status.COMPLETE, Status.STOPPED):
        ledger.emit(events.NodeReopened(name, Status.STARTED, queued))


def _ask_again(ledger: Ledger) -> None:
    """Approvals that nobody has given are asked for once more."""
    for name, node in ledger.state.nodes.items():
        moment = node.withheld
        if moment is None or node.status is not HELD[moment] or ledger.state.stopping:
            continue
        if node.awaiting is None:
            ledger.emit(events.ApprovalAwaited(name, moment))
        ledger.ask(effects.AskApproval(name, moment))
