"""Tasks whose executions need each other, depend on each other's results, or end each other early."""

import msgspec
from worlds import execution, group, plan, recorded, spec, task

from vhpipe.config.model import TaskType
from vhpipe.plan.model import AttemptId, BayesianSearch, ExecutionId, PlannedAction, PlannedTask
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Moment, Status
from vhpipe.sweep.parameter_sets import Sweep


def attempt(name: str, index: int = 0, number: int = 1) -> AttemptId:
    return AttemptId(ExecutionId(name, index), number)


def ended(name: str, index: int = 0, outcome: Status = Status.COMPLETE) -> stimuli.AttemptReported:
    return stimuli.AttemptReported(attempt(name, index), outcome)


def search(name: str, count: int, batch: int) -> PlannedTask:
    sweep = Sweep(TaskType.BAYESIAN, count=count)
    return PlannedTask(name, spec(), sweep, "b", search=BayesianSearch("loss", batch, goal="min"))


def test_a_group_starts_as_a_whole_when_there_is_room_and_nothing_overtakes_it() -> None:
    scheduler = Scheduler(plan([execution("first"), group("pair", 2), execution("last")]))
    orders = scheduler.handle(stimuli.StartRequested(Capacity(2))).effects
    assert orders == (effects.StartAttempts((attempt("first"),)),)
    orders = scheduler.handle(ended("first")).effects
    assert orders == (effects.StartAttempts((attempt("pair", 0), attempt("pair", 1))),)


def test_a_group_larger_than_the_capacity_is_an_error() -> None:
    scheduler = Scheduler(plan([group("crowd", 3)]))
    scheduler.handle(stimuli.StartRequested(Capacity(2)))
    assert scheduler.state.nodes["crowd"].status is Status.ERROR


def test_a_group_that_lost_a_member_starts_over_as_a_whole() -> None:
    made = plan([group("pair", 2)])
    scheduler = Scheduler(made)
    begun, lost = scheduler.handle(stimuli.StartRequested(Capacity(2))), scheduler.handle(ended("pair", 0))
    again = Scheduler(made, recorded([*begun.events, *lost.events]))
    orders = again.handle(stimuli.ResumeRequested(Capacity(2))).effects
    assert orders == (effects.StartAttempts((attempt("pair", 0, 2), attempt("pair", 1, 2))),)


def test_a_search_is_asked_for_a_batch_when_all_before_it_has_ended() -> None:
    scheduler = Scheduler(plan([search("tune", 3, 2)]))
    assert scheduler.handle(stimuli.StartRequested(Capacity(4))).effects == (effects.Propose("tune"),)
    orders = scheduler.handle(stimuli.ProposalsAnswered("tune", ({"lr": 1.0}, {"lr": 2.0}))).effects
    assert orders == (effects.StartAttempts((attempt("tune", 0),)), effects.StartAttempts((attempt("tune", 1),)))
    assert scheduler.execution_spec(ExecutionId("tune", 1)).values == {"lr": 2.0}
    assert scheduler.handle(ended("tune", 1)).effects == ()
    assert scheduler.handle(ended("tune", 0)).effects == (effects.Propose("tune"),)
    scheduler.handle(stimuli.ProposalsAnswered("tune", ({"lr": 3.0},)))
    scheduler.handle(ended("tune", 2))
    assert scheduler.state.nodes["tune"].status is Status.COMPLETE


def test_proposals_that_are_recorded_are_not_asked_for_again() -> None:
    made = plan([search("tune", 2, 2)])
    scheduler = Scheduler(made)
    history = list(scheduler.handle(stimuli.StartRequested(Capacity(2))).events)
    history += scheduler.handle(stimuli.ProposalsAnswered("tune", ({"lr": 1.0}, {"lr": 2.0}))).events
    again = Scheduler(made, recorded(history))
    decision = again.handle(stimuli.ResumeRequested(Capacity(2)))
    assert not any(isinstance(effect, effects.Propose) for effect in decision.effects)
    assert not any(isinstance(event, events.SweepExtended) for event in decision.events)
    assert again.execution_spec(ExecutionId("tune", 0)).values == {"lr": 1.0}


def test_an_execution_that_meets_its_condition_is_asked_to_end_well() -> None:
    scheduler = Scheduler(plan([execution("train")]))
    scheduler.handle(stimuli.StartRequested(Capacity(1)))
    [effect] = scheduler.handle(stimuli.StopConditionMet(attempt("train"), "metadata.acc > 0.9")).effects
    assert effect == effects.StopAttempt(attempt("train"), "stop-condition `metadata.acc > 0.9` is met", completes=True)
    scheduler.handle(ended("train"))
    assert scheduler.state.status is Status.COMPLETE


def test_a_tasks_condition_stops_the_siblings_and_the_task_is_complete() -> None:
    made = plan([msgspec.structs.replace(task("sweep", 3), stop_condition="acc > 0.9")])
    scheduler = Scheduler(made)
    scheduler.handle(stimuli.StartRequested(Capacity(2)))
    orders = scheduler.handle(stimuli.StopConditionMet(attempt("sweep", 1), "acc > 0.9", of_task=True)).effects
    assert [(effect.attempt.execution.index, effect.completes) for effect in orders] == [(1, True), (0, False)]
    scheduler.handle(ended("sweep", 1))
    scheduler.handle(ended("sweep", 0, Status.STOPPED))
    node = scheduler.state.nodes["sweep"]
    assert [each.status for each in node.executions] == ["stopped", "complete", "stopped"]
    assert node.status is Status.COMPLETE


def test_a_child_that_does_not_exist_is_an_error() -> None:
    scheduler = Scheduler(plan([msgspec.structs.replace(task("sweep", 3), children=(1, 9))]))
    scheduler.handle(stimuli.StartRequested(Capacity(2)))
    node = scheduler.state.nodes["sweep"]
    assert node.status is Status.ERROR
    assert "there is no #9" in (node.because or "")


def test_an_action_before_a_search_starts_sees_no_proposals_and_holds_it_back() -> None:
    asks = PlannedAction(("node-starting",), ("require-approval",))
    scheduler = Scheduler(plan([msgspec.structs.replace(search("tune", 3, 2), actions=(asks,))]))
    orders = scheduler.handle(stimuli.StartRequested(Capacity(2))).effects
    assert orders == (effects.AskApproval("tune", Moment.STARTING),)
