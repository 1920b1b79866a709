"""How far a run has come: its events folded over its plan, one at a time, each at the same small cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from vhpipe.plan.model import Plan
from vhpipe.schedule import events
from vhpipe.schedule.terms import SETTLED, Moment, Status
from vhpipe.views.node_progress import ENGINE_GONE, NodeView


@dataclass(slots=True)
class RunView:
    """A run so far. `by_user` says that a person stopped it: by a signal, `vhpipe stop` or a refused approval.

    `was_refused`: it was that.
    """

    plan: Plan
    number: int
    nodes: dict[str, NodeView]
    status: Status = Status.CREATED
    because: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    capacity: int = 0
    by_user: bool = False
    was_refused: bool = False
    published: dict[tuple[str, str], events.Published] = field(default_factory=dict)
    """What the run itself has, by kind and name; what was published last is the last."""

    @classmethod
    def start(cls, plan: Plan, number: int) -> "RunView":
        return cls(plan, number, {node.name: NodeView(node) for node in plan.nodes})

    @property
    def has_ended(self) -> bool:
        return self.status in SETTLED

    @property
    def is_abandoned(self) -> bool:
        """The engine has gone without ending the run."""
        return self.has_ended and self.ended_at is None

    @property
    def exit_code(self) -> int:
        """0 for a run that is complete or that its own pipeline stopped, else 1."""
        return 0 if self.status is Status.COMPLETE or (self.status is Status.STOPPED and not self.by_user) else 1

    @property
    def awaiting(self) -> tuple[NodeView, ...]:
        """The nodes that wait for an approval."""
        return tuple(node for node in self.nodes.values() if node.approval is not None)

    def parameters(self, node: NodeView, index: int) -> Mapping[str, object]:
        return node.parameters(index, self.plan.seed)

    def note_engine(self, is_alive: bool) -> None:
        """Call it with what was true *before* the journal was read: a run that nobody runs any more has crashed."""
        if is_alive or self.has_ended:
            return
        self.status, self.because = Status.CRASHED, ENGINE_GONE
        for node in self.nodes.values():
            node.lose()

    def apply(self, recorded: events.RecordedEvent) -> None:  # noqa: C901 - a table of events
        event, at = recorded.event, recorded.at
        match event:
            case events.RunStarted() | events.RunResumed() | events.RunStopping() | events.RunEnded():
                self._apply_to_run(event, at)
            case events.AttemptStarted():
                self.nodes[event.attempt.execution.node].attempt_started(event.attempt, at)
            case events.AttemptStopping():
                self.nodes[event.attempt.execution.node].attempt_stopping(event.attempt.execution.index, event.because)
            case events.AttemptEnded():
                self.nodes[event.attempt.execution.node].attempt_ended(event, at)
            case events.AttemptLost():
                self.nodes[event.attempt.execution.node].attempt_lost(event, at)
            case events.HookApplied():
                self.nodes[event.node].apply_hook(event)
            case events.RetryScheduled():
                self.nodes[event.execution.node].queue_again(event.execution.index)
            case events.ReuseAwaited() | events.ReuseMissed():
                self.nodes[event.execution.node].note_reuse(event)
            case events.ApprovalAwaited() | events.ApprovalGranted() | events.ApprovalRefused():
                self._apply_approval(event)
            case events.DeploymentRequested() | events.DeploymentCreated() | events.DeploymentFailed():
                _apply_deployment(self.nodes[event.node], event, at)
            case (
                events.InputsBound() | events.NodeStarted() | events.SweepExtended() | events.NodeReopened()
                | events.NodeStopping() | events.NodeSettled() | events.NodeWaiting() | events.Warned()
            ):  # fmt: skip
                _apply_to_node(self.nodes[event.node], event, at)
            case events.Published():
                self.published.pop((event.kind, event.name), None)
                self.published[event.kind, event.name] = event
            case events.ActionTaken() | events.InputsFetched() | events.RetryDue():
                pass
            case _:
                assert_never(event)

    def _apply_to_run(
        self, event: events.RunStarted | events.RunResumed | events.RunStopping | events.RunEnded, at: float
    ) -> None:
        match event:
            case events.RunResumed():
                self.status, self.capacity = Status.STARTED, event.capacity
                self.because, self.ended_at, self.by_user = None, None, False
                for node in self.nodes.values():
                    node.waits_because = None
            case events.RunStarted():
                self.status, self.started_at, self.capacity = Status.STARTED, at, event.capacity
            case events.RunStopping():
                self._stop(event)
            case events.RunEnded():
                self.status, self.ended_at = event.status, at
                self.because = event.because or (None if event.status is Status.COMPLETE else self.because)

    def _stop(self, event: events.RunStopping) -> None:
        self.because, self.by_user = event.because, self.by_user or event.by_user
        for node in self.nodes.values():
            node.stop_queued()
            if node.approval is Moment.COMPLETE:
                node.approval = None

    def _apply_approval(self, event: events.ApprovalAwaited | events.ApprovalGranted | events.ApprovalRefused) -> None:
        self.nodes[event.node].approval = event.moment if isinstance(event, events.ApprovalAwaited) else None
        self.was_refused = self.was_refused or isinstance(event, events.ApprovalRefused)


def _apply_to_node(
    node: NodeView,
    event: events.InputsBound
    | events.NodeStarted
    | events.SweepExtended
    | events.NodeReopened
    | events.NodeStopping
    | events.NodeSettled
    | events.NodeWaiting
    | events.Warned,
    at: float,
) -> None:
    match event:
        case events.InputsBound():
            node.bind(event)
        case events.NodeStarted():
            node.start(event.executions, event.left_out, at)
        case events.SweepExtended():
            node.extend(event)
        case events.NodeReopened():
            node.reopen(event)
        case events.NodeStopping():
            node.because = event.because
            node.stop_queued()
        case events.NodeSettled():
            node.settle(event, at)
        case events.NodeWaiting():
            node.waits_because = event.because
        case events.Warned():
            node.warnings.append(event.message)


def _apply_deployment(
    node: NodeView, event: events.DeploymentRequested | events.DeploymentCreated | events.DeploymentFailed, at: float
) -> None:
    match event:
        case events.DeploymentRequested():
            node.status, node.started_at = Status.STARTED, node.started_at or at
        case events.DeploymentCreated():
            node.version, node.files = event.version, event.files
            node.version_identifier = event.version_identifier
        case events.DeploymentFailed():
            node.because = event.because
