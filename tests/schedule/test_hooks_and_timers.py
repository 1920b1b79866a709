"""Hooks before and after nodes, delays between tries, the time limit of a run: stimuli in, events and effects out."""

from typing import Any

import msgspec
import pytest
from worlds import execution, follows, plan, recorded, spec

from vhpipe.config.model import OnError
from vhpipe.plan.model import AttemptId, ExecutionId, Hook, Hooks, PlannedExecution, RetryPolicy
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status

CALL = Hook(command="true")


def hooked(name: str, *, pre: bool = False, post: bool = False, **more: Any) -> PlannedExecution:
    hooks = Hooks(pre=(CALL,) if pre else (), post=(CALL,) if post else ())
    return msgspec.structs.replace(execution(name, **more), hooks=hooks)


class Told:
    """A scheduler, and all it has said; every event so far gives its state again."""

    def __init__(self, made: Any) -> None:
        self.plan = made
        self.scheduler = Scheduler(made)
        self.events: list[Any] = []
        self.records: list[events.RecordedEvent] = []
        self.effects: list[Any] = []

    def hear(self, stimulus: Any) -> list[Any]:
        decision = self.scheduler.handle(stimulus)
        self.events.extend(decision.events)
        self.effects = list(decision.effects)
        self.records += recorded(decision.events)
        assert Scheduler(self.plan, self.records).state == self.scheduler.state
        return self.effects

    def ends(self, name: str, outcome: Status = Status.COMPLETE, number: int = 1) -> list[Any]:
        return self.hear(stimuli.AttemptReported(AttemptId(ExecutionId(name), number), outcome))

    def status(self, name: str) -> Status:
        return self.scheduler.state.nodes[name].status


def starts(name: str, number: int = 1) -> effects.StartAttempts:
    return effects.StartAttempts((AttemptId(ExecutionId(name), number),))


# ── hooks ────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_waits_for_the_hook_before_it_and_gets_its_parameters() -> None:
    told = Told(plan([hooked("a", pre=True)]))
    assert told.hear(stimuli.StartRequested(Capacity(1))) == [effects.RunHook("a", "pre")]
    assert told.hear(stimuli.HookAnswered("a", "pre", {"lr": 0.5})) == [starts("a")]
    assert told.scheduler.execution_spec(ExecutionId("a")).values["lr"] == 0.5


