"""A run that was killed or stopped goes on: with its own plan, its own code, and all that was complete.

What its attempts have left is taken over if their manifest says so; all else they left is removed.
"""

from collections.abc import Callable, Collection, Iterator

from vhpipe.code.working_copies import remove_tree
from vhpipe.engine.order import LockedRun, Order
from vhpipe.engine.places_here import refuse_unusable
from vhpipe.engine.start import boot_identifier
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedDeployment
from vhpipe.runners.by_place import survivors_of
from vhpipe.runners.remains import EarlierAttempts
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import GPU, Capacity, amount_text
from vhpipe.schedule.resume import why_not_resumable
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import NodeState, RunState
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.journal import JournalWriter
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import delete_request, pending_requests
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.snapshots import Snapshot, load_snapshot
from vhpipe.wording import plural

PATIENCE_S = 2.0
"""How long a run may still be held by what is about to die. Source: architecture, the supervisor."""


def continue_run(store: ProjectStore, run: RunFolder, order: Order) -> LockedRun:
    """The run, held by this process and ready to walk on; the order has its own plan.

    Errors: RefusedError while another process runs it, UsageError for one that cannot go on as it is,
    EnvironmentFailure for one whose plan, code or journal is damaged.
    """
    run.acquire(PATIENCE_S)
    info, snapshot = run.info(), load_snapshot(run.path)
    journal, past = JournalWriter.reopen(run.journal_path)
    state = Scheduler(order.plan, past).state
    if reason := why_not_resumable(state):
        journal.close()
        raise _not_resumable(run.number, reason, state)
    try:
        _refuse_lost_places(info, order.plan, state)
    except EnvironmentFailure:
        journal.close()
        raise
    _forget_stops(run)
    lost = tuple(under_way(state))
    survivors = survivors_of(info, EarlierAttempts(lost, run, info.identifier, store.blobs))
    _remove_unknown(run, state)
    boot = boot_identifier()
    _refuse_lost_code(run, snapshot, store.blobs.verify)
    # after a loss of power every byte is read again, else those that somebody still needs
    needed = set(state.nodes) if state.boot != boot else _nodes_still_needed(state)
    capacity, damaged = Capacity(order.capacity, dict(order.amounts)), _damaged_executions(state, store.blobs, needed)
    resumed = stimuli.ResumeRequested(capacity, boot, survivors.reports, damaged)
    beginning = resumed if past else stimuli.StartRequested(capacity, boot)
    notices = (*_gone_gpus(state, order), *order.notices)
    return LockedRun(order, store, run, info, snapshot, journal, beginning, past, notices)


def _gone_gpus(state: RunState, order: Order) -> Iterator[str]:
    """What is said where this machine has fewer GPUs than the run had before."""
    before, now = state.capacity.amounts.get(GPU, 0), order.amounts.get(GPU, 0)
    if now < before:
        yield f"the run had {amount_text(GPU, before)} to share, and there {plural(now, 'is', 'are')} {now} now"


def _refuse_lost_places(info: RunInfo, plan: Plan, state: RunState) -> None:
    """A run goes on where it was, or not at all."""
    steps = (node.name for node in plan.nodes if not isinstance(node, PlannedDeployment))
    for place in {info.place_of(name) for name in steps if state.nodes[name].status is not Status.COMPLETE}:
        try:
            refuse_unusable(place)
        except EnvironmentFailure as failure:
            again = f"vhpipe resume {info.number} --failed --in PLACE"
            raise EnvironmentFailure(
                f"run {info.number} cannot continue where it was: {failure.message}",
                f"{failure.hint or ''}; a new run can take over what is complete at another place: {again}",
            ) from None


def _forget_stops(run: RunFolder) -> None:
    """A stop that came as the engine ended was for that engine; answers to approvals are still wanted."""
    for request in pending_requests(run):
        if request.kind == "stop":
            delete_request(run, request.id)


def _remove_unknown(run: RunFolder, state: RunState) -> None:
    """Remove what is left of attempts that the journal has lost with the power: others will have their numbers."""
    for name, node in state.nodes.items():
        known = {str(index): execution.attempt for index, execution in enumerate(node.executions)}
        for folder in run.node_folder(name).glob("*.*"):
            index, _, number = folder.name.partition(".")
            if number.isdecimal() and int(number) > known.get(index, 0):
                remove_tree(str(folder))


def _not_resumable(number: int, reason: str, state: RunState) -> UsageError:
    if state.status is Status.COMPLETE:
        return UsageError(f"run {number} {reason}", "start another with `vhpipe run`")
    hint = f"a new run can take over what is complete: vhpipe resume {number} --with-changes"
    return UsageError(f"run {number} {reason}", hint)


def under_way(state: RunState) -> Iterator[AttemptId]:
    """The attempts that had begun and of which no end is recorded."""
    for name, node in state.nodes.items():
        for index, execution in enumerate(node.executions if node.running else ()):
            if execution.status is Status.STARTED:
                yield AttemptId(ExecutionId(name, index), execution.attempt)


def _nodes_still_needed(state: RunState) -> set[str]:
    """The nodes on which one stands that is not complete."""
    is_complete = {name: node.status is Status.COMPLETE for name, node in state.nodes.items()}
    return {name for name, following in state.downstream.items() if not all(is_complete[each] for each in following)}


def _damaged_executions(state: RunState, blobs: Blobs, needed: Collection[str]) -> tuple[ExecutionId, ...]:
    """Complete executions of which an output is gone, in topological order; what is needed is verified.

    What is made again needs what is before it, so the last nodes are looked at first.
    """
    found: dict[str, list[ExecutionId]] = {}
    for name in reversed(state.nodes):
        is_needed = name in needed or any(found[each] for each in state.downstream[name])
        found[name] = list(_damaged_of(name, state.nodes[name], blobs.verify if is_needed else blobs.has))
    return tuple(execution for name in state.nodes for execution in found[name])


def _damaged_of(name: str, node: NodeState, is_intact: Callable[[str], bool]) -> Iterator[ExecutionId]:
    for index, execution in enumerate(node.executions if node.completed else ()):
        if execution.status is Status.COMPLETE and not all(is_intact(datum.blob) for datum in execution.outputs):
            yield ExecutionId(name, index)


def _refuse_lost_code(run: RunFolder, snapshot: Snapshot, is_intact: Callable[[str], bool]) -> None:
    for entry in snapshot.all_entries():
        if entry.link is None and not is_intact(entry.blob):
            raise EnvironmentFailure(
                f"run {run.number} cannot continue: `{entry.path}` of its code is missing or damaged",
                hint=f"a new run can take over what is complete: vhpipe resume {run.number} --with-changes",
            )
