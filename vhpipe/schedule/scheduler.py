"""The scheduler: a pure state machine that hears stimuli and answers with events and effects.

It knows no clock, disk, thread, process or randomness. State changes only through `_emit`, which applies an event to
the state first and records it second, so that a replay of the events gives the same state.
"""

from collections import deque
from collections.abc import Iterable
from typing import assert_never

from vhpipe.config.model import OnChildError
from vhpipe.plan.execution import execution_count
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
from vhpipe.schedule.actions import NodeActions
from vhpipe.schedule.inputs import Binding, bind_inputs, execution_spec
from vhpipe.schedule.on_error import attempts_allowed, settled_status, siblings_go_on, stops_everything
from vhpipe.schedule.seen import seen_by_conditions
from vhpipe.schedule.state import NodeState, RunState
from vhpipe.schedule.vocabulary import (
    ActionTaken,
    AnyEvent,
    ApprovalAnswered,
    ApprovalAwaited,
    ApprovalGranted,
    ApprovalRefused,
    AskApproval,
    AttemptEnded,
    AttemptReported,
    AttemptStarted,
    AttemptStopping,
    Decision,
    DeploymentCreated,
    DeploymentFailed,
    DeploymentReported,
    DeploymentRequested,
    Effect,
    MakeDeployment,
    Moment,
    NodeSettled,
    NodeStarted,
    NodeStopping,
    RetryScheduled,
    RunEnded,
    RunStarted,
    RunStopping,
    StartAttempts,
    StartRequested,
    Status,
    Stimulus,
    StopAttempt,
    StopRequested,
    Warned,
)

UNLIMITED = 1 << 60
REQUIRE_APPROVAL, STOP_PIPELINE, ERROR_PIPELINE = "require-approval", "stop-pipeline", "error-pipeline"


