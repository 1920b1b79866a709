"""From a plan to a run: the run's folder is made, everything it stands on is written down, and the engine walks it."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from vhpipe import __version__
from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.identifiers import project_identifier, run_identifier
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.spec import AttemptSecrets, RunFacts
from vhpipe.attempt.thread_pool import Pool
from vhpipe.code.snapshot import take_snapshot
from vhpipe.engine.attempt_news import hearing
from vhpipe.engine.deployments import Deployer
from vhpipe.engine.hooks import HookCalls, HookThread, NodeHooks
from vhpipe.engine.input_fetching import Fetcher
from vhpipe.engine.loop import Approvals, Engine, EngineParts
from vhpipe.engine.recorder import Observer, Recorder
from vhpipe.engine.reuse import Reuse
from vhpipe.engine.run_metrics import METRICS, RunMetrics
from vhpipe.engine.versions import pipeline_version
from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import Plan
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.table import RUNNERS
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.carry_over.carried_results import missing_output
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import RunState
from vhpipe.store.journal import JournalWriter
from vhpipe.store.owner import secret_mac
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import Request, delete_request, open_wake, pending_requests
from vhpipe.store.run_folder import Repository, RunFolder, RunInfo, RunRequest
from vhpipe.store.snapshots import Snapshot, code_digest, save_snapshot


class Order(NamedTuple):
    """What the user wants run, decided before anything is written."""

    plan: Plan
    project: Path
    capacity: int
    environment: Mapping[str, str]
    title: str | None = None
    tags: tuple[str, ...] = ()
    command_line: tuple[str, ...] = ()
    repository: Repository = "copy"
    is_pipeline: bool = True
    inherits_environment: bool = False
    refresh: frozenset[str] = frozenset()
    """Nodes that run whatever could be reused for them."""
    continues: int | None = None
    """The run whose results this one was given."""
    snapshot: Snapshot | None = None
    """The code to run, where it is not that of now."""
    asked: RunRequest | None = None
    source: bytes = b""
    """The text of the pipeline's file, to be kept with what was asked for."""
    python: str | None = None
    secrets: Mapping[str, str] = MappingProxyType({})
    """The values of the plan's secrets by their HMACs; they are written nowhere."""
    shares_process: bool = False
    """Whether the engine runs in a program of the user's, whose folder and other children are not its own."""


class LockedRun(NamedTuple):
    """A run that exists on disk and whose lock this process holds.

    `past` is what its journal says so far; the run begins with `beginning`.
    """

    order: Order
    store: ProjectStore
    run: RunFolder
    info: RunInfo
    snapshot: Snapshot
    journal: JournalWriter
    beginning: stimuli.StartRequested | stimuli.ResumeRequested
    past: tuple[events.RecordedEvent, ...] = ()
    notices: tuple[str, ...] = ()
    """What the user should hear of the beginning."""


class Outcome(NamedTuple):
    """How a run ended. `signal` is what the engine was asked to end by, None without one."""

    state: RunState
    signal: int | None


def begin(order: Order, at: float) -> LockedRun:
    """Make the run: its folder, lock, plan and the snapshot of the code. `at` is wall time.

    Errors: `RefusedError` for a state folder that is not this user's, `EnvironmentFailure` for the disk.
    """
    store = ProjectStore.create(order.project)
    run = store.new_run()
    run.acquire()
    _refuse_collected(order.plan, store)
    snapshot = order.snapshot or take_snapshot(order.project, store.blobs, order.plan.file)
    save_snapshot(snapshot, run.path)
    order, notices = versioned(order, snapshot, store, run.number, at)
    run.write_plan(order.plan)
    info = RunInfo(
        number=run.number,
        identifier=run_identifier(),
        pipeline=order.plan.pipeline,
        file=order.plan.file,
        is_pipeline=order.is_pipeline,
        title=order.title,
        tags=tuple(dict.fromkeys((*order.plan.tags, *order.tags))),
        created_at=at,
        command_line=order.command_line,
        continues=order.continues,
        version=__version__,
        pipeline_version=order.plan.version,
        repository=order.repository,
        inherits_environment=order.inherits_environment,
        python=order.python,
        asked=_kept(order, store),
    )
    run.write_info(info)
    beginning = stimuli.StartRequested(Capacity(order.capacity), boot_identifier())
    journal = JournalWriter.create(run.journal_path)
    return LockedRun(order, store, run, info, snapshot, journal, beginning, notices=(*snapshot.notices, *notices))


def versioned(order: Order, snapshot: Snapshot, store: ProjectStore, run: int, at: float) -> tuple[Order, list[str]]:
    """The order with the version that its pipeline has now, and what is to be said of that."""
    found = pipeline_version(order.plan, snapshot, store.registry, run, at)
    if found is None:
        return order, []
    said = f"version {found.version}: definition or code changed since {found.declared}"
    is_new = found.run == run and found.version != found.declared
    plan = msgspec.structs.replace(order.plan, version=found.version)
    return order._replace(plan=plan), [said] if is_new else []


