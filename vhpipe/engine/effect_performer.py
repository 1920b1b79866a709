"""Who does what the scheduler asks for. Whatever comes of it is heard later, by the inbox."""

from typing import NamedTuple, assert_never

from vhpipe.engine.gpu_pool import GpuPool
from vhpipe.engine.protocols import (
    Approvals,
    DeploymentMaker,
    HookCaller,
    InputFetcher,
    ParameterSearch,
    ReuseLookup,
    Waker,
)
from vhpipe.engine.timers import Timers
from vhpipe.plan.model import AttemptId, PlannedDeployment, PlannedTask
from vhpipe.runners.parts import WorkPool
from vhpipe.runners.protocol import AttemptOrder, Runner
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import GPU
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status


class EffectPerformer(NamedTuple):
    """One for each kind of work; `pool` keeps from the engine's thread what takes long.

    `search` is None where no task of the plan searches, `deployer` where the plan has no deployment.
    """

    scheduler: Scheduler
    inbox: Waker
    runner: Runner
    pool: WorkPool
    timers: Timers
    reuse: ReuseLookup
    fetcher: InputFetcher
    hooks: HookCaller
    search: ParameterSearch | None
    approvals: Approvals
    deployer: DeploymentMaker | None
    gpus: GpuPool

    def perform(self, effect: effects.Effect) -> None:
        match effect:
            case effects.StartAttempts():
                self.runner.start([self._order(each) for each in effect.attempts])
            case effects.LookUpReuse():
                self.reuse.look_up(self.scheduler.execution_spec(effect.execution))
            case effects.RunHook():
                self.hooks.call(effect, self.inbox.hear)
            case effects.SetTimer():
                self.timers.set(effect)
            case effects.Propose():
                self._propose(effect.node)
            case effects.FetchInputs():
                self.pool.do_while_open(lambda: self._fetch(effect), self.inbox.hear)
            case effects.StopAttempt():
                self.runner.stop(effect.attempt, effect.because, effect.completes)
            case effects.AskApproval():
                self._ask(effect)
            case effects.MakeDeployment():
                self._deploy(effect.node)
            case _:
                assert_never(effect)

    def _order(self, attempt: AttemptId) -> AttemptOrder:
        scheduler, execution = self.scheduler, attempt.execution
        devices = self.gpus.take(attempt, scheduler.taken_by(execution.node, GPU)) if self.gpus.has_any else ()
        return AttemptOrder(attempt, scheduler.execution_spec(execution), devices)

    def _fetch(self, effect: effects.FetchInputs) -> stimuli.InputsReported:
        return self.fetcher.fetch_inputs(effect.node, effect.uris, effect.filled)

    def _ask(self, effect: effects.AskApproval) -> None:
        def answer(approved: bool, by: str) -> None:
            self.inbox.hand_over(lambda: self.inbox.hear(stimuli.ApprovalAnswered(effect.node, approved, by)))

        self.approvals.ask(effect.node, effect.moment, answer)

    def _propose(self, name: str) -> None:
        node, state, search = self.scheduler.plan.node(name), self.scheduler.state.nodes[name], self.search
        assert isinstance(node, PlannedTask), "only tasks search"
        assert search is not None, "a plan with a search has one"
        bound = state.bound or events.InputsBound(name)
        measured = [each.metadata if each.status is Status.COMPLETE else None for each in state.executions]
        self.pool.do(lambda: search.propose(node, bound, measured, self.scheduler.plan.seed), self.inbox.hear)

    def _deploy(self, name: str) -> None:
        node, deployer = self.scheduler.plan.node(name), self.deployer
        assert isinstance(node, PlannedDeployment), "only deployments are deployed"
        assert deployer is not None, "a plan with a deployment has one"
        bound = self.scheduler.state.nodes[name].bound or events.InputsBound(name)
        self.pool.do(lambda: deployer.make(node, dict(bound.files)), self.inbox.hear)
