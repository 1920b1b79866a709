"""The state of a run. `RunState.apply` is the only door by which it changes; the same events give the same state."""

from collections import deque
from collections.abc import Iterable
from typing import assert_never

import msgspec

from vhpipe.plan.model import AttemptId, Datum, ExecutionId, Origin, Plan, PlannedDeployment, ResourceUse, SourceFile
from vhpipe.schedule import events
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.terms import Json, Moment, Status


class ExecutionState(msgspec.Struct):
    """`attempt` is the number of the latest attempt, 0 before the first; the rest is what that attempt left.

    `failures` counts the attempts that failed by themselves.
    """

    status: Status = Status.QUEUED
    attempt: int = 0
    failures: int = 0
    is_stopping: bool = False
    because: str | None = None
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()
    fingerprint: str | None = None
    origin: Origin | None = None
    use: ResourceUse | None = None


class NodeState(msgspec.Struct):
    """`waiting_for` counts the direct upstream nodes that have not released this one.

    `fetched` has the blobs of files from outside by URI. `awaiting` is an approval that is asked for now, `withheld`
    one that was asked for and has not been given yet, whatever became of the run. `left_out` counts executions that
    are no part of the run. `waits_because` says why some are queued although slots are free. `settled_in_stop`: the
    node settled while the run was being stopped by the user.
    """

    waiting_for: int
    reuses: bool = False
    status: Status = Status.CREATED
    because: str | None = None
    bound: events.InputsBound | None = None
    fetched: dict[str, str] = {}
    executions: list[ExecutionState] = []
    running: int = 0
    queued: int = 0
    completed: int = 0
    failed: int = 0
    left_out: int = 0
    waits_because: str | None = None
    stopping: str | None = None
    awaiting: Moment | None = None
    withheld: Moment | None = None
    actions_taken: frozenset[int] = frozenset()
    making_deployment: bool = False
    is_prepared: bool = False
    """Whether the hooks before its start have been called."""
    found: dict[str, tuple[SourceFile, ...]] = {}
    """The files of URIs with parameters in them, by `FilledUri.key`."""
    is_hooking: bool = False
    deployment: events.DeploymentCreated | None = None
    settled_in_stop: bool = False


