"""An engine's parts in memory: a clock that waiting moves, a journal that syncs when told, attempts that are names.

All of them write what they do into one log, so that a test sees in which order it was done.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vhpipe.engine.effect_performer import EffectPerformer
from vhpipe.engine.gpu_pool import GpuPool
from vhpipe.engine.loop import Engine
from vhpipe.engine.timers import Timers
from vhpipe.errors import EnvironmentFailure, VhpipeError
from vhpipe.plan.capabilities import PLAIN_MACHINE, Capabilities
from vhpipe.plan.model import AttemptId, ExecutionSpec, InputFile, Plan, PlannedDeployment
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Moment, Status
from vhpipe.store.requests import Request

Log = list[str]
IDLE_WAITS = 500
"""A loop that waits so often while nothing happens any more would wait for ever."""


class MovedClock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.woken: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def woke(self, due: float) -> None:
        self.woken.append(self.now - due)


class Agenda:
    """The inbox of an engine for which all that happens was written down before: so many seconds later, do this."""

    def __init__(self, clock: MovedClock) -> None:
        self._clock, self._start = clock, clock.now
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self._stimuli: deque[stimuli.Stimulus] = deque()
        self._work: deque[Callable[[], None]] = deque()
        self._bells: list[Callable[[], None]] = []
        self._idle = 0
        self.failure: VhpipeError | None = None

    def at(self, after_s: float, happens: Callable[[], None]) -> None:
        self._planned.append((self._start + after_s, happens))
        self._planned.sort(key=lambda each: each[0])

    def watch(self, descriptor: int, rang: Callable[[], None]) -> None:
        self._bells.append(rang)

    def ring(self) -> None:
        for rang in self._bells:
            rang()

    def wake(self) -> None:
        pass

    def wait(self, patience_s: float) -> None:
        assert patience_s >= 0
        until = self._clock.now + patience_s
        if self._planned and self._planned[0][0] <= until:
            at, happens = self._planned.pop(0)
            self._clock.now, self._idle = max(at, self._clock.now), 0
            happens()
            return
        self._idle += not self._planned
        assert self._idle < IDLE_WAITS, "nothing happens any more, and the run does not end"
        self._clock.now = until

    def has_news(self) -> bool:
        return bool(self._stimuli or self._work or self.failure)

    def heard(self) -> Iterator[stimuli.Stimulus]:
        while self._stimuli or self._work or self.failure:
            if self._stimuli:
                yield self._stimuli.popleft()
            elif self.failure:
                raise self.failure
            else:
                self._work.popleft()()

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        self._stimuli.append(stimulus)

    def hand_over(self, work: Callable[[], None]) -> None:
        self._work.append(work)


class MemoryRecorder:
    """With `syncs_at_once` False only `sync`, or a loop that waits for it, makes safe what was written."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.events: list[events.AnyEvent] = []
        self.syncs_at_once, self._is_safe = True, True
        self.fails_at: int | None = None
        self.sync_failure: VhpipeError | None = None

    def start(self, on_safe: Callable[[], None]) -> None:
        pass

    def append(self, batch: Sequence[events.AnyEvent]) -> None:
        if batch and self.fails_at is not None and len(self.events) + len(batch) > self.fails_at:
            raise EnvironmentFailure("the disk is full")
        self.events.extend(batch)
        self._log.extend(f"write {type(event).__name__}" for event in batch)
        commits = events.AttemptEnded | events.DeploymentCreated | events.RunEnded
        if any(isinstance(event, commits) for event in batch) and not self.syncs_at_once:
            self._is_safe = False

    def sync(self) -> None:
        self._is_safe = True
        self._log.append("sync")

    def is_safe(self) -> bool:
        if self.sync_failure is not None:
            raise self.sync_failure
        return self._is_safe

    def make_safe(self) -> None:
        if not self._is_safe:
            self.sync()

    def next_deadline(self) -> float | None:
        return None

    def keep_time(self, now: float) -> None:
        pass


class NamedAttempts:
    """A runner whose attempts are only names; they end when the agenda says so."""

    capabilities: Capabilities = PLAIN_MACHINE
    capacity: Capacity = Capacity(4)

    def __init__(self, log: Log, inbox: Agenda) -> None:
        self._log, self._inbox = log, inbox
        self.under_way: list[AttemptId] = []

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        self.under_way.extend(order.attempt for order in orders)
        self._log.append(f"start {' '.join(str(order.attempt.execution) for order in orders)}")

    def end(self, attempt: AttemptId, outcome: Status = Status.COMPLETE, **more: Any) -> None:
        self.under_way.remove(attempt)
        self._inbox.hear(stimuli.AttemptReported(attempt, outcome, **more))

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        self._log.append(f"stop {attempt.execution}")

    def kill(self) -> None:
        self._log.append("kill")
        for attempt in tuple(self.under_way):
            self.end(attempt, Status.STOPPED)

    def abandon(self) -> None:
        self._log.append("abandon")
        self.under_way.clear()

    def are_idle(self) -> bool:
        return not self.under_way

    def next_deadline(self) -> float | None:
        return None

    def keep_time(self, now: float) -> None:
        pass

    def close(self) -> None:
        pass


