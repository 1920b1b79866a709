"""How far one node of a run has come. Counting is incremental: nothing here grows with what merely waits."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import structs

from vhpipe.plan.execution import typed_execution_values
from vhpipe.plan.model import (
    AttemptId,
    Datum,
    ExecutionId,
    Origin,
    PlannedDeployment,
    PlannedExecution,
    PlannedNode,
    ResourceUse,
)
from vhpipe.schedule import events
from vhpipe.schedule.terms import SETTLED, Json, Moment, Status

ENGINE_GONE = "the engine ended before the run did"
FAILED = frozenset({Status.ERROR, Status.CRASHED})


class Counts(NamedTuple):
    """How many executions of a node are where; `failed` has the crashed ones too, and `total` is the sum.

    `reused` are those among the complete ones whose result was made elsewhere.
    """

    total: int
    queued: int
    running: int
    complete: int
    failed: int
    stopped: int
    reused: int = 0


@dataclass(slots=True)
class AttemptView:
    number: int
    started_at: float
    status: Status = Status.STARTED
    exit_code: int | None = None
    because: str | None = None
    ended_at: float | None = None
    setup_s: float = 0.0
    """How long it was set up; known when it has ended."""
    ran_s: float | None = None
    use: ResourceUse | None = None

    @property
    def duration_s(self) -> float | None:
        """How long the step itself ran, None until it has ended. Earlier versions have recorded no setup apart."""
        if self.ended_at is None:
            return None
        return max(self.ended_at - self.started_at, 0.0) if self.ran_s is None else self.ran_s


@dataclass(slots=True)
class ExecutionView:
    """`metadata`, `outputs` and `use` are those of the last attempt that ended.

    With `reused_from` the execution has no attempt of its own. `reuse` says why it waits or why it had to run.
    """

    index: int
    status: Status
    attempts: list[AttemptView] = field(default_factory=list)
    metadata: dict[str, Json] = field(default_factory=dict)
    outputs: tuple[Datum, ...] = ()
    reused_from: Origin | None = None
    reuse: str | None = None
    use: ResourceUse | None = None

    @property
    def because(self) -> str | None:
        return self.attempts[-1].because if self.attempts else None


@dataclass(slots=True)
class NodeView:
    """A node so far. Executions that never started take no room: they are made when asked for.

    `metadata` has the last values of the execution that ended last, `approval` the moment that waits for an answer.
    """

    planned: PlannedNode
    status: Status = Status.CREATED
    because: str | None = None
    total: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    setup_s: float = 0.0
    """How long the first execution was set up, before which nothing of the node can run."""
    approval: Moment | None = None
    waits_because: str | None = None
    """Why executions are queued although slots are free."""
    metadata: dict[str, Json] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    version: str | None = None
    version_identifier: str | None = None
    files: tuple[str, ...] = ()
    reused: int = 0
    _bound: events.InputsBound | None = None
    _known: dict[int, ExecutionView] = field(default_factory=dict)
    _unstarted: Status = Status.QUEUED
    _running: dict[int, None] = field(default_factory=dict)
    _counted: Counter[Status] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return self.planned.name

    def took_s(self, now: float | None = None) -> float | None:
        """How long the node has taken without what it took to set up; until `now` if it has not ended, else None."""
        until = self.ended_at if self.ended_at is not None else now
        return None if self.started_at is None or until is None else until - self.started_at - self.setup_s

    @property
    def type(self) -> str:
        """`execution`, `task` or `deployment`."""
        return str(self.planned.__struct_config__.tag)

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.planned.aliases if isinstance(self.planned, PlannedDeployment) else ()

    @property
    def counts(self) -> Counts:
        counted = self._counted
        return Counts(
            self.total,
            counted[Status.QUEUED],
            counted[Status.STARTED],
            counted[Status.COMPLETE],
            counted[Status.ERROR] + counted[Status.CRASHED],
            counted[Status.STOPPED],
            self.reused,
        )

    @property
    def has_outputs(self) -> bool:
        return any(execution.outputs for execution in self._known.values())

    @property
    def has_run(self) -> bool:
        """Whether it has had an attempt: one whose results are all of other runs has not."""
        return any(execution.attempts for execution in self._known.values())

    def execution(self, index: int) -> ExecutionView:
        return self._known.get(index) or ExecutionView(index, self._unstarted)

    def executions(self) -> Iterator[ExecutionView]:
        """All executions that the node has queued so far, by index; none before it started or when it is skipped."""
        return (self.execution(index) for index in range(self.total))

    def known_executions(self) -> list[ExecutionView]:
        """The executions that have started, by index."""
        return [self._known[index] for index in sorted(self._known)]

    def running(self) -> Iterator[AttemptId]:
        """The attempts that run now, the one started last first."""
        for index in reversed(self._running):
            yield AttemptId(ExecutionId(self.name, index), self._known[index].attempts[-1].number)

    def parameters(self, index: int, seed: int) -> Mapping[str, object]:
        """The parameters of one execution: those of the step, of the sweep and what edges brought."""
        bound = self._bound or events.InputsBound(self.name)
        return typed_execution_values(self.planned, bound, index, seed)

    def label(self, index: int) -> str:
        """How an execution is called: `train#3`, and just `train` where a node cannot have another."""
        return self.name if isinstance(self.planned, PlannedExecution) else f"{self.name}#{index}"

    def bind(self, event: events.InputsBound) -> None:
        self._bound = event

    def start(self, executions: int, left_out: tuple[int, ...], at: float) -> None:
        self.status, self.started_at, self.total = Status.STARTED, at, executions
        self._counted.clear()
        self._counted[Status.QUEUED] = executions
        self._unstarted = Status.QUEUED
        for execution in self._known.values():
            execution.status = Status.QUEUED
        for index in left_out:
            self._move(self._known.setdefault(index, self.execution(index)), Status.SKIPPED)

    def apply_hook(self, event: events.HookApplied) -> None:
        bound = self._bound or events.InputsBound(self.name)
        self._bound = structs.replace(bound, values={**bound.values, **event.values})

    def extend(self, event: events.SweepExtended) -> None:
        bound = self._bound or events.InputsBound(self.name)
        self._bound = structs.replace(bound, proposed=(*bound.proposed, *event.sets))
        self.total += len(event.sets)
        self._counted[Status.QUEUED] += len(event.sets)

    def reopen(self, event: events.NodeReopened) -> None:
        """What a stop had done is taken back."""
        self.status, self.because, self.ended_at, self.approval = event.status, None, None, None
        if event.status is Status.CREATED:
            self.total, self.started_at, self.waits_because, self.setup_s = 0, None, None, 0.0
            self._counted.clear()
            self._running.clear()
        for index in event.queued:
            self._move(self._known.setdefault(index, self.execution(index)), Status.QUEUED)
        self._unstarted = Status.QUEUED

    def attempt_lost(self, event: events.AttemptLost, at: float) -> None:
        execution = self._known[event.attempt.execution.index]
        if execution.attempts:
            attempt = execution.attempts[-1]
            attempt.status, attempt.because = Status.CRASHED, event.because
            attempt.ended_at = attempt.ended_at or at
        self.reused -= execution.reused_from is not None
        execution.metadata, execution.outputs, execution.reused_from, execution.use = {}, (), None, None
        self._move(execution, Status.QUEUED)
        if self.status is Status.COMPLETE:
            self.status, self.ended_at, self.approval = Status.STARTED, None, None

    def note_reuse(self, event: events.ReuseAwaited | events.ReuseMissed) -> None:
        index = event.execution.index
        self._known.setdefault(index, self.execution(index)).reuse = event.because

    def attempt_started(self, attempt: AttemptId, at: float) -> None:
        index = attempt.execution.index
        execution = self._known.setdefault(index, self.execution(index))
        execution.attempts.append(AttemptView(attempt.number, at))
        self._move(execution, Status.STARTED)

    def attempt_stopping(self, index: int, because: str) -> None:
        self._known[index].attempts[-1].because = because

    def attempt_ended(self, event: events.AttemptEnded, at: float) -> None:
        index = event.attempt.execution.index
        if event.reused_from is not None:
            self._apply_reuse(self._known.setdefault(index, self.execution(index)), event)
            return
        execution = self._known[index]
        attempt = execution.attempts[-1]
        attempt.status, attempt.exit_code, attempt.ended_at = event.outcome, event.exit_code, at
        attempt.setup_s, attempt.ran_s, attempt.use = event.setup_s, event.ran_s, event.use
        if index == next(iter(self._known)):
            self.setup_s += event.setup_s
        attempt.because = event.because or (attempt.because if event.outcome is not Status.COMPLETE else None)
        execution.metadata, execution.outputs, execution.use = event.metadata, event.outputs, event.use
        self.metadata = event.metadata or self.metadata
        self._move(execution, event.outcome)

    def _apply_reuse(self, execution: ExecutionView, event: events.AttemptEnded) -> None:
        execution.metadata, execution.outputs, execution.use = event.metadata, event.outputs, event.use
        execution.reused_from, execution.reuse = event.reused_from, None
        self.metadata = event.metadata or self.metadata
        self.reused += 1
        self._move(execution, event.outcome)

    def queue_again(self, index: int) -> None:
        execution = self._known[index]
        execution.metadata, execution.outputs, execution.use = {}, (), None
        self._move(execution, Status.QUEUED)

    def stop_queued(self) -> None:
        """What is queued will never start."""
        for execution in self._known.values():
            if execution.status is Status.QUEUED:
                self._move(execution, Status.STOPPED)
        self._unstarted, self.waits_because = Status.STOPPED, None
        self._counted[Status.STOPPED] += self._counted.pop(Status.QUEUED, 0)

    def settle(self, event: events.NodeSettled, at: float) -> None:
        self.stop_queued()
        self.because = event.because or (self.because if event.status is not Status.COMPLETE else None)
        self.status, self.approval = event.status, self.approval if event.held else None
        self.ended_at = at if self.started_at is not None else None

    def lose(self) -> None:
        """The engine has gone: what was under way will never report."""
        if self.status is not Status.STARTED:
            return
        self.status, self.because = Status.CRASHED, ENGINE_GONE
        for index in tuple(self._running):
            execution = self._known[index]
            execution.attempts[-1].status, execution.attempts[-1].because = Status.CRASHED, ENGINE_GONE
            self._move(execution, Status.CRASHED)

    def _move(self, execution: ExecutionView, status: Status) -> None:
        self._counted[execution.status] -= 1
        self._counted[status] += 1
        self._running.pop(execution.index, None)
        if status is Status.STARTED:
            self._running[execution.index] = None
        execution.status = status
        if not self._counted[Status.QUEUED]:
            self.waits_because = None
