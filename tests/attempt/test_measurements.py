"""Stop-conditions and metadata, looked at whenever an execution has measured something."""

from msgspec.structs import replace

from vhpipe.attempt.measurements import measurements_of
from vhpipe.attempt.news import AttemptNews, MetadataFound
from vhpipe.attempt.spec import AttemptSpec, RunFacts
from vhpipe.plan.model import AttemptId, ExecutionId, ExecutionSpec, StepSpec
from vhpipe.schedule import stimuli

STEP = StepSpec("train", "none", ("true",), stop_condition="metadata.loss < 1")
EXECUTION = ExecutionSpec(ExecutionId("train"), "execution", STEP, {}, (), {})
ATTEMPT = AttemptId(ExecutionId("train"))
SPEC = AttemptSpec(ATTEMPT, EXECUTION, RunFacts(number=1, identifier="", pipeline="main"))


def heard(spec: AttemptSpec, *losses: float) -> list[AttemptNews]:
    """What is reported while an attempt prints these losses, one by one."""
    reported: list[AttemptNews] = []
    measured = measurements_of(spec, reported.append)
    assert measured is not None
    for loss in losses:
        measured({"loss": loss}, [{"loss": loss}])
    return reported


def test_a_condition_that_stays_met_is_reported_once() -> None:
    assert heard(SPEC, 3, 0.5, 0.4, 2, 0.3) == [stimuli.StopConditionMet(ATTEMPT, "metadata.loss < 1")]


def test_a_condition_that_is_not_met_is_not_reported() -> None:
    assert heard(SPEC, 3, 2, 1) == []


def test_the_conditions_of_a_step_and_of_its_task_are_reported_each_by_itself() -> None:
    both = replace(SPEC, execution=replace(EXECUTION, task_stop_condition="metadata.loss < 2"))
    assert heard(both, 1.5, 0.5, 0.4) == [
        stimuli.StopConditionMet(ATTEMPT, "metadata.loss < 2", of_task=True),
        stimuli.StopConditionMet(ATTEMPT, "metadata.loss < 1"),
    ]


def test_every_attempt_has_its_own_report() -> None:
    again = replace(SPEC, id=AttemptId(ExecutionId("train"), 2))
    assert [heard(spec, 0.5, 0.4) for spec in (SPEC, again)] == [
        [stimuli.StopConditionMet(spec.id, "metadata.loss < 1")] for spec in (SPEC, again)
    ]


def test_metadata_is_handed_on_where_somebody_wants_it() -> None:
    spec = replace(SPEC, execution=replace(EXECUTION, step=replace(STEP, stop_condition=None)), reports_metadata=True)
    assert heard(spec, 3) == [MetadataFound(ATTEMPT, [{"loss": 3}])]


def test_nothing_is_watched_where_nothing_depends_on_it() -> None:
    spec = replace(SPEC, execution=replace(EXECUTION, step=replace(STEP, stop_condition=None)))
    assert measurements_of(spec, lambda news: None) is None
