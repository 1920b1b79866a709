"""What may be reused is looked up first: no more at once than slots are free, and again where others answer for it."""

import msgspec
import pytest
from worlds import execution, plan, recorded, task

from vhpipe.plan.model import AttemptId, ExecutionId, Origin, Plan
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status

REUSING = plan([msgspec.structs.replace(task("train", 9), reuse=True)])
BESIDE_OTHERS = plan([execution("side"), msgspec.structs.replace(task("train", 9), reuse=True)])


class Heard:
    """A scheduler, and what has been recorded of its run."""

    def __init__(self, made: Plan) -> None:
        self.scheduler = Scheduler(made)
        self.events: list[events.AnyEvent] = []

    def hear(
        self, stimulus: stimuli.StartRequested | stimuli.ReuseAnswered | stimuli.AttemptReported
    ) -> tuple[effects.Effect, ...]:
        decision = self.scheduler.handle(stimulus)
        self.events.extend(decision.events)
        return decision.effects


def looked_up(orders: tuple[effects.Effect, ...]) -> list[int]:
    return [effect.execution.index for effect in orders if isinstance(effect, effects.LookUpReuse)]


def started(orders: tuple[effects.Effect, ...]) -> list[str]:
    return [str(each) for effect in orders if isinstance(effect, effects.StartAttempts) for each in effect.attempts]


def hit(index: int) -> stimuli.ReuseAnswered:
    return stimuli.ReuseAnswered(ExecutionId("train", index), "hit", origin=Origin(7, AttemptId(ExecutionId("train"))))


def miss(index: int) -> stimuli.ReuseAnswered:
    return stimuli.ReuseAnswered(ExecutionId("train", index), "miss")


def busy(index: int) -> stimuli.ReuseAnswered:
    return stimuli.ReuseAnswered(ExecutionId("train", index), "busy")


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_as_many_are_looked_up_as_slots_are_free(capacity: int) -> None:
    assert looked_up(Heard(REUSING).hear(stimuli.StartRequested(Capacity(capacity)))) == list(range(capacity))


def test_what_runs_leaves_fewer_slots_to_look_up_for() -> None:
    run = Heard(BESIDE_OTHERS)
    orders = run.hear(stimuli.StartRequested(Capacity(3)))
    assert (started(orders), looked_up(orders)) == (["side#0.1"], [0, 1])
    assert looked_up(run.hear(stimuli.AttemptReported(AttemptId(ExecutionId("side")), Status.COMPLETE))) == [2]


def test_a_slot_that_a_look_up_did_not_need_goes_to_the_next_one() -> None:
    run = Heard(REUSING)
    run.hear(stimuli.StartRequested(Capacity(2)))
    assert looked_up(run.hear(hit(0))) == [2]
    orders = run.hear(miss(1))
    assert (started(orders), looked_up(orders)) == (["train#1.1"], [])


def test_what_others_are_doing_takes_no_slot() -> None:
    run = Heard(REUSING)
    run.hear(stimuli.StartRequested(Capacity(2)))
    assert looked_up(run.hear(busy(0))) == [2]
    assert run.hear(busy(0)) == ()
    assert started(run.hear(miss(0))) == ["train#0.1"]


def test_all_that_waits_is_looked_up_again_when_a_run_goes_on() -> None:
    """What was found to be unknown or under way may have been done meanwhile."""
    run = Heard(BESIDE_OTHERS)
    run.hear(stimuli.StartRequested(Capacity(2)))
    run.hear(busy(0))
    run.hear(stimuli.AttemptReported(AttemptId(ExecutionId("side")), Status.COMPLETE))
    again = Scheduler(BESIDE_OTHERS, recorded(run.events))
    decision = again.handle(stimuli.ResumeRequested(Capacity(9)))
    assert sorted(looked_up(decision.effects)) == list(range(9))
    assert started(decision.effects) == []