class Postponed:
    """A pool whose work is done when the test says so."""

    def __init__(self) -> None:
        self._work: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def do(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._work.append((work, then))

    do_while_open = do

    def give_up(self) -> None:
        pass

    def finish(self) -> None:
        for work, then in self._work:
            then(work())
        self._work.clear()


class Answers:
    """All that answers a question of an engine in one place: look-ups, fetching, hooks, searches, approvals, deploying.

    What is asked stands in the log; approvals are answered by `approve`.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self.approve: Callable[[bool, str], None] | None = None
        self.ended_attempts: list[AttemptId] = []

    def look_up(self, spec: ExecutionSpec) -> None:
        self._log.append(f"look up {spec.id}")

    def look_again(self, most: int) -> None:
        pass

    def ended(self, report: stimuli.AttemptReported) -> None:
        self.ended_attempts.append(report.attempt)

    def fetch_inputs(self, node: str, uris: Any, filled: Any = ()) -> stimuli.InputsReported:
        self._log.append(f"fetch for {node}")
        return stimuli.InputsReported(node, dict.fromkeys(uris, "0" * 64))

    def call(self, effect: effects.RunHook, then: Callable[[stimuli.HookAnswered], None]) -> None:
        self._log.append(f"hook {effect.moment} of {effect.node}")

    def stop(self, at_once: bool) -> None:
        self._log.append("stop hooks at once" if at_once else "stop hooks")

    def propose(self, task: Any, bound: Any, measured: Any, seed: int) -> stimuli.ProposalsAnswered:
        self._log.append(f"propose for {task.name}")
        return stimuli.ProposalsAnswered(task.name, ({"lr": 1.0},))

    def ask(self, node: str, moment: Moment, answer: Callable[[bool, str], None]) -> None:
        self._log.append(f"ask for approval of {node}")
        self.approve = answer

    def make(self, node: PlannedDeployment, files: dict[str, tuple[InputFile, ...]]) -> stimuli.DeploymentReported:
        self._log.append(f"deploy {node.name}")
        return stimuli.DeploymentReported(node.name, "v1", "d", "v")


class MemoryRequests:
    """With `keeps` a request that is deleted is found again, as after a crash before its file was gone."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.pending: list[Request] = []
        self.looks, self.keeps = 0, False

    def wake_descriptor(self) -> int:
        return -1

    def take(self) -> Sequence[Request]:
        self.looks += 1
        return tuple(self.pending)

    def delete(self, request: Request) -> None:
        self._log.append(f"delete {request.id}")
        if not self.keeps:
            self.pending.remove(request)


class GivenSignals:
    def __init__(self) -> None:
        self.coming: list[int] = []

    def new(self) -> Sequence[int]:
        found, self.coming = self.coming, []
        return found


class Ticks:
    def __init__(self, clock: MovedClock) -> None:
        self._clock = clock
        self.times: list[float] = []

    def observe(self, recorded: events.RecordedEvent) -> None:
        pass

    def tick(self) -> None:
        self.times.append(self._clock.now)


class LoopWorld:
    """An engine for a plan, on nothing but memory."""

    def __init__(self, plan: Plan, slots: int = 4) -> None:
        self.log: Log = []
        self.clock = MovedClock()
        self.inbox = Agenda(self.clock)
        self.scheduler, self.recorder = Scheduler(plan), MemoryRecorder(self.log)
        self.runner, self.pool, self.answers = NamedAttempts(self.log, self.inbox), Postponed(), Answers(self.log)
        self.requests, self.signals, self.ticks = MemoryRequests(self.log), GivenSignals(), Ticks(self.clock)
        performer = EffectPerformer(
            self.scheduler, self.inbox, self.runner, self.pool, Timers(self.clock), self.answers, self.answers,
            self.answers, self.answers, self.answers, self.answers, GpuPool((), self.scheduler.state.is_running),
        )  # fmt: skip
        self.engine = Engine(
            self.scheduler, self.inbox, self.recorder, performer, self.requests, self.signals, [self.ticks], self.clock
        )
        self._slots = slots

    def run(self) -> Status:
        self.engine.run(stimuli.StartRequested(Capacity(self._slots)))
        return self.scheduler.state.status

    def ends(self, after_s: float, attempt: AttemptId, outcome: Status = Status.COMPLETE, **more: Any) -> None:
        self.inbox.at(after_s, lambda: self.runner.end(attempt, outcome, **more))

    def signal(self, after_s: float, number: int) -> None:
        self.inbox.at(after_s, lambda: self.signals.coming.append(number))

    def ordered(self, *texts: str) -> bool:
        """Whether the log has these, in this order."""
        rest = iter(self.log)
        return all(text in rest for text in texts)
