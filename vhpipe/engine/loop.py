"""The engine's loop: it waits, lets the scheduler decide, appends the events, and has the effects performed.

Events are written before effects are performed, and work that depends on a finished attempt starts only when that
attempt's end is safe on disk. Source: docs/architecture.md, "Who owns what".
"""

import signal
from collections import deque
from collections.abc import Sequence

from vhpipe.attempt.running_clock import Clock, wait_and_hear
from vhpipe.engine.effect_performer import EffectPerformer
from vhpipe.engine.protocols import EventRecorder, Requests, SignalSource, Waker
from vhpipe.engine.recorder import Observer
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.store.requests import Request

TICK_S = 0.2
"""How often observers may repaint."""
REQUESTS_EVERY_S = 1.0
SAME_SIGNAL_S = 0.5
"""A second signal within this time is the first one, heard again."""


class Engine:
    """One run from its start to its end, in one thread."""

    def __init__(
        self,
        scheduler: Scheduler,
        inbox: Waker,
        recorder: EventRecorder,
        performer: EffectPerformer,
        requests: Requests,
        signals: SignalSource,
        observers: Sequence[Observer],
        clock: Clock,
    ) -> None:
        self._scheduler, self._inbox, self._recorder, self._performer = scheduler, inbox, recorder, performer
        self._requests, self._signals, self._observers, self._clock = requests, signals, observers, clock
        self._runner, self._reuse, self._hooks = performer.runner, performer.reuse, performer.hooks
        self._timers = performer.timers
        self._waiting: deque[effects.Effect] = deque()
        self._stopping_since: float | None = None
        self._next_tick = 0.0
        self._next_look = 0.0

    def run(self, beginning: stimuli.StartRequested | stimuli.ResumeRequested) -> None:
        """Walk the plan to its end; the outcome is in the scheduler's state.

        `VhpipeError` where the world fails: then every process is dead and the journal is a valid prefix.
        """
        self._inbox.watch(self._requests.wake_descriptor(), self._look_soon)
        self._recorder.start(self._inbox.wake)
        try:
            self._hear(beginning)
            while not self._is_over():
                self._turn()
        except BaseException:
            self._runner.abandon()
            self._performer.pool.give_up()  # nobody hears any more what comes of it
            raise

    # ── one turn of the loop ─────────────────────────────────────────────────────────────────────

    def _turn(self) -> None:
        wait_and_hear(self._clock, self._patience(), self._inbox.wait)
        for number in self._signals.new():
            self._hear_signal(number)
        for stimulus in self._inbox.heard():
            self._hear(stimulus)
        now = self._clock.monotonic()
        self._runner.keep_time(now)
        self._recorder.keep_time(now)
        for fired in self._timers.due(now):
            self._hear(fired)
        self._perform_waiting()
        self._look_for_requests(now)
        self._tick(now)

    def _patience(self) -> float:
        """Seconds until something must be looked at."""
        if self._inbox.has_news():
            return 0.0
        moments = [self._next_tick, self._next_look]
        deadlines = (self._runner.next_deadline(), self._recorder.next_deadline(), self._timers.next_deadline())
        moments += (deadline for deadline in deadlines if deadline is not None)
        return max(0.0, min(moments) - self._clock.monotonic())

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

    def _hear(self, stimulus: stimuli.Stimulus) -> None:
        """Let the scheduler decide; record first, then act."""
        decision = self._scheduler.handle(stimulus)
        self._recorder.append(decision.events)
        if self._must_wait(decision):
            self._waiting.extend(decision.effects)
        else:
            for effect in decision.effects:
                self._performer.perform(effect)
        if isinstance(stimulus, stimuli.AttemptReported):
            self._reuse.ended(stimulus)

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
            self._performer.perform(self._waiting.popleft())

    # ── signals and requests ─────────────────────────────────────────────────────────────────────

    def _hear_signal(self, number: int) -> None:
        """The first asks for an orderly end, the second skips the grace.

        One sent to the entire process group comes twice, directly and through the supervisor: it counts once.
        """
        now = self._clock.monotonic()
        if self._stopping_since is None:
            self._stopping_since = now
            self._hooks.stop(at_once=False)
            self._hear(stimuli.StopRequested(f"received {signal.Signals(number).name}"))
        elif now - self._stopping_since > SAME_SIGNAL_S:
            self._skip_graces()

    def _skip_graces(self) -> None:
        """End at once what still has a grace, or much work to do."""
        self._hooks.stop(at_once=True)
        self._runner.kill()
        self._performer.pool.give_up()

    def _look_soon(self) -> None:
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
            self._hear(stimuli.StopRequested(f"stopped by {by}", request.id))
            if request.at_once:
                self._skip_graces()
        elif request.node is not None:
            self._hear(stimuli.ApprovalAnswered(request.node, request.kind == "approve", by, request.id))