def _refuse_collected(plan: Plan, store: ProjectStore) -> None:
    """What the plan was given may have been removed while it was made; from now on it cannot be any more."""
    for node in plan.nodes:
        if missing := missing_output(node, store.blobs.has):
            raise EnvironmentFailure(f"output `{missing}` of `{node.name}` was removed just now", "start the run again")


def _kept(order: Order, store: ProjectStore) -> RunRequest | None:
    """What was asked for, and the text of the file that it was asked of."""
    if order.asked is None:
        return None
    return msgspec.structs.replace(order.asked, source=store.blobs.write(order.source)[0])


def walk(
    begun: LockedRun, observers: Sequence[Observer], approvals: Approvals, hook_calls: HookCalls | None = None
) -> Outcome:
    """Run it to its end. `hook_calls` calls hooks in some other way than as processes.

    `VhpipeError` where the world fails; the journal then holds what was true until then.
    """
    order, run = begun.order, begun.run
    scheduler = Scheduler(order.plan, begun.past)
    recorder = Recorder(begun.journal, observers)
    requests = RunRequests(run)
    engine = Engine(scheduler, recorder, requests, approvals, Deployer(begun.store, run.number), observers)
    pool = Pool(engine.hand_over, engine.fail)
    facts = _facts(begun)
    fingerprints = Fingerprints(facts.code, frozenset(facts.changed_secrets))
    metrics = RunMetrics(f"{run.path}/{METRICS}", order.plan)
    store, children = begun.store, OwnChildren()
    runner = RUNNERS["process"].make(
        RunnerParts(
            run=facts,
            secrets=_secrets(order),
            store=store,
            folder=run,
            snapshot=begun.snapshot,
            repository=order.repository,
            selector=engine.selector,
            pool=pool,
            hear=hearing(engine.hear, engine.hear_soon, metrics),
            monitored=metrics.monitored,
            others=children,
            shares_process=order.shares_process,
        )
    )
    reuse = Reuse(
        run, store.reuse, store.blobs, fingerprints, order.refresh, pool, engine.hear_soon,
        lambda execution: scheduler.state.execution(execution).status,
    )  # fmt: skip
    has_hooks = any(node.hooks for node in order.plan.nodes)
    thread = HookThread(hook_calls or (hooks_as_processes(begun, children) if has_hooks else None), engine.hand_over)
    hooks = NodeHooks(scheduler, run.number, thread, engine.hear)
    recorder.observers = (*observers, hooks, metrics)
    engine.equip(EngineParts(runner, pool, Fetcher(store.blobs), reuse, hooks))
    try:
        engine.run(begun.beginning)
    finally:
        thread.close()
        pool.close()
        reuse.close()
        runner.close()
    recorder.close()
    requests.close()
    engine.close()
    run.release()
    return Outcome(scheduler.state, engine.received_signal())


def hooks_as_processes(begun: LockedRun, children: OwnChildren | None = None) -> HookCalls:
    """What calls hooks as processes; what these print is kept in the run's folder, without secrets."""
    from vhpipe.engine.hook_processes import HOOK_LOG, HookLog, ProcessHooks  # most runs have no hook

    order = begun.order
    shell = shell_of(order.environment.get("PATH"))
    log = HookLog(begun.run.path / HOOK_LOG, _secrets(order).masking)
    return ProcessHooks(order.project, order.environment, shell, log, children=children)


def is_closed(order: Order) -> bool:
    """Whether steps depend on nothing but what fingerprints have. Source: decisions 25 and 57."""
    return not order.inherits_environment and order.repository != "in-place"


def _secrets(order: Order) -> AttemptSecrets:
    return AttemptSecrets(dict(order.environment), dict(order.secrets))


def _facts(begun: LockedRun) -> RunFacts:
    order, info, snapshot = begun.order, begun.info, begun.snapshot
    return RunFacts(
        number=info.number,
        identifier=info.identifier,
        pipeline=info.pipeline,
        title=info.title,
        tags=info.tags,
        is_pipeline=info.is_pipeline,
        version=info.version,
        project_identifier=project_identifier(str(order.project)),
        project_name=f"local/{order.project.name}",
        commit=snapshot.commit_identifier,
        shell=shell_of(order.environment.get("PATH")),
        code=code_digest(snapshot) if is_closed(order) else None,
        changed_secrets=_changed_secrets(order),
    )


def _changed_secrets(order: Order) -> tuple[str, ...]:
    """The HMACs in the plan that are not those of the values of now."""
    return tuple(mac for mac, value in order.secrets.items() if secret_mac(value, os.environ) != mac)


def shell_of(path: str | None) -> str:
    """bash if there is one, else sh. Source: decision 7."""
    return shutil.which("bash", path=path) or shutil.which("sh", path=path) or "/bin/sh"


class RunRequests:
    """The requests folder of one run."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._wake = open_wake(run)

    def wake_descriptor(self) -> int:
        return self._wake

    def take(self) -> Sequence[Request]:
        return pending_requests(self._run)

    def delete(self, request: Request) -> None:
        delete_request(self._run, request.id)

    def close(self) -> None:
        os.close(self._wake)


def boot_identifier() -> str:
    """Another text after each start of this machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def default_capacity() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