class Scheduler:
    """Decides the walk through one plan. `handle` is the only way in; `state` may be read at any time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = RunState.of(plan)
        self._nodes: dict[str, PlannedNode] = {node.name: node for node in plan.nodes}
        self._edges_into: dict[str, list[PlannedEdge]] = {node.name: [] for node in plan.nodes}
        for edge in sorted(plan.edges, key=lambda edge: edge.index):
            self._edges_into[edge.target].append(edge)
        self._actions = {node.name: NodeActions(node) for node in plan.nodes if node.actions}
        self._limits = {
            node.name: node.maximum_queued_executions
            for node in plan.nodes
            if isinstance(node, PlannedTask) and node.maximum_queued_executions
        }
        self._to_consider: deque[str] = deque()
        self._to_skip: deque[tuple[str, str]] = deque()
        self._events: list[AnyEvent] = []
        self._effects: list[Effect] = []

    def handle(self, stimulus: Stimulus) -> Decision:
        """The events that have become true by this stimulus and the effects asked for, both in order.

        A stimulus that comes too late (a report of an attempt that has ended, an answer nobody awaits) changes nothing.
        """
        self._events, self._effects = [], []
        match stimulus:
            case AttemptReported():
                self._attempt_reported(stimulus)
            case StartRequested():
                self._emit(RunStarted(stimulus.capacity))
                self._to_consider.extend(name for name, node in self.state.nodes.items() if not node.waiting_for)
            case StopRequested():
                self._stop_run(Status.STOPPED, stimulus.because, by_user=True, request=stimulus.request)
            case ApprovalAnswered():
                self._approval_answered(stimulus)
            case DeploymentReported():
                self._deployment_reported(stimulus)
            case _:
                assert_never(stimulus)
        self._advance()
        return Decision(tuple(self._events), tuple(self._effects))

    def execution_spec(self, execution: ExecutionId) -> ExecutionSpec:
        return execution_spec(self.plan, self.state, self._nodes, execution)

    def _emit(self, event: AnyEvent) -> None:
        self.state.apply(event)
        self._events.append(event)

    def _warn(self, node: str, messages: Iterable[str]) -> None:
        for message in messages:
            self._emit(Warned(node, message))

    def _advance(self) -> None:
        while self._to_skip or self._to_consider:
            if self._to_skip:
                self._settle_skipped(*self._to_skip.popleft())
            else:
                self._consider(self._to_consider.popleft())
        self._fill_slots()
        state = self.state
        if not (state.unsettled or state.awaiting) and state.status is Status.STARTED:
            self._end_run()

    # ── starting ─────────────────────────────────────────────────────────────────────────────────

    def _consider(self, name: str) -> None:
        """Start or hold a node whose upstream has released it."""
        node = self.state.nodes[name]
        if node.status is Status.CREATED and not node.awaiting and not self.state.stopping:
            self._bind_and_start(name)

    def _settle_skipped(self, name: str, because: str) -> None:
        if self.state.nodes[name].status is Status.CREATED:
            self._settle(name, Status.SKIPPED, because)

    def _bind_and_start(self, name: str) -> None:
        binding = bind_inputs(self.plan, self.state, self._nodes, name, self._edges_into[name])
        self._warn(name, binding.warnings)
        if binding.skip:
            self._settle(name, Status.SKIPPED, binding.skip)
            return
        if binding.failure:
            self._fail_without_execution(name, binding.failure)
            return
        if binding.bound:
            self._emit(binding.bound)
        if self._may_start(name, binding):
            self._start(name, binding.executions)

    def _may_start(self, name: str, binding: Binding) -> bool:
        """Take the node-starting actions; False where one of them holds the node back or ends the run."""
        then = self._take_actions(name, Moment.STARTING)
        self._end_by_action(name, then)
        if self.state.stopping:
            return False
        if REQUIRE_APPROVAL in then:
            self._await_approval(name, Moment.STARTING)
            return False
        return True

    def _start(self, name: str, executions: int) -> None:
        if isinstance(self._nodes[name], PlannedDeployment):
            self._emit(DeploymentRequested(name))
            self._effects.append(MakeDeployment(name))
            return
        self._emit(NodeStarted(name, executions))
        if not executions:
            self._settle(name, Status.COMPLETE)

    def _fill_slots(self) -> None:
        state = self.state
        while state.running < state.capacity and (execution := self._next_queued()) is not None:
            attempt = AttemptId(execution, state.execution(execution).attempt + 1)
            self._emit(AttemptStarted(attempt))
            self._effects.append(StartAttempts((attempt,)))

    def _next_queued(self) -> ExecutionId | None:
        """The first in the queue whose task does not run as many as it may."""
        if not self._limits:
            return self.state.queue[0] if self.state.queue else None
        nodes, limits = self.state.nodes, self._limits
        may_start = (each for each in self.state.queue if nodes[each.node].running < limits.get(each.node, UNLIMITED))
        return next(may_start, None)

    # ── ending an attempt, a node, the run ───────────────────────────────────────────────────────

    def _attempt_reported(self, report: AttemptReported) -> None:
        attempt, state = report.attempt, self.state.execution(report.attempt.execution)
        if state.status is not Status.STARTED or state.attempt != attempt.number:
            return
        name = attempt.execution.node
        self._warn(name, report.warnings)
        ended = AttemptEnded(
            attempt, report.outcome, report.exit_code, report.because, report.metadata, report.outputs, report.manifest
        )
        self._emit(ended)
        if report.outcome in (Status.ERROR, Status.CRASHED) and not self._retry(report):
            self._execution_failed(attempt.execution)
        self._settle_if_over(name)

    def _retry(self, report: AttemptReported) -> bool:
        execution, number = report.attempt.execution, report.attempt.number
        node = self.state.nodes[execution.node]
        allowed = attempts_allowed(self._nodes[execution.node].on_error)
        if report.final or number >= allowed or node.stopping or self.state.stopping:
            return False
        self._emit(RetryScheduled(execution, number + 1))
        return True

    def _execution_failed(self, execution: ExecutionId) -> None:
        """An execution has failed for good: node-error actions, then what its siblings do."""
        name = execution.node
        self._end_by_action(name, self._take_actions(name, Moment.ERROR, execution))
        node = self.state.nodes[name]
        if node.stopping or not (node.queued or node.running):
            return
        if siblings_go_on(self._nodes[name].on_error, self._on_child_error(name)):
            return
        because = self._why_failed(name, node)
        self._emit(NodeStopping(name, because))
        if stops_everything(self._nodes[name].on_error):
            self._stop_run(Status.ERROR, f"`{name}` is error: {because}")
        else:
            self._stop_running([name], because)

    def _on_child_error(self, name: str) -> OnChildError | None:
        """What the blueprint says of failed children; it speaks only where there are children."""
        planned = self._nodes[name]
        has_children = isinstance(planned, PlannedTask) and self.state.nodes[name].executions
        return planned.on_child_error if isinstance(planned, PlannedTask) and has_children else None

    def _settle_if_over(self, name: str) -> None:
        node = self.state.nodes[name]
        if node.status is not Status.STARTED or node.queued or node.running or node.making_deployment:
            return
        if node.failed:
            self._settle_failed(name, self._why_failed(name, node), node.failed)
        elif node.completed == len(node.executions):
            self._complete(name)
        else:
            self._settle(name, Status.STOPPED, node.stopping)

    def _settle_failed(self, name: str, because: str, failed: int = 1) -> None:
        """Settle a node in which something failed for good as its policy says, and do what follows outside of it."""
        planned, node = self._nodes[name], self.state.nodes[name]
        is_task = isinstance(planned, PlannedTask)
        status = settled_status(planned.on_error, self._on_child_error(name), node.completed, is_task)
        if status is Status.COMPLETE:
            self._complete(name, because, failed)
            return
        self._settle(name, status, because, failed)
        if stops_everything(planned.on_error):
            self._stop_run(Status.ERROR, f"`{name}` is error: {because}")

    def _why_failed(self, name: str, node: NodeState) -> str:
        """The first failure, and how many there are of how many."""
        bad = (Status.ERROR, Status.CRASHED)
        first = next((index for index, each in enumerate(node.executions) if each.status in bad), None)
        if first is None:
            return node.because or "failed"
        because = node.executions[first].because or "failed"
        if not isinstance(self._nodes[name], PlannedTask):
            return because
        further = f"; {node.failed} of {len(node.executions)} executions failed" if node.failed > 1 else ""
        return f"`{ExecutionId(name, first)}` failed: {because}{further}"

    def _complete(self, name: str, because: str | None = None, failed: int = 0) -> None:
        """Settle as complete; node-complete actions come before anything downstream starts."""
        then = () if self.state.stopping else self._take_actions(name, Moment.COMPLETE)
        held = REQUIRE_APPROVAL in then and STOP_PIPELINE not in then and ERROR_PIPELINE not in then
        self._settle(name, Status.COMPLETE, because, failed, held)
        self._end_by_action(name, then)
        if held:
            self._await_approval(name, Moment.COMPLETE)

    def _fail_without_execution(self, name: str, because: str) -> None:
        """The node is an error before any execution could start, or is a deployment that failed."""
        then = self._take_actions(name, Moment.ERROR)
        self._settle_failed(name, because)
        self._end_by_action(name, then)

    def _settle(
        self, name: str, status: Status, because: str | None = None, failed: int = 0, held: bool = False
    ) -> None:
        if self.state.nodes[name].status not in (Status.CREATED, Status.STARTED):
            return
        self._emit(NodeSettled(name, status, because, failed, held))
        if status is Status.COMPLETE:
            self._consider_downstream(name)
        else:
            self._to_skip.extend((downstream, f"`{name}` is {status}") for downstream in self.state.downstream[name])

    def _consider_downstream(self, name: str) -> None:
        nodes = self.state.nodes
        self._to_consider.extend(each for each in self.state.downstream[name] if not nodes[each].waiting_for)

    def _stop_run(self, status: Status, because: str, by_user: bool = False, request: str | None = None) -> None:
        """Nothing starts any more; what runs is stopped; what has not started is skipped."""
        if self.state.stopping or self.state.status is not Status.STARTED:
            return
        self._emit(RunStopping(status, because, by_user, request))
        self._stop_running(self.state.nodes, because)
        for name, node in self.state.nodes.items():
            if node.status is Status.CREATED:
                self._settle(name, Status.SKIPPED, because)
            else:
                self._settle_if_over(name)

    def _stop_running(self, names: Iterable[str], because: str) -> None:
        for name in names:
            node = self.state.nodes[name]
            for index, execution in enumerate(node.executions if node.running else ()):
                if execution.status is Status.STARTED and not execution.is_stopping:
                    attempt = AttemptId(ExecutionId(name, index), execution.attempt)
                    self._emit(AttemptStopping(attempt, because))
                    self._effects.append(StopAttempt(attempt, because))

    def _end_run(self) -> None:
        """A run in which a node is an error never ends well, unless the user stopped it: then it is stopped."""
        stopping = self.state.stopping
        bad = next((name for name, node in self.state.nodes.items() if node.status is Status.ERROR), None)
        if stopping and (stopping.by_user or stopping.status is Status.ERROR or not bad):
            self._emit(RunEnded(stopping.status, stopping.because))
        elif bad:
            self._emit(RunEnded(Status.ERROR, f"`{bad}` is error: {self.state.nodes[bad].because}"))
        else:
            self._emit(RunEnded(Status.COMPLETE))

    # ── actions and approval ─────────────────────────────────────────────────────────────────────

    def _take_actions(self, name: str, moment: Moment, failed: ExecutionId | None = None) -> tuple[str, ...]:
        """What the actions that fire now ask for; at node-error their conditions see the execution that failed."""
        actions = self._actions.get(name)
        if actions is None or not actions.may_fire(moment):
            return ()
        seen = seen_by_conditions(self.plan, self.state, self._nodes[name], failed)
        firing = actions.fire(moment, self.state.nodes[name].actions_taken, seen.metadata, seen.parameters)
        self._warn(name, firing.warnings)
        for action in firing.actions:
            self._emit(ActionTaken(name, action, moment))
        return firing.then

    def _end_by_action(self, name: str, then: tuple[str, ...]) -> None:
        if ERROR_PIPELINE in then:
            self._stop_run(Status.ERROR, f"an action of `{name}` says {ERROR_PIPELINE}")
        elif STOP_PIPELINE in then:
            self._stop_run(Status.STOPPED, f"an action of `{name}` says {STOP_PIPELINE}")

    def _await_approval(self, name: str, moment: Moment) -> None:
        self._emit(ApprovalAwaited(name, moment))
        self._effects.append(AskApproval(name, moment))

    def _approval_answered(self, answer: ApprovalAnswered) -> None:
        node = self.state.nodes.get(answer.node)
        if node is None or node.awaiting is None or self.state.stopping:
            return
        moment = node.awaiting
        if not answer.approved:
            self._emit(ApprovalRefused(answer.node, moment, answer.by, answer.request))
            self._stop_run(Status.STOPPED, f"approval of `{answer.node}` was refused by {answer.by}", by_user=True)
            return
        self._emit(ApprovalGranted(answer.node, moment, answer.by, answer.request))
        if moment is Moment.COMPLETE:
            self._consider_downstream(answer.node)
        else:
            self._start_approved(answer.node)

    def _start_approved(self, name: str) -> None:
        """The node was bound when it was held; its upstream has not changed since."""
        bound = self.state.nodes[name].bound
        values, spread = (bound.values, bound.spread) if bound else ({}, ())
        self._start(name, execution_count(self._nodes[name], values, spread))

    # ── deployments ──────────────────────────────────────────────────────────────────────────────

    def _deployment_reported(self, report: DeploymentReported) -> None:
        name, node = report.node, self.state.nodes[report.node]
        if not node.making_deployment:
            return
        if report.version is None:
            self._emit(DeploymentFailed(name, report.because or "failed"))
            self._fail_without_execution(name, report.because or "failed")
            return
        identifiers = (report.identifier or "", report.version_identifier or "")
        self._emit(DeploymentCreated(name, report.version, *identifiers, report.files))
        self._complete(name)
