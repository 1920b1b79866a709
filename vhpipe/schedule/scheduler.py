"""The scheduler: a pure state machine that hears stimuli and answers with events and effects.

It knows no clock, disk, thread, process or randomness. The same stimuli give the same decisions.
"""

from collections import deque
from collections.abc import Iterable
from typing import assert_never

from vhpipe.plan.execution import execution_count, is_search
from vhpipe.plan.model import (
    AttemptId,
    ExecutionId,
    ExecutionSpec,
    Plan,
    PlannedDeployment,
    PlannedEdge,
    PlannedNode,
    PlannedTask,
)
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.binding.inputs import (
    bind_inputs,
    execution_spec,
    filled_collisions,
    filled_uris_to_find,
    uris_to_fetch,
)
from vhpipe.schedule.binding.upstream import CannotBindError
from vhpipe.schedule.endings import FAILED, REQUIRE_APPROVAL, Endings
from vhpipe.schedule.expectations import expects_hook, expects_inputs, needs_hook
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.published_results import publish
from vhpipe.schedule.slots import Slots
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Moment, Status


class Scheduler:
    """Decides the walk through one plan. `handle` is the only way in; `state` may be read at any time.

    `journal` is what has happened so far; the state is what it was then, with all that was asked for and not heard.
    """

    def __init__(self, plan: Plan, journal: Iterable[events.RecordedEvent] = ()) -> None:
        self.plan = plan
        self._ledger = Ledger(plan)
        self._slots = Slots(plan)
        self._replay(journal)
        self._endings = Endings(self._ledger)
        self._edges_into: dict[str, list[PlannedEdge]] = {node.name: [] for node in plan.nodes}
        for edge in sorted(plan.edges, key=lambda edge: edge.index):
            self._edges_into[edge.target].append(edge)

    def _replay(self, journal: Iterable[events.RecordedEvent]) -> None:
        """Look-ups are not recorded: they are asked for at the end of every decision, by one rule."""
        state = self._ledger.state
        for recorded in journal:
            state.apply(recorded.event)
            if not recorded.left:
                state.look_up(self._slots.next_to_look_up(state))

    @property
    def state(self) -> RunState:
        return self._ledger.state

    def handle(self, stimulus: stimuli.Stimulus) -> effects.Decision:  # noqa: C901 - a table of stimuli
        """The events that have become true by this stimulus and the effects asked for, both in order.

        A stimulus that comes too late (a report of an attempt that has ended, an answer nobody awaits) changes nothing.
        """
        match stimulus:
            case stimuli.AttemptReported():
                self._attempt_reported(stimulus)
            case stimuli.StartRequested():
                capacity = stimulus.capacity
                self._ledger.emit(events.RunStarted(capacity.slots, boot=stimulus.boot, amounts=capacity.amounts))
                self._settle_given_nodes()
                self._watch_time()
                self._consider_all()
            case stimuli.ResumeRequested():
                self._resume(stimulus)
            case stimuli.HookAnswered():
                self._hook_answered(stimulus)
            case stimuli.TimerFired():
                self._timer_fired(stimulus)
            case stimuli.ProposalsAnswered():
                self._endings.extend_sweep(stimulus)
            case stimuli.StopConditionMet():
                self._endings.stop_by_condition(stimulus)
            case stimuli.InputsReported():
                self._inputs_reported(stimulus)
            case stimuli.ReuseAnswered():
                self._reuse_answered(stimulus)
            case stimuli.StopRequested():
                self._endings.stop_run(Status.STOPPED, stimulus.because, by_user=True, request=stimulus.request)
            case stimuli.ApprovalAnswered():
                self._approval_answered(stimulus)
            case stimuli.DeploymentReported():
                self._deployment_reported(stimulus)
            case _:
                assert_never(stimulus)
        self._advance()
        return self._ledger.close()

    def taken_by(self, node: str, amount: str) -> int:
        """How much each execution of a node takes of a thing that is counted; see `Capacity`."""
        return self._slots.taken_by(self.state, node, amount)

    def execution_spec(self, execution: ExecutionId) -> ExecutionSpec:
        """What one execution of a started node needs to know."""
        return execution_spec(self.plan, self.state, self._ledger.nodes, execution)

    def _advance(self) -> None:
        """Do all that follows, until nothing does."""
        ledger = self._ledger
        while ledger.to_skip or ledger.to_consider:
            if ledger.to_skip:
                self._endings.skip(*ledger.to_skip.popleft())
            else:
                self._consider(ledger.to_consider.popleft())
        self._fill_slots()
        self._endings.end_run_if_over()
        self._look_up()

    # ── starting ─────────────────────────────────────────────────────────────────────────────────

    def _consider(self, name: str) -> None:
        """Start, hold or fail a node whose upstream has released it."""
        node = self.state.nodes[name]
        if node.status is not Status.CREATED or node.awaiting or self.state.stopping:
            return
        if self._ledger.nodes[name].extras.any_before and not self._has_complete_upstream(name):
            self._endings.skip(name, "no node before it is complete")
            return
        binding = bind_inputs(self.plan, self.state, self._ledger.nodes, name, self._edges_into[name])
        self._ledger.warn(name, binding.warnings)
        if binding.skip:
            self._endings.skip(name, binding.skip)
            return
        if binding.failure:
            self._endings.fail_without_execution(name, binding.failure)
            return
        if binding.bound:
            self._ledger.emit(binding.bound)
        if self._may_start(name):
            self._start(name)

    def _has_complete_upstream(self, name: str) -> bool:
        sources = (edge.source for edge in self.plan.edges if edge.target == name)
        return any(self.state.nodes[source].status is Status.COMPLETE for source in sources)

    def _may_start(self, name: str) -> bool:
        """Take the node-starting actions; False where one of them holds the node back or ends the run."""
        then = self._ledger.take_actions(name, Moment.STARTING)
        self._endings.end_by_action(name, then)
        if self.state.stopping:
            return False
        if REQUIRE_APPROVAL in then:
            self._endings.await_approval(name, Moment.STARTING)
            return False
        return True

    def _consider_all(self) -> None:
        """Have each node looked at that waits for nothing, and once only: what it needs is asked for but once."""
        self._ledger.to_consider = deque(name for name, node in self.state.nodes.items() if not node.waiting_for)

    def _start(self, name: str) -> None:
        """Queue the executions of a node that is bound, or ask for what has to be there first."""
        node = self._ledger.nodes[name]
        if needs_hook(self.state, node):
            self._ledger.ask(effects.RunHook(name, "pre"))
            return
        uris = uris_to_fetch(self.state, node, self.plan)
        try:
            filled = filled_uris_to_find(self.state, node, self.plan)
        except CannotBindError as problem:
            self._endings.fail_without_execution(name, str(problem))
            return
        if uris or filled:
            self._ledger.ask(effects.FetchInputs(name, uris, filled))
            return
        if isinstance(node, PlannedDeployment):
            self._ledger.emit(events.DeploymentRequested(name))
            self._ledger.ask(effects.MakeDeployment(name))
            return
        bound = self.state.nodes[name].bound or events.InputsBound(name)
        if is_search(node):
            self._ledger.emit(events.NodeStarted(name, 0))
            self._endings.settle_if_over(name)
            return
        count = execution_count(node, bound)
        if because := self._why_not_so_many(node, count):
            self._endings.fail_without_execution(name, because)
            return
        self._ledger.emit(events.NodeStarted(name, count, _executions_left_out(node, count)))
        if node.given:
            from vhpipe.schedule.carry_over.settle_carried import settle_given_executions

            settle_given_executions(self._ledger, node)
        self._endings.settle_if_over(name)

    def _why_not_so_many(self, node: PlannedNode, count: int) -> str | None:
        """What is wrong with the number of executions that a node turns out to have."""
        if because := self._slots.why_too_many(self.state, node.name, count):
            return because
        wanted = node.children if isinstance(node, PlannedTask) else None
        missing = next((index for index in wanted or () if index >= count), None)
        if missing is not None:
            return f"it has {count} executions, `{node.name}#0` to `{node.name}#{count - 1}`: there is no #{missing}"
        return None

    def _fill_slots(self) -> None:
        """Start what is queued, and say what is held up by something else than slots."""
        state = self.state
        while attempts := self._slots.next_to_start(state):
            for attempt in attempts:
                self._ledger.emit(events.AttemptStarted(attempt))
            self._ledger.ask(effects.StartAttempts(attempts))
        for name, because in self._slots.new_delays(state):
            self._ledger.emit(events.NodeWaiting(name, because))

    def _look_up(self) -> None:
        """Look up what may be reused: each takes a slot only if it has to run."""
        if executions := self._slots.next_to_look_up(self.state):
            self.state.look_up(executions)
            for execution in executions:
                self._ledger.ask(effects.LookUpReuse(execution))

    def _settle_given_nodes(self) -> None:
        """Settle the nodes that have all they would make from an earlier run."""
        for node in self.plan.nodes:
            if node.given:
                from vhpipe.schedule.carry_over.settle_carried import settle_given

                settle_given(self._ledger, self._endings, node)

    # ── going on ─────────────────────────────────────────────────────────────────────────────────

    def _resume(self, resumed: stimuli.ResumeRequested) -> None:
        """Take back what a stop did, take over the attempts that ended unseen, and go on."""
        from vhpipe.schedule.resume import reopen

        reopen(self._ledger, resumed)
        for name, node in self.state.nodes.items():
            if node.making_deployment:
                self._ledger.ask(effects.MakeDeployment(name))
            if node.is_hooking:
                self._ledger.ask(effects.RunHook(name, "post"))
        for report in resumed.found:
            if self.state.nodes[report.attempt.execution.node].status is Status.STARTED:
                self._attempt_reported(report)
        heard = {report.attempt.execution.node for report in resumed.found}
        for name in self.state.nodes:
            if name not in heard:
                self._endings.settle_if_over(name)
        for execution, delay_s in self.state.delayed.items():
            self._ledger.ask(effects.SetTimer(delay_s, execution))
        self._watch_time()
        self._consider_all()

    def _watch_time(self) -> None:
        if self.plan.time_limit_s is not None:
            self._ledger.ask(effects.SetTimer(self.plan.time_limit_s))

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────

    def _attempt_reported(self, report: stimuli.AttemptReported) -> None:
        attempt, state = report.attempt, self.state.execution(report.attempt.execution)
        if state.status is not Status.STARTED or state.attempt != attempt.number:
            return
        self._ledger.warn(attempt.execution.node, report.warnings)
        ended = events.AttemptEnded(
            attempt, report.outcome, report.exit_code, report.because, report.metadata, report.outputs,
            report.manifest, report.fingerprint, setup_s=report.setup_s, ran_s=report.ran_s, use=report.use,
        )  # fmt: skip
        self._ledger.emit(ended)
        publish(self._ledger, ended, report.published)
        if report.outcome in FAILED:
            self._endings.attempt_failed(report)
        self._endings.settle_if_over(attempt.execution.node)

    def _inputs_reported(self, report: stimuli.InputsReported) -> None:
        name = report.node
        if not expects_inputs(self.plan, self.state, self._ledger.nodes[name]):
            return
        if report.because is not None:
            self._endings.fail_without_execution(name, report.because)
            return
        self._ledger.emit(events.InputsFetched(name, report.blobs, report.found))
        try:
            self._ledger.warn(name, filled_collisions(self.state, self._ledger.nodes[name], self.plan))
        except CannotBindError as problem:
            self._endings.fail_without_execution(name, str(problem))
            return
        self._start(name)

    def _reuse_answered(self, answer: stimuli.ReuseAnswered) -> None:
        execution = answer.execution
        waits = execution in self.state.awaited
        if not (waits or execution in self.state.looking_up):
            return
        if answer.answer == "busy":
            if not waits:
                self._ledger.emit(events.ReuseAwaited(execution, answer.because or "an equal execution is under way"))
        elif answer.answer == "miss":
            self._ledger.emit(events.ReuseMissed(execution, answer.because))
        else:
            ended = events.AttemptEnded(
                AttemptId(execution, self.state.execution(execution).attempt + 1), Status.COMPLETE,
                metadata=answer.metadata, outputs=answer.outputs, fingerprint=answer.fingerprint,
                reused_from=answer.origin, use=answer.use,
            )  # fmt: skip
            self._ledger.emit(ended)
            publish(self._ledger, ended, answer.published)
            self._endings.settle_if_over(execution.node)

    def _hook_answered(self, answer: stimuli.HookAnswered) -> None:
        name, node = answer.node, self.state.nodes[answer.node]
        if answer.moment == "status":
            if answer.because and self.state.status is Status.STARTED:
                self._ledger.warn(name, (answer.because,))
            return
        if answer.moment == "post":
            if node.is_hooking:
                self._ledger.warn(name, (answer.because,) if answer.because else ())
                self._ledger.emit(events.HookApplied(name, "post"))
                self._ledger.consider_downstream(name)
            return
        if not expects_hook(self.state, self._ledger.nodes[name]):
            return
        if answer.because is not None:
            self._endings.fail_without_execution(name, answer.because)
        elif answer.skip:
            self._endings.skip(name, "its `pre` hook said so")
        else:
            self._ledger.emit(events.HookApplied(name, "pre", answer.values))
            self._start(name)

    def _timer_fired(self, fired: stimuli.TimerFired) -> None:
        if fired.execution is None:
            because = f"the pipeline's time-limit of {self.plan.time_limit_s:g} s is reached"
            self._endings.stop_run(Status.ERROR, because)
        elif fired.execution in self.state.delayed:
            self._ledger.emit(events.RetryDue(fired.execution))

    def _approval_answered(self, answer: stimuli.ApprovalAnswered) -> None:
        node = self.state.nodes.get(answer.node)
        if node is None or node.awaiting is None or self.state.stopping:
            return
        moment = node.awaiting
        if not answer.approved:
            self._ledger.emit(events.ApprovalRefused(answer.node, moment, answer.by, answer.request))
            because = f"approval of `{answer.node}` was refused by {answer.by}"
            self._endings.stop_run(Status.STOPPED, because, by_user=True)
            return
        self._ledger.emit(events.ApprovalGranted(answer.node, moment, answer.by, answer.request))
        if moment is Moment.COMPLETE:
            self._ledger.consider_downstream(answer.node)
        else:
            self._start(answer.node)

    def _deployment_reported(self, report: stimuli.DeploymentReported) -> None:
        name = report.node
        if not self.state.nodes[name].making_deployment:
            return
        if report.version is None:
            because = report.because or "failed"
            self._ledger.emit(events.DeploymentFailed(name, because))
            self._endings.fail_without_execution(name, because)
            return
        identifiers = (report.identifier or "", report.version_identifier or "")
        self._ledger.emit(events.DeploymentCreated(name, report.version, *identifiers, report.files))
        self._endings.complete(name)


def _executions_left_out(node: PlannedNode, count: int) -> tuple[int, ...]:
    """The executions of a task that are no part of this run: neither chosen nor given."""
    if not isinstance(node, PlannedTask) or node.children is None:
        return ()
    given = node.given.executions if node.given else ()
    kept = {*node.children, *(each.index for each in given)}
    return tuple(index for index in range(count) if index not in kept)
