"""The state of a run. `RunState.apply` is the only door by which it changes; the same events give the same state."""

from collections import deque
from typing import assert_never

import msgspec

from vhpipe.plan.model import Datum, ExecutionId, Plan
from vhpipe.schedule.vocabulary import (
    ActionTaken,
    AnyEvent,
    ApprovalAwaited,
    ApprovalGranted,
    ApprovalRefused,
    AttemptEnded,
    AttemptStarted,
    AttemptStopping,
    DeploymentCreated,
    DeploymentFailed,
    DeploymentRequested,
    InputsBound,
    Json,
    Moment,
    NodeSettled,
    NodeStarted,
    NodeStopping,
    RetryScheduled,
    RunEnded,
    RunStarted,
    RunStopping,
    Status,
    Warned,
)


class ExecutionState(msgspec.Struct):
    """`attempt` is the number of the latest attempt, 0 before the first; the rest is what that attempt left."""

    status: Status = Status.QUEUED
    attempt: int = 0
    is_stopping: bool = False
    because: str | None = None
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()


class NodeState(msgspec.Struct):
    """`waiting_for` counts the direct upstream nodes that have not released this one."""

    waiting_for: int
    status: Status = Status.CREATED
    because: str | None = None
    bound: InputsBound | None = None
    executions: list[ExecutionState] = []
    running: int = 0
    queued: int = 0
    completed: int = 0
    failed: int = 0
    stopping: str | None = None
    awaiting: Moment | None = None
    actions_taken: frozenset[int] = frozenset()
    making_deployment: bool = False
    deployment: DeploymentCreated | None = None


class RunState(msgspec.Struct):
    nodes: dict[str, NodeState]
    downstream: dict[str, tuple[str, ...]]
    status: Status = Status.CREATED
    because: str | None = None
    stopping: RunStopping | None = None
    capacity: int = 0
    running: int = 0
    unsettled: int = 0
    awaiting: int = 0
    queue: deque[ExecutionId] = msgspec.field(default_factory=deque)

    @classmethod
    def of(cls, plan: Plan) -> "RunState":
        """The state before anything has happened."""
        upstream, downstream = neighbours(plan)
        nodes = {node.name: NodeState(waiting_for=len(upstream[node.name])) for node in plan.nodes}
        return cls(nodes=nodes, downstream=downstream, unsettled=len(nodes))

    def execution(self, execution: ExecutionId) -> ExecutionState:
        return self.nodes[execution.node].executions[execution.index]

    def apply(self, event: AnyEvent) -> None:
        match event:
            case AttemptStarted():
                self._attempt_started(event)
            case AttemptEnded():
                self._attempt_ended(event)
            case NodeStarted():
                self._node_started(event)
            case NodeSettled():
                self._node_settled(event)
            case InputsBound():
                self.nodes[event.node].bound = event
            case RetryScheduled():
                self._retry_scheduled(event)
            case NodeStopping():
                self._drop_queued(self.nodes[event.node], event.because)
                self.nodes[event.node].stopping = event.because
                self.queue = deque(waiting for waiting in self.queue if waiting.node != event.node)
            case ActionTaken():
                self.nodes[event.node].actions_taken |= {event.action}
            case ApprovalAwaited():
                self.nodes[event.node].awaiting = event.moment
                self.awaiting += 1
            case ApprovalGranted() | ApprovalRefused():
                self._approval_answered(event)
            case DeploymentRequested():
                self.nodes[event.node].status = Status.STARTED
                self.nodes[event.node].making_deployment = True
            case DeploymentCreated():
                self.nodes[event.node].making_deployment = False
                self.nodes[event.node].deployment = event
            case DeploymentFailed():
                self.nodes[event.node].making_deployment = False
                self.nodes[event.node].failed = 1
            case RunStarted():
                self.status, self.capacity = Status.STARTED, event.capacity
            case RunStopping():
                self._run_stopping(event)
            case RunEnded():
                self.status, self.because = event.status, event.because
            case AttemptStopping():
                self.execution(event.attempt.execution).is_stopping = True
            case Warned():
                pass
            case _:
                assert_never(event)

    def _node_started(self, event: NodeStarted) -> None:
        node = self.nodes[event.node]
        node.status = Status.STARTED
        node.executions = [ExecutionState() for _ in range(event.executions)]
        node.queued = event.executions
        self.queue.extend(ExecutionId(event.node, index) for index in range(event.executions))

    def _attempt_started(self, event: AttemptStarted) -> None:
        execution = event.attempt.execution
        self.queue.remove(execution)
        state, node = self.execution(execution), self.nodes[execution.node]
        state.status, state.attempt = Status.STARTED, event.attempt.number
        node.queued -= 1
        node.running += 1
        self.running += 1

    def _attempt_ended(self, event: AttemptEnded) -> None:
        node, state = self.nodes[event.attempt.execution.node], self.execution(event.attempt.execution)
        state.status, state.because, state.is_stopping = event.outcome, event.because, False
        state.metadata, state.outputs = event.metadata, event.outputs
        node.running -= 1
        self.running -= 1
        if event.outcome is Status.COMPLETE:
            node.completed += 1
        elif event.outcome is not Status.STOPPED:
            node.failed += 1

    def _retry_scheduled(self, event: RetryScheduled) -> None:
        node, state = self.nodes[event.execution.node], self.execution(event.execution)
        state.status, state.outputs, state.metadata = Status.QUEUED, (), {}
        node.failed -= 1
        node.queued += 1
        self.queue.append(event.execution)

    def _drop_queued(self, node: NodeState, because: str) -> None:
        for execution in node.executions if node.queued else ():
            if execution.status is Status.QUEUED:
                execution.status, execution.because = Status.STOPPED, because
        node.queued = 0

    def _node_settled(self, event: NodeSettled) -> None:
        node = self.nodes[event.node]
        node.status, node.because, node.failed = event.status, event.because, event.failed
        if node.awaiting is not None:
            self.awaiting -= 1
            node.awaiting = None
        self.unsettled -= 1
        if not event.held:
            self._release(event.node)

    def _release(self, name: str) -> None:
        for downstream in self.downstream[name]:
            self.nodes[downstream].waiting_for -= 1

    def _approval_answered(self, event: ApprovalGranted | ApprovalRefused) -> None:
        self.nodes[event.node].awaiting = None
        self.awaiting -= 1
        if isinstance(event, ApprovalGranted) and event.moment is Moment.COMPLETE:
            self._release(event.node)

    def _run_stopping(self, event: RunStopping) -> None:
        self.stopping = event
        self.queue.clear()
        for node in self.nodes.values():
            self._drop_queued(node, event.because)
            if node.status is Status.STARTED:
                node.stopping = node.stopping or event.because
            elif node.awaiting is Moment.COMPLETE:
                node.awaiting = None
                self.awaiting -= 1


def neighbours(plan: Plan) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Upstream and downstream of every node, each neighbour once, in the order of the edges."""
    upstream: dict[str, dict[str, None]] = {node.name: {} for node in plan.nodes}
    downstream: dict[str, dict[str, None]] = {node.name: {} for node in plan.nodes}
    for edge in plan.edges:
        upstream[edge.target][edge.source] = None
        downstream[edge.source][edge.target] = None
    return ({name: tuple(names) for name, names in upstream.items()},
            {name: tuple(names) for name, names in downstream.items()})  # fmt: skip
