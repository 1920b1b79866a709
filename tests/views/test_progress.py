from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.plan.model import AttemptId, Datum, ExecutionId, Plan, PlannedTask, StepSpec
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.sweep.parameter_sets import Sweep
from vhpipe.views.node_progress import ENGINE_GONE, Counts
from vhpipe.views.progress import RunView


def attempt(index: int = 0, number: int = 1, node: str = "train") -> AttemptId:
    return AttemptId(ExecutionId(node, index), number)


def test_a_run_begins_with_every_node_created(story: Any) -> None:
    assert [node.status for node in story.view.nodes.values()] == [Status.CREATED] * 3
    assert story.view.status is Status.CREATED
    assert list(story.view.nodes["train"].executions()) == []


def test_executions_are_counted_where_they_are(story: Any) -> None:
    story.tell(
        events.RunStarted(2),
        events.NodeStarted("train", 5),
        events.AttemptStarted(attempt(0)),
        events.AttemptStarted(attempt(1)),
    )
    story.tell(events.AttemptEnded(attempt(0), Status.COMPLETE), events.AttemptStarted(attempt(2)))
    story.tell(events.AttemptEnded(attempt(1), Status.CRASHED))
    assert story.view.nodes["train"].counts == Counts(total=5, queued=2, running=1, complete=1, failed=1, stopped=0)


def test_an_execution_keeps_what_its_last_attempt_left(story: Any) -> None:
    datum = Datum("d", "model.pkl", "0" * 64, 3)
    story.tell(events.RunStarted(1), events.NodeStarted("train", 1), events.AttemptStarted(attempt()))
    story.tell(events.AttemptEnded(attempt(), Status.ERROR, 2, "exit code 2", {"loss": 9.0}, (datum,)))
    story.tell(events.RetryScheduled(ExecutionId("train"), 2))
    assert story.view.nodes["train"].execution(0).status is Status.QUEUED
    assert story.view.nodes["train"].execution(0).outputs == ()
    story.tell(events.AttemptStarted(attempt(number=2)))
    story.tell(events.AttemptEnded(attempt(number=2), Status.COMPLETE, 0, None, {"loss": 0.1}, (datum,)))
    execution = story.view.nodes["train"].execution(0)
    assert (execution.status, execution.metadata, execution.outputs) == (Status.COMPLETE, {"loss": 0.1}, (datum,))
    assert [(one.number, one.status, one.exit_code, one.because) for one in execution.attempts] == [
        (1, Status.ERROR, 2, "exit code 2"),
        (2, Status.COMPLETE, 0, None),
    ]
    assert (execution.attempts[1].started_at, execution.attempts[1].ended_at) == (5.0, 6.0)


@pytest.mark.parametrize(
    "ending", [events.NodeStopping("train", "execution 0 failed"), events.NodeSettled("train", Status.ERROR),
               events.RunStopping(Status.STOPPED, "stopped by a signal")]
)  # fmt: skip
def test_what_is_queued_when_its_node_or_the_run_stops_is_stopped(story: Any, ending: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 3), events.AttemptStarted(attempt(0)))
    story.tell(events.AttemptEnded(attempt(0), Status.ERROR, 1), events.RetryScheduled(ExecutionId("train", 0), 2))
    story.tell(events.AttemptStarted(attempt(1)), ending)
    statuses = [execution.status for execution in story.view.nodes["train"].executions()]
    assert statuses == [Status.STOPPED, Status.STARTED, Status.STOPPED]
    assert story.view.nodes["train"].counts == Counts(3, 0, 1, 0, 0, 2)


def test_a_skipped_node_has_no_executions(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeSettled("train", Status.SKIPPED, "node `prepare` failed"))
    node = story.view.nodes["train"]
    assert (node.status, node.because, list(node.executions())) == (Status.SKIPPED, "node `prepare` failed", [])
    assert (node.started_at, node.ended_at) == (None, None)


def test_a_complete_node_has_no_reason_left_from_stopping(story: Any) -> None:
    story.tell(
        events.RunStarted(1), events.NodeStarted("train", 1), events.NodeStopping("train", "the stop-condition holds")
    )
    story.tell(events.NodeSettled("train", Status.COMPLETE))
    assert story.view.nodes["train"].because is None


def test_a_stopped_attempt_says_why_it_was_stopped(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 1), events.AttemptStarted(attempt()))
    story.tell(events.AttemptStopping(attempt(), "a sibling failed"), events.AttemptEnded(attempt(), Status.STOPPED))
    assert story.view.nodes["train"].execution(0).because == "a sibling failed"


def test_parameters_are_those_of_the_step_and_of_the_edges(story: Any) -> None:
    story.tell(events.RunStarted(1), events.InputsBound("prepare", values={"rate": 0.5}), events.NodeStarted("prepare"))
    assert story.view.parameters(story.view.nodes["prepare"], 0) == {"epochs": 5, "rate": 0.5}


