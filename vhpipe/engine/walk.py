"""A run that is begun is walked to its end: the parts of an engine are built on its inbox, then the engine itself."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.running_clock import RunningClock
from vhpipe.attempt.spec import RunFacts
from vhpipe.attempt.thread_pool import Pool
from vhpipe.code.sources import stored_sources
from vhpipe.code.step_code import ProjectCode
from vhpipe.engine.attempt_news import hearing
from vhpipe.engine.effect_performer import EffectPerformer
from vhpipe.engine.gpu_pool import GpuPool
from vhpipe.engine.hooks import HookCalls, HookThread, NodeHooks
from vhpipe.engine.inbox import Inbox
from vhpipe.engine.input_fetching import Fetcher
from vhpipe.engine.loop import Engine
from vhpipe.engine.order import Beginning, LockedRun
from vhpipe.engine.protocols import Approvals, DeploymentMaker, ParameterSearch
from vhpipe.engine.recorder import Observer, Recorder
from vhpipe.engine.reuse import Reuse
from vhpipe.engine.reuse_candidates import ReuseCandidates, RunExecutions, results_taken
from vhpipe.engine.run_facts import facts_of, secrets_of, shell_of
from vhpipe.engine.run_metrics import RunMetrics
from vhpipe.engine.run_requests import RunRequests
from vhpipe.engine.signals import StopSignals
from vhpipe.engine.timers import Timers
from vhpipe.plan.execution import is_search
from vhpipe.plan.model import Plan, PlannedDeployment
from vhpipe.runners.by_place import runner_of
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import Runner
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import RunState


class Outcome(NamedTuple):
    """How a run ended. `signal` is what the engine was asked to end by, None without one."""

    state: RunState
    signal: int | None


def walk(
    begun: LockedRun, observers: Sequence[Observer], approvals: Approvals, hook_calls: HookCalls | None = None
) -> Outcome:
    """Run it to its end. `hook_calls` calls hooks by other means than processes.

    `VhpipeError` where the world fails; the journal then holds what was true until then.
    """
    scheduler, inbox, children = Scheduler(begun.order.plan, begun.past), Inbox(), OwnChildren()
    clock = RunningClock()
    pool = Pool(inbox.hand_over, inbox.fail)
    metrics = RunMetrics(str(begun.run.metrics_path), begun.order.plan)
    facts = facts_of(begun)
    runner = _runner(begun, facts, scheduler, inbox, pool, metrics, children, clock)
    reuse = _reuse(begun, facts, scheduler, inbox, pool)
    thread = HookThread(hook_calls or _hook_calls(begun, children), inbox.hand_over)
    hooks = NodeHooks(scheduler, begun.run.number, thread, inbox.hear)
    recorder = Recorder(begun.journal, (*observers, hooks, metrics), clock)
    fetcher = Fetcher(begun.store.blobs, begun.order.true_uris)
    performer = EffectPerformer(
        scheduler=scheduler,
        inbox=inbox,
        runner=runner,
        pool=pool,
        timers=Timers(clock),
        reuse=reuse,
        fetcher=fetcher,
        hooks=hooks,
        search=_search(begun.order.plan),
        approvals=approvals,
        deployer=_deployer(begun),
        gpus=GpuPool(begun.order.gpus, scheduler.state.is_running),
    )
    requests, signals = RunRequests(begun.run), StopSignals()
    engine = Engine(scheduler, inbox, recorder, performer, requests, signals, observers, clock)
    try:
        with signals.caught(inbox.bell_descriptor):
            engine.run(at_place(begun.beginning, runner.capacity))
    finally:
        for part in (thread, fetcher, pool, reuse, runner):
            part.close()
    for held in (recorder, requests, inbox):
        held.close()
    begun.run.release()
    return Outcome(scheduler.state, signals.first())


def at_place(beginning: Beginning, place: Capacity) -> Beginning:
    """The beginning of a run with all that the place counts too; how many slots there are is what the user says."""
    amounts = {**place.amounts, **beginning.capacity.amounts}
    return msgspec.structs.replace(beginning, capacity=Capacity(beginning.capacity.slots, amounts))


def _runner(
    begun: LockedRun,
    facts: RunFacts,
    scheduler: Scheduler,
    inbox: Inbox,
    pool: Pool,
    metrics: RunMetrics,
    others: OwnChildren,
    clock: RunningClock,
) -> Runner:
    def explain(report: stimuli.AttemptReported) -> stimuli.AttemptReported:
        from vhpipe.engine.damaged_inputs import with_origin

        return with_origin(report, scheduler.state, begun.run.number)

    return runner_of(
        begun.info,
        begun.order.plan,
        RunnerParts(
            run=facts,
            secrets=secrets_of(begun.order),
            store=begun.store,
            folder=begun.run,
            snapshot=begun.snapshot,
            repository=begun.order.repository,
            has_network=begun.info.has_network,
            selector=inbox.selector,
            pool=pool,
            hear=hearing(inbox.hear, metrics, explain),
            monitored=metrics.monitored,
            others=others,
            shares_process=begun.order.shares_process,
            clock=clock,
            containers=begun.order.containers,
        ),
    )


def _reuse(begun: LockedRun, facts: RunFacts, scheduler: Scheduler, inbox: Inbox, pool: Pool) -> Reuse:
    store, refresh = begun.store, begun.order.refresh
    code = None if facts.code is None else ProjectCode(begun.snapshot, facts.code, stored_sources(store.blobs.read))
    fingerprints = Fingerprints(code, frozenset(facts.changed_secrets))
    executions = RunExecutions(scheduler, fingerprints, refresh)
    taken = results_taken(scheduler)
    candidates = ReuseCandidates(store.reuse, fingerprints, executions, taken, begun.run.number)
    return Reuse(begun.run, store.reuse, store.blobs, candidates, refresh, pool, inbox.hear, executions)


def _search(plan: Plan) -> ParameterSearch | None:
    """None for a plan in which no task searches."""
    if not any(map(is_search, plan.nodes)):
        return None
    from vhpipe.engine.optuna_search import OptunaSearch

    return OptunaSearch()


def _deployer(begun: LockedRun) -> DeploymentMaker | None:
    """None for a plan without deployments."""
    if not any(isinstance(node, PlannedDeployment) for node in begun.order.plan.nodes):
        return None
    from vhpipe.engine.deployments import Deployer

    return Deployer(begun.store, begun.run.number)


def _hook_calls(begun: LockedRun, children: OwnChildren) -> HookCalls | None:
    has_hooks = any(node.hooks for node in begun.order.plan.nodes)
    return hooks_as_processes(begun, children) if has_hooks else None


def hooks_as_processes(begun: LockedRun, children: OwnChildren | None = None) -> HookCalls:
    """What calls hooks as processes; what these print is kept in the run's folder, without secrets."""
    from vhpipe.engine.hook_processes import HookLog, ProcessHooks  # most runs have no hook

    order = begun.order
    shell = shell_of(order.environment.get("PATH"))
    log = HookLog(begun.run.hook_log_path, secrets_of(order).masking)
    return ProcessHooks(order.project, order.environment, shell, log, children=children)
