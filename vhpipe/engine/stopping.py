"""Stopping a run whose engine has died: its journal gets the end that the engine would have written."""

import time

from vhpipe.engine.deployments import Deployer
from vhpipe.engine.resume import PATIENCE_S, under_way
from vhpipe.plan.model import PlannedDeployment
from vhpipe.runners.by_place import survivors_of
from vhpipe.runners.remains import EarlierAttempts
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.resume import ENGINE_GONE
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import SETTLED, Status
from vhpipe.store.journal import JournalWriter
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import delete_request, pending_requests
from vhpipe.store.run_folder import RunFolder


def stop_dead_run(store: ProjectStore, run: RunFolder, because: str) -> RunState:
    """The state of a run that is stopped now, and may be resumed; one that had ended stays as it is.

    What its attempts have left is taken over if their manifest says so. Errors: RefusedError if an engine is there,
    EnvironmentFailure for damaged records.
    """
    run.acquire(PATIENCE_S)
    try:
        return _stop(store, run, because)
    finally:
        run.release()


def _stop(store: ProjectStore, run: RunFolder, because: str) -> RunState:
    info, plan = run.info(), run.plan()
    if not run.journal_path.exists():
        JournalWriter.create(run.journal_path).close()
    journal, past = JournalWriter.reopen(run.journal_path)
    try:
        scheduler = Scheduler(plan, past)
        if scheduler.state.status in SETTLED:
            return scheduler.state
        attempts = tuple(under_way(scheduler.state))
        survivors = survivors_of(info, EarlierAttempts(attempts, run, info.identifier, store.blobs))
        found = {report.attempt: report for report in survivors.reports}
        if not past:
            _record(journal, scheduler, stimuli.StartRequested(Capacity(0)))
        _record(journal, scheduler, stimuli.StopRequested(because))
        for attempt in attempts:
            gone = stimuli.AttemptReported(attempt, Status.STOPPED, because=ENGINE_GONE)
            _record(journal, scheduler, found.get(attempt, gone))
        for report in _deployments(store, run.number, scheduler):
            _record(journal, scheduler, report)
        journal.sync()
    finally:
        journal.close()
    _forget_stop_requests(run)
    return scheduler.state


def _record(journal: JournalWriter, scheduler: Scheduler, stimulus: stimuli.Stimulus) -> None:
    """What is asked for is left undone: nothing starts in a run that is stopping."""
    journal.append(scheduler.handle(stimulus).events, time.time())


def _deployments(store: ProjectStore, number: int, scheduler: Scheduler) -> tuple[stimuli.DeploymentReported, ...]:
    """Deployment versions that were being made are made to the end, as by an engine that is stopped."""
    deployer = Deployer(store, number)
    return tuple(
        deployer.make(node, dict((state.bound or events.InputsBound(node.name)).files))
        for node in scheduler.plan.nodes
        if isinstance(node, PlannedDeployment) and (state := scheduler.state.nodes[node.name]).making_deployment
    )


def _forget_stop_requests(run: RunFolder) -> None:
    """They are granted; when the run is resumed nobody wants it stopped at once."""
    for request in pending_requests(run):
        if request.kind == "stop":
            delete_request(run, request.id)
