"""The engine's loop: it waits, lets the scheduler decide, appends the events, and performs the effects.

Events are written before effects are performed, and work that depends on a finished attempt starts only when that
attempt's end is safe on disk. Source: docs/architecture.md, "Who owns what".
"""

import os
import selectors
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, assert_never

from vhpipe.attempt.thread_pool import Pool
from vhpipe.engine.deployments import Deployer
from vhpipe.engine.hooks import NodeHooks
from vhpipe.engine.input_fetching import Fetcher
from vhpipe.engine.optuna_search import OptunaSearch
from vhpipe.engine.recorder import Observer, Recorder
from vhpipe.engine.reuse import Reuse
from vhpipe.engine.timers import Timers
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import PlannedDeployment, PlannedTask
from vhpipe.runners.protocol import AttemptOrder, Runner
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Moment, Status
from vhpipe.store.requests import Request

TICK_S = 0.2
"""How often observers may repaint."""
REQUESTS_EVERY_S = 1.0
SAME_SIGNAL_S = 0.5
"""A second signal within this time is the first one, heard again."""


class Approvals(Protocol):
    """Who is asked for approvals. The answer comes by `answer`, from any thread, soon, later or never."""

    def ask(self, node: str, moment: Moment, answer: Callable[[bool, str], None]) -> None: ...


class Requests(Protocol):
    """What other processes ask of this run."""

    def wake_descriptor(self) -> int: ...

    def take(self) -> Sequence[Request]: ...

    def delete(self, request: Request) -> None: ...


class EngineParts(NamedTuple):
    """What performs the effects."""

    runner: Runner
    pool: Pool
    fetcher: Fetcher
    reuse: Reuse
    hooks: NodeHooks