@pytest.mark.parametrize("moment", list(Moment)[:2])
def test_an_approval_is_awaited_until_it_is_answered(story: Any, moment: Moment) -> None:
    story.tell(events.RunStarted(1), events.ApprovalAwaited("prepare", moment))
    assert [node.name for node in story.view.awaiting] == ["prepare"]
    assert story.view.nodes["prepare"].approval is moment
    story.tell(events.ApprovalGranted("prepare", moment, "ada"))
    assert story.view.awaiting == ()


def test_a_deployment_shows_its_version_and_files(story: Any) -> None:
    story.tell(events.RunStarted(1), events.DeploymentRequested("serve"))
    assert story.view.nodes["serve"].status is Status.STARTED
    story.tell(events.DeploymentCreated("serve", "20240101.0", "i", "v", ("predict/model.pkl",)))
    story.tell(events.NodeSettled("serve", Status.COMPLETE))
    node = story.view.nodes["serve"]
    assert (node.version, node.files, node.aliases) == ("20240101.0", ("predict/model.pkl",), ("latest",))
    assert (node.started_at, node.ended_at) == (1.0, 3.0)


def test_a_failed_deployment_says_why(story: Any) -> None:
    story.tell(
        events.RunStarted(1), events.DeploymentRequested("serve"), events.DeploymentFailed("serve", "no such file")
    )
    story.tell(events.NodeSettled("serve", Status.ERROR))
    assert story.view.nodes["serve"].because == "no such file"


def test_warnings_stay_with_their_node(story: Any) -> None:
    story.tell(events.RunStarted(1), events.Warned("train", "two files want one name"))
    assert story.view.nodes["train"].warnings == ["two files want one name"]


@pytest.mark.parametrize(
    ("status", "by_user", "exit_code"),
    [(Status.COMPLETE, False, 0), (Status.STOPPED, False, 0), (Status.STOPPED, True, 1), (Status.ERROR, False, 1)],
)
def test_the_exit_code_is_that_of_the_run(story: Any, status: Status, by_user: bool, exit_code: int) -> None:
    story.tell(events.RunStarted(1), events.RunStopping(status, "why", by_user), events.RunEnded(status))
    assert story.view.exit_code == exit_code
    assert story.view.because == (None if status is Status.COMPLETE else "why")


def test_a_run_that_lost_its_engine_is_crashed_with_all_that_was_under_way(story: Any) -> None:
    story.tell(
        events.RunStarted(2),
        events.NodeStarted("train", 3),
        events.AttemptStarted(attempt(0)),
        events.AttemptStarted(attempt(1)),
    )
    story.tell(events.AttemptEnded(attempt(0), Status.COMPLETE, 0))
    story.view.note_engine(is_alive=False)
    assert (story.view.status, story.view.because, story.view.exit_code) == (Status.CRASHED, ENGINE_GONE, 1)
    assert story.view.nodes["train"].status is Status.CRASHED
    assert story.view.nodes["prepare"].status is Status.CREATED
    statuses = [execution.status for execution in story.view.nodes["train"].executions()]
    assert statuses == [Status.COMPLETE, Status.CRASHED, Status.QUEUED]
    assert story.view.is_abandoned


def test_a_run_that_has_ended_or_is_alive_has_not_crashed(story: Any) -> None:
    story.tell(events.RunStarted(1))
    story.view.note_engine(is_alive=True)
    assert story.view.status is Status.STARTED
    story.tell(events.RunEnded(Status.COMPLETE))
    story.view.note_engine(is_alive=False)
    assert story.view.status is Status.COMPLETE
    assert not story.view.is_abandoned


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([Status.COMPLETE, Status.ERROR, Status.STOPPED]))))
def test_counts_always_agree_with_the_executions(steps: list[tuple[int, Status]]) -> None:
    """Each step starts an attempt of an execution that does not run, or ends the one that does."""
    view = RunView.start(Plan("p", (PlannedTask("t", StepSpec("s", "i", ("c",)), Sweep()),)), 1)
    view.apply(events.RecordedEvent(0, 0.0, events.NodeStarted("t", 5)))
    for index, outcome in steps:
        execution = view.nodes["t"].execution(index)
        name = ExecutionId("t", index)
        if execution.status is Status.STARTED:
            view.apply(
                events.RecordedEvent(0, 0.0, events.AttemptEnded(AttemptId(name, len(execution.attempts)), outcome))
            )
        elif execution.status is Status.QUEUED:
            view.apply(
                events.RecordedEvent(0, 0.0, events.AttemptStarted(AttemptId(name, len(execution.attempts) + 1)))
            )
        else:
            view.apply(events.RecordedEvent(0, 0.0, events.RetryScheduled(name, len(execution.attempts) + 1)))
    node = view.nodes["t"]
    statuses = [execution.status for execution in node.executions()]
    in_order = (Status.QUEUED, Status.STARTED, Status.COMPLETE, Status.ERROR, Status.STOPPED)
    assert tuple(node.counts) == (5, *(statuses.count(status) for status in in_order), 0)
    running = {one.execution.index for one in node.running()}
    assert running == {index for index, status in enumerate(statuses) if status is Status.STARTED}