class RunState(msgspec.Struct):
    """`queue` holds what may start, `unchecked` what must be looked up first, `looking_up` what is being looked up,
    `awaited` what others are computing, `delayed` what will be tried again after so many seconds. `hooking` counts
    nodes whose hooks are called after their end.

    `refused` is the node whose approval was refused.
    """

    nodes: dict[str, NodeState]
    downstream: dict[str, tuple[str, ...]]
    status: Status = Status.CREATED
    because: str | None = None
    stopping: events.RunStopping | None = None
    capacity: Capacity = Capacity(0)
    running: int = 0
    unsettled: int = 0
    awaiting: int = 0
    boot: str = ""
    refused: str | None = None
    queue: deque[ExecutionId] = msgspec.field(default_factory=deque)
    unchecked: deque[ExecutionId] = msgspec.field(default_factory=deque)
    looking_up: dict[ExecutionId, None] = {}
    awaited: dict[ExecutionId, None] = {}
    delayed: dict[ExecutionId, float] = {}
    hooking: int = 0
    published: dict[tuple[str, str], events.Published] = {}
    """By kind and name, what was published last of each at the end."""

    @classmethod
    def of(cls, plan: Plan) -> "RunState":
        """The state before anything has happened."""
        upstream, downstream = neighbours(plan)
        nodes = {
            node.name: NodeState(
                waiting_for=len(upstream[node.name]), reuses=not isinstance(node, PlannedDeployment) and node.reuse
            )
            for node in plan.nodes
        }
        return cls(nodes=nodes, downstream=downstream, unsettled=len(nodes))

    def execution(self, execution: ExecutionId) -> ExecutionState:
        return self.nodes[execution.node].executions[execution.index]

    def is_running(self, attempt: AttemptId) -> bool:
        """Whether an attempt is the one of its execution that runs now."""
        execution = self.execution(attempt.execution)
        return execution.status is Status.STARTED and execution.attempt == attempt.number

    def apply(self, event: events.AnyEvent) -> None:  # noqa: C901 - a table of events
        match event:
            case events.AttemptStarted():
                self._attempt_started(event)
            case events.AttemptEnded():
                self._attempt_ended(event)
            case events.NodeStarted():
                self._node_started(event)
            case events.NodeSettled():
                self._node_settled(event)
            case events.InputsBound():
                self.nodes[event.node].bound = event
            case events.SweepExtended():
                self._sweep_extended(event)
            case events.InputsFetched():
                self.nodes[event.node].fetched = event.blobs
                self.nodes[event.node].found = event.found
            case events.RetryScheduled():
                self._retry_scheduled(event)
            case events.RetryDue():
                del self.delayed[event.execution]
                self.queue.append(event.execution)
            case events.HookApplied():
                self._hook_applied(event)
            case events.ReuseMissed():
                self._forget_look_up(event.execution)
                self.queue.append(event.execution)
            case events.ReuseAwaited():
                self._forget_look_up(event.execution)
                self.awaited[event.execution] = None
            case events.AttemptLost():
                self._attempt_lost(event)
            case events.NodeReopened():
                self._node_reopened(event)
            case events.NodeStopping():
                self._drop_queued(self.nodes[event.node], event.because)
                self.nodes[event.node].stopping = event.because
                self._forget_queued_of(event.node)
            case events.ActionTaken():
                self.nodes[event.node].actions_taken |= {event.action}
            case events.ApprovalAwaited():
                self._approval_awaited(event)
            case events.ApprovalGranted() | events.ApprovalRefused():
                self._approval_answered(event)
            case events.DeploymentRequested():
                self.nodes[event.node].status = Status.STARTED
                self.nodes[event.node].making_deployment = True
            case events.DeploymentCreated():
                self.nodes[event.node].making_deployment = False
                self.nodes[event.node].deployment = event
            case events.DeploymentFailed():
                self.nodes[event.node].making_deployment = False
                self.nodes[event.node].failed = 1
            case events.RunStarted():
                self.status, self.boot = Status.STARTED, event.boot
                self.capacity = Capacity(event.capacity, event.amounts)
            case events.RunResumed():
                self._run_resumed(event)
            case events.RunStopping():
                self._run_stopping(event)
            case events.RunEnded():
                self.status, self.because = event.status, event.because
            case events.AttemptStopping():
                self.execution(event.attempt.execution).is_stopping = True
            case events.Published():
                self.published.pop((event.kind, event.name), None)
                self.published[event.kind, event.name] = event
            case events.NodeWaiting():
                self.nodes[event.node].waits_because = event.because
            case events.Warned():
                pass
            case _:
                assert_never(event)

    def _node_started(self, event: events.NodeStarted) -> None:
        node = self.nodes[event.node]
        node.status = Status.STARTED
        begun = [execution.attempt for execution in node.executions]  # of a node that starts over
        node.executions = [ExecutionState(attempt=number) for number in begun[: event.executions]]
        node.executions.extend(ExecutionState() for _ in range(event.executions - len(begun)))
        for index in event.left_out:
            node.executions[index].status = Status.SKIPPED
        node.left_out = len(event.left_out)
        node.queued = event.executions - node.left_out
        self._enqueue(event.node, [i for i, each in enumerate(node.executions) if each.status is Status.QUEUED])

    def _sweep_extended(self, event: events.SweepExtended) -> None:
        node = self.nodes[event.node]
        first = len(node.executions)
        bound = node.bound or events.InputsBound(event.node)
        node.bound = msgspec.structs.replace(bound, proposed=(*bound.proposed, *event.sets))
        node.executions.extend(ExecutionState() for _ in event.sets)
        node.queued += len(event.sets)
        self._enqueue(event.node, range(first, len(node.executions)))

    def _enqueue(self, name: str, indexes: Iterable[int]) -> None:
        waiting = self.unchecked if self.nodes[name].reuses else self.queue
        waiting.extend(ExecutionId(name, index) for index in indexes)

    def look_up(self, executions: Iterable[ExecutionId]) -> None:
        """Note that these are being looked up. No event says so: it follows from the end of each decision."""
        for execution in executions:
            self.unchecked.remove(execution)
            self.looking_up[execution] = None

    def _forget_look_up(self, execution: ExecutionId) -> None:
        for asked in (self.looking_up, self.awaited):
            if execution in asked:
                del asked[execution]
                return
        self.unchecked.remove(execution)

    def _forget_queued_of(self, name: str) -> None:
        self.queue = deque(waiting for waiting in self.queue if waiting.node != name)
        self.unchecked = deque(waiting for waiting in self.unchecked if waiting.node != name)
        self.looking_up = {waiting: None for waiting in self.looking_up if waiting.node != name}
        self.awaited = {waiting: None for waiting in self.awaited if waiting.node != name}
        self.delayed = {waiting: delay for waiting, delay in self.delayed.items() if waiting.node != name}

    def _attempt_started(self, event: events.AttemptStarted) -> None:
        execution = event.attempt.execution
        self.queue.remove(execution)
        state, node = self.execution(execution), self.nodes[execution.node]
        state.status, state.attempt = Status.STARTED, event.attempt.number
        node.queued -= 1
        node.running += 1
        self.running += 1
        if not node.queued:
            node.waits_because = None

    def _attempt_ended(self, event: events.AttemptEnded) -> None:
        execution = event.attempt.execution
        node, state = self.nodes[execution.node], self.execution(execution)
        if event.reused_from is None:
            node.running -= 1
            self.running -= 1
        else:
            state.attempt = event.attempt.number
            node.queued -= 1
            if not node.queued:
                node.waits_because = None
            self._forget_waiting(execution)
        state.status, state.because, state.is_stopping = event.outcome, event.because, False
        state.metadata, state.outputs, state.use = event.metadata, event.outputs, event.use
        state.fingerprint, state.origin = event.fingerprint, event.reused_from
        if event.outcome is Status.COMPLETE:
            node.completed += 1
        elif event.outcome is not Status.STOPPED:
            node.failed += 1
            state.failures += 1

    def _forget_waiting(self, execution: ExecutionId) -> None:
        """Take a queued execution out of wherever it waits."""
        if self.nodes[execution.node].reuses:
            self._forget_look_up(execution)
        else:
            self.queue.remove(execution)

    def _retry_scheduled(self, event: events.RetryScheduled) -> None:
        node, state = self.nodes[event.execution.node], self.execution(event.execution)
        state.status, state.outputs, state.metadata, state.use = Status.QUEUED, (), {}, None
        node.failed -= 1
        node.queued += 1
        if event.delay_s:
            self.delayed[event.execution] = event.delay_s
        else:
            self.queue.append(event.execution)

    def _hook_applied(self, event: events.HookApplied) -> None:
        node = self.nodes[event.node]
        if event.moment == "pre":
            bound = node.bound or events.InputsBound(event.node)
            node.bound = msgspec.structs.replace(bound, values={**bound.values, **event.values})
            node.is_prepared = True
            return
        if not node.is_hooking:
            return
        node.is_hooking = False
        self.hooking -= 1
        if node.withheld is None:
            self._release(event.node)

    def _attempt_lost(self, event: events.AttemptLost) -> None:
        """Queue the execution again, or stop it where nothing of its node starts any more."""
        execution = event.attempt.execution
        node, state = self.nodes[execution.node], self.execution(execution)
        if state.status is Status.COMPLETE:
            node.completed -= 1
        else:
            node.running -= 1
            self.running -= 1
        state.outputs, state.metadata, state.is_stopping, state.use = (), {}, False, None
        state.fingerprint = state.origin = None
        because = node.stopping or (self.stopping.because if self.stopping else None)
        if because is not None:
            state.status, state.because = Status.STOPPED, because
            return
        state.status, state.because = Status.QUEUED, None
        node.queued += 1
        self._enqueue(execution.node, [execution.index])
        if node.status is Status.COMPLETE:
            self._unsettle(execution.node, Status.STARTED)

    def _unsettle(self, name: str, status: Status) -> None:
        """Undo a settling; what has been released by it waits again."""
        node = self.nodes[name]
        is_held = node.is_hooking or (node.status is Status.COMPLETE and node.withheld is Moment.COMPLETE)
        if not is_held:
            for downstream in self.downstream[name]:
                self.nodes[downstream].waiting_for += 1
        self.hooking -= node.is_hooking  # the hooks are called, and an approval is asked for, when it settles anew
        node.is_hooking = False
        self._stop_awaiting(node)
        node.status, node.because, node.settled_in_stop = status, None, False
        self.unsettled += 1

    def _node_reopened(self, event: events.NodeReopened) -> None:
        node = self.nodes[event.node]
        if node.status not in (Status.CREATED, Status.STARTED):
            self._unsettle(event.node, event.status)
        if event.status is Status.CREATED:
            self._forget_queued_of(event.node)
            node.status, node.bound, node.queued, node.completed, node.failed = Status.CREATED, None, 0, 0, 0
            node.making_deployment, node.waits_because = False, None
            for execution in node.executions:  # they count no more, but for the numbers of their attempts
                execution.status = Status.SKIPPED
        for index in event.queued:
            node.executions[index].status, node.executions[index].because = Status.QUEUED, None
        node.queued += len(event.queued)
        self._enqueue(event.node, event.queued)

    def _run_resumed(self, event: events.RunResumed) -> None:
        self.status, self.because, self.boot = Status.STARTED, None, event.boot
        self.capacity = Capacity(event.capacity, event.amounts)
        if self.stopping is not None and self.stopping.by_user:
            self.stopping = None
        self._wait_anew()

    def _wait_anew(self) -> None:
        """Have all looked up once more: who answered is gone, and others may have done the work since."""
        waiting = (*self.queue, *self.awaited, *self.looking_up, *self.unchecked)
        for emptied in (self.queue, self.awaited, self.looking_up, self.unchecked):
            emptied.clear()
        for execution in waiting:
            self._enqueue(execution.node, [execution.index])
        for node in self.nodes.values():
            node.waits_because = None

    def _drop_queued(self, node: NodeState, because: str) -> None:
        for execution in node.executions if node.queued else ():
            if execution.status is Status.QUEUED:
                execution.status, execution.because = Status.STOPPED, because
        node.queued, node.waits_because = 0, None

    def _node_settled(self, event: events.NodeSettled) -> None:
        node = self.nodes[event.node]
        node.status, node.because, node.failed = event.status, event.because, event.failed
        node.settled_in_stop = self.stopping is not None and self.stopping.by_user
        self._stop_awaiting(node)
        self.unsettled -= 1
        node.is_hooking = event.hooked
        self.hooking += event.hooked
        if not (event.held or event.hooked):
            self._release(event.node)

    def _approval_awaited(self, event: events.ApprovalAwaited) -> None:
        node = self.nodes[event.node]
        self.awaiting += node.awaiting is None
        node.awaiting = node.withheld = event.moment

    def _release(self, name: str) -> None:
        for downstream in self.downstream[name]:
            self.nodes[downstream].waiting_for -= 1

    def _approval_answered(self, event: events.ApprovalGranted | events.ApprovalRefused) -> None:
        node = self.nodes[event.node]
        self._stop_awaiting(node)
        if isinstance(event, events.ApprovalRefused):
            self.refused = event.node
            return
        node.withheld = None
        if event.moment is Moment.COMPLETE and node.status is Status.COMPLETE and not node.is_hooking:
            self._release(event.node)

    def _stop_awaiting(self, node: NodeState) -> None:
        self.awaiting -= node.awaiting is not None
        node.awaiting = None

    def _run_stopping(self, event: events.RunStopping) -> None:
        self.stopping = event
        for waiting in (self.queue, self.unchecked, self.looking_up, self.awaited, self.delayed):
            waiting.clear()
        for node in self.nodes.values():
            self._drop_queued(node, event.because)
            if node.awaiting is Moment.COMPLETE:
                self._stop_awaiting(node)


def neighbours(plan: Plan) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Upstream and downstream of every node, each neighbour once, in the order of the edges."""
    upstream: dict[str, dict[str, None]] = {node.name: {} for node in plan.nodes}
    downstream: dict[str, dict[str, None]] = {node.name: {} for node in plan.nodes}
    for edge in plan.edges:
        upstream[edge.target][edge.source] = None
        downstream[edge.source][edge.target] = None
    return ({name: tuple(names) for name, names in upstream.items()},
            {name: tuple(names) for name, names in downstream.items()})  # fmt: skip