class Engine:
    """One run from its start to its end. Everything but `hand_over` is for one thread."""

    def __init__(
        self,
        scheduler: Scheduler,
        recorder: Recorder,
        requests: Requests,
        approvals: Approvals,
        deployer: Deployer,
        observers: Sequence[Observer],
    ) -> None:
        self._scheduler, self._recorder, self._requests = scheduler, recorder, requests
        self._approvals, self._deployer, self._observers = approvals, deployer, observers
        self.selector = selectors.DefaultSelector()
        self._search = OptunaSearch()
        self._timers = Timers()
        self._inbox: deque[Callable[[], None]] = deque()
        self._waiting: deque[effects.Effect] = deque()
        self._failure: VhpipeError | None = None
        self._signals: list[int] = []
        self._signals_heard = 0
        self._stopping_since: float | None = None
        self._next_tick = 0.0
        self._next_look = 0.0
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._runner: Runner
        self._pool: Pool
        self._fetcher: Fetcher
        self._reuse: Reuse
        self._hooks: NodeHooks

    def equip(self, parts: EngineParts) -> None:
        """Give the parts that need this engine's `hand_over` and `selector` themselves."""
        self._runner, self._pool = parts.runner, parts.pool
        self._fetcher, self._reuse, self._hooks = parts.fetcher, parts.reuse, parts.hooks

    def hand_over(self, work: Callable[[], None]) -> None:
        """Run `work` in the engine's thread, soon. Thread-safe."""
        self._inbox.append(work)
        self.wake()

    def wake(self) -> None:
        with suppress(BlockingIOError):  # the pipe is full: the engine will wake anyway
            os.write(self._wake_write, b"\0")

    def run(self, beginning: stimuli.StartRequested | stimuli.ResumeRequested) -> None:
        """Walk the plan to its end; the outcome is in the scheduler's state.

        `VhpipeError` where the world fails: then every process is dead and the journal is a valid prefix.
        """
        self.selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wake)
        self.selector.register(self._requests.wake_descriptor(), selectors.EVENT_READ, self._drain_requests)
        self._recorder.start(self.wake)
        previous = self._catch_signals()
        try:
            self.hear(beginning)
            while not self._is_over():
                self._turn()
        except BaseException:
            self._runner.abandon()
            raise
        finally:
            self._restore_signals(previous)

    def received_signal(self) -> int | None:
        """The first signal that asked for an end, None without one."""
        return self._signals[0] if self._signals else None

    def fail(self, failure: VhpipeError) -> None:
        """End the run because the world does not let it go on."""
        self._failure = self._failure or failure

    # ── one turn of the loop ─────────────────────────────────────────────────────────────────────

    def _turn(self) -> None:
        for key, _ in self.selector.select(self._patience()):
            key.data()
        while self._inbox:
            self._inbox.popleft()()
        now = time.monotonic()
        self._runner.keep_time(now)
        self._recorder.keep_time(now)
        for fired in self._timers.due(now):
            self.hear(fired)
        if self._failure is not None:
            raise self._failure
        self._perform_waiting()
        self._look_for_requests(now)
        self._tick(now)

    def _patience(self) -> float:
        """Seconds until something must be looked at."""
        if self._inbox:
            return 0.0
        moments = [self._next_tick, self._next_look]
        deadlines = (self._runner.next_deadline(), self._recorder.next_deadline(), self._timers.next_deadline())
        moments += (deadline for deadline in deadlines if deadline is not None)
        return max(0.0, min(moments) - time.monotonic())

    def _tick(self, now: float) -> None:
        if now >= self._next_tick:
            self._next_tick = now + TICK_S
            self._reuse.look_again(self._scheduler.state.capacity.slots)
            for observer in self._observers:
                observer.tick()

    def _is_over(self) -> bool:
        ended = self._scheduler.state.status not in (Status.CREATED, Status.STARTED)
        return ended and not self._waiting and self._recorder.is_safe()

    # ── hearing and deciding ─────────────────────────────────────────────────────────────────────

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        """Let the scheduler decide; record first, then act."""
        decision = self._scheduler.handle(stimulus)
        self._recorder.append(decision.events)
        if self._must_wait(decision):
            self._waiting.extend(decision.effects)
        else:
            for effect in decision.effects:
                self._perform(effect)
        if isinstance(stimulus, stimuli.AttemptReported):
            self._reuse.ended(stimulus)

    def hear_soon(self, stimulus: stimuli.Stimulus) -> None:
        """Hear it in this turn of the loop, after what is being done now. For the engine's own thread."""
        self._inbox.append(lambda: self.hear(stimulus))

    def _must_wait(self, decision: effects.Decision) -> bool:
        """Whether effects must wait for a sync: others wait already, or a node starts on work that is not safe yet."""
        if self._waiting:
            return True
        starts = any(isinstance(event, events.NodeStarted | events.DeploymentRequested) for event in decision.events)
        if starts and self._runner.are_idle():
            self._recorder.make_safe()
        return starts and not self._recorder.is_safe()

    def _perform_waiting(self) -> None:
        while self._waiting and self._recorder.is_safe():
            self._perform(self._waiting.popleft())

    def _perform(self, effect: effects.Effect) -> None:
        match effect:
            case effects.StartAttempts():
                spec_of = self._scheduler.execution_spec
                self._runner.start([AttemptOrder(each, spec_of(each.execution)) for each in effect.attempts])
            case effects.LookUpReuse():
                self._reuse.look_up(self._scheduler.execution_spec(effect.execution))
            case effects.RunHook():
                self._hooks.call(effect, self.hear)
            case effects.SetTimer():
                self._timers.set(effect)
            case effects.Propose():
                self._propose(effect.node)
            case effects.FetchInputs():
                self._pool.do(lambda: self._fetcher.fetch_inputs(effect.node, effect.uris), self.hear)
            case effects.StopAttempt():
                self._runner.stop(effect.attempt, effect.because, effect.completes)
            case effects.AskApproval():
                self._ask(effect)
            case effects.MakeDeployment():
                self._deploy(effect.node)
            case _:
                assert_never(effect)

    def _ask(self, effect: effects.AskApproval) -> None:
        def answer(approved: bool, by: str) -> None:
            self.hand_over(lambda: self.hear(stimuli.ApprovalAnswered(effect.node, approved, by)))

        self._approvals.ask(effect.node, effect.moment, answer)

    def _propose(self, name: str) -> None:
        node, state = self._scheduler.plan.node(name), self._scheduler.state.nodes[name]
        assert isinstance(node, PlannedTask), "only tasks search"
        bound = state.bound or events.InputsBound(name)
        measured = [each.metadata if each.status is Status.COMPLETE else None for each in state.executions]
        self._pool.do(lambda: self._search.propose(node, bound, measured, self._scheduler.plan.seed), self.hear)

    def _deploy(self, name: str) -> None:
        node = self._scheduler.plan.node(name)
        assert isinstance(node, PlannedDeployment), "only deployments are deployed"
        bound = self._scheduler.state.nodes[name].bound or events.InputsBound(name)
        self._pool.do(lambda: self._deployer.make(node, dict(bound.files)), self.hear)

    # ── requests and signals ─────────────────────────────────────────────────────────────────────

    def _drain_wake(self) -> None:
        _drain(self._wake_read)
        for number in self._signals[self._signals_heard :]:
            self._signals_heard += 1
            self._hear_signal(number)

    def _hear_signal(self, number: int) -> None:
        """The first asks for an orderly end, the second skips the grace.

        One sent to the whole process group comes twice, directly and through the supervisor: it counts once.
        """
        now = time.monotonic()
        if self._stopping_since is None:
            self._stopping_since = now
            self._hooks.stop(at_once=False)
            self.hear(stimuli.StopRequested(f"received {signal.Signals(number).name}"))
        elif now - self._stopping_since > SAME_SIGNAL_S:
            self._hooks.stop(at_once=True)
            self._runner.kill()

    def _drain_requests(self) -> None:
        _drain(self._requests.wake_descriptor())
        self._next_look = 0.0

    def _look_for_requests(self, now: float) -> None:
        if now < self._next_look:
            return
        self._next_look = now + REQUESTS_EVERY_S
        for request in self._requests.take():
            self._grant(request)
            self._requests.delete(request)

    def _grant(self, request: Request) -> None:
        by = request.by or "another process"
        if request.kind == "stop":
            self._hooks.stop(at_once=False)
            self.hear(stimuli.StopRequested(f"stopped by {by}", request.id))
        elif request.node is not None:
            self.hear(stimuli.ApprovalAnswered(request.node, request.kind == "approve", by, request.id))

    def _catch_signals(self) -> dict[int, object]:
        """What was done about signals before; a thread that is not the main one cannot hear any."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        return {number: signal.signal(number, lambda received, _: self._signals.append(received)) for number in numbers}

    def _restore_signals(self, previous: dict[int, object]) -> None:
        if not previous:
            return
        signal.set_wakeup_fd(-1)
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def close(self) -> None:
        self.selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)


def _drain(descriptor: int) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
