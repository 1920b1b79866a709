"""Stop-conditions, looked at whenever an execution has measured something."""

from msgspec.structs import replace

from vhpipe.engine.stop_conditions import StopConditions
from vhpipe.plan.model import AttemptId, ExecutionId, ExecutionSpec, StepSpec
from vhpipe.schedule.vocabulary import StopConditionMet

STEP = StepSpec("train", "none", ("true",), stop_condition="metadata.loss < 1")
SPEC = ExecutionSpec(ExecutionId("train"), "execution", STEP, {}, (), {})
ATTEMPT = AttemptId(ExecutionId("train"))


def met(spec: ExecutionSpec, *losses: float, attempt: AttemptId = ATTEMPT) -> list[StopConditionMet]:
    """What is reported while an attempt prints these losses, one by one."""
    reported: list[StopConditionMet] = []
    measured = StopConditions(reported.append).watch(attempt, spec)
    assert measured is not None
    for loss in losses:
        measured({"loss": loss}, [{"loss": loss}])
    return reported


def test_a_condition_that_stays_met_is_reported_once() -> None:
    assert met(SPEC, 3, 0.5, 0.4, 2, 0.3) == [StopConditionMet(ATTEMPT, "metadata.loss < 1")]


def test_a_condition_that_is_not_met_is_not_reported() -> None:
    assert met(SPEC, 3, 2, 1) == []


def test_the_conditions_of_a_step_and_of_its_task_are_reported_each_by_itself() -> None:
    both = replace(SPEC, task_stop_condition="metadata.loss < 2")
    assert met(both, 1.5, 0.5, 0.4) == [
        StopConditionMet(ATTEMPT, "metadata.loss < 2", of_task=True),
        StopConditionMet(ATTEMPT, "metadata.loss < 1"),
    ]


def test_every_attempt_has_its_own_report() -> None:
    reported: list[StopConditionMet] = []
    conditions = StopConditions(reported.append)
    attempts = [AttemptId(ExecutionId("train", index), number) for index, number in ((0, 1), (0, 2), (1, 1))]
    for attempt in attempts:
        measured = conditions.watch(attempt, SPEC)
        assert measured is not None
        measured({"loss": 0.5}, [{"loss": 0.5}])
        measured({"loss": 0.4}, [{"loss": 0.4}])
    assert [each.attempt for each in reported] == attempts


def test_nothing_is_watched_without_a_condition() -> None:
    spec = replace(SPEC, step=replace(STEP, stop_condition=None))
    assert StopConditions(lambda met: None).watch(ATTEMPT, spec) is None