def test_a_hook_may_skip_a_node_and_what_relies_on_it() -> None:
    told = Told(plan([hooked("a", pre=True), execution("b"), execution("c")], [follows(0, "a", "b")]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.hear(stimuli.HookAnswered("a", "pre", skip=True))
    told.ends("c")
    assert {name: told.status(name) for name in "abc"} == {"a": "skipped", "b": "skipped", "c": "complete"}
    assert told.scheduler.state.status is Status.COMPLETE


def test_a_hook_that_fails_before_a_node_fails_the_node() -> None:
    told = Told(plan([hooked("a", pre=True)]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.hear(stimuli.HookAnswered("a", "pre", because="its hook failed"))
    assert told.status("a") is Status.ERROR
    assert told.scheduler.state.status is Status.ERROR


def test_what_follows_waits_for_the_hook_after_a_node() -> None:
    told = Told(plan([hooked("a", post=True), execution("b")], [follows(0, "a", "b")]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    assert told.ends("a") == [effects.RunHook("a", "post")]
    assert told.hear(stimuli.HookAnswered("a", "post")) == [starts("b")]


def test_the_run_ends_when_the_last_hook_has_answered() -> None:
    told = Told(plan([hooked("a", post=True)]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.ends("a")
    assert told.scheduler.state.status is Status.STARTED
    told.hear(stimuli.HookAnswered("a", "post", because="mail server is down"))
    assert told.scheduler.state.status is Status.COMPLETE


def test_a_node_that_never_began_has_no_hook_called_after_it() -> None:
    told = Told(plan([execution("a"), hooked("b", post=True)], [follows(0, "a", "b")]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.ends("a", Status.ERROR)
    assert told.status("b") is Status.SKIPPED
    assert told.scheduler.state.status is Status.ERROR


def test_hooks_that_had_not_answered_are_called_again_when_a_run_goes_on() -> None:
    told = Told(plan([hooked("a", pre=True), hooked("b", post=True)]))
    told.hear(stimuli.StartRequested(Capacity(2)))
    told.ends("b")
    again = Scheduler(told.plan, told.records)
    orders = again.handle(stimuli.ResumeRequested(Capacity(2))).effects
    assert {effects.RunHook("a", "pre"), effects.RunHook("b", "post")} <= set(orders)


def test_an_answer_is_applied_once() -> None:
    told = Told(plan([hooked("a", post=True)]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.ends("a")
    for _ in range(2):
        told.hear(stimuli.HookAnswered("a", "post"))
    assert sum(isinstance(event, events.HookApplied) for event in told.events) == 1


# ── retries and timers ───────────────────────────────────────────────────────────────────────────


def trying(name: str, retry: RetryPolicy, on_error: OnError = OnError.STOP_ALL) -> PlannedExecution:
    return PlannedExecution(name, spec(), on_error, retry=retry)


def test_a_retry_waits_and_each_later_one_longer() -> None:
    told = Told(plan([trying("a", RetryPolicy(3, delay_s=2, backoff=10))]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    for number, delay_s in ((1, 2.0), (2, 20.0), (3, 200.0)):
        assert told.ends("a", Status.ERROR, number) == [effects.SetTimer(delay_s, ExecutionId("a"))]
        assert told.hear(stimuli.TimerFired(ExecutionId("a"))) == [starts("a", number + 1)]
    told.ends("a", Status.ERROR, 4)
    assert told.status("a") is Status.ERROR
    assert [event.delay_s for event in told.events if isinstance(event, events.RetryScheduled)] == [2.0, 20.0, 200.0]


def test_a_retry_without_delay_is_queued_at_once() -> None:
    told = Told(plan([trying("a", RetryPolicy(1))]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    assert told.ends("a", Status.ERROR) == [starts("a", 2)]


def test_other_nodes_use_the_slot_meanwhile() -> None:
    told = Told(plan([trying("a", RetryPolicy(1, delay_s=5)), execution("b")]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    assert starts("b") in told.ends("a", Status.ERROR)


def test_a_stop_forgets_what_waits_to_be_tried_again() -> None:
    told = Told(plan([trying("a", RetryPolicy(1, delay_s=5))]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.ends("a", Status.ERROR)
    told.hear(stimuli.StopRequested("enough"))
    assert told.status("a") is Status.STOPPED
    assert told.scheduler.state.status is Status.STOPPED
    told.hear(stimuli.TimerFired(ExecutionId("a")))
    assert not any(isinstance(event, events.RetryDue) for event in told.events)


def test_a_delay_starts_afresh_when_a_run_goes_on() -> None:
    told = Told(plan([trying("a", RetryPolicy(1, delay_s=5))]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    told.ends("a", Status.ERROR)
    again = Scheduler(told.plan, told.records)
    assert effects.SetTimer(5, ExecutionId("a")) in again.handle(stimuli.ResumeRequested(Capacity(1))).effects


def test_a_run_that_takes_too_long_is_an_error() -> None:
    told = Told(msgspec.structs.replace(plan([execution("a")]), time_limit_s=60.0))
    assert effects.SetTimer(60.0) in told.hear(stimuli.StartRequested(Capacity(1)))
    told.hear(stimuli.TimerFired())
    told.ends("a", Status.STOPPED)
    assert told.scheduler.state.status is Status.ERROR
    assert "time-limit of 60 s" in (told.scheduler.state.because or "")


@pytest.mark.parametrize("outcome", [Status.COMPLETE, Status.ERROR])
def test_a_hook_after_a_node_hears_of_both_ends(outcome: Status) -> None:
    told = Told(plan([hooked("a", post=True, on_error=OnError.STOP_NEXT)]))
    told.hear(stimuli.StartRequested(Capacity(1)))
    assert effects.RunHook("a", "post") in told.ends("a", outcome)
    assert [event.hooked for event in told.events if isinstance(event, events.NodeSettled)] == [True]
