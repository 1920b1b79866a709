import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedExecution, StepSpec
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.views.lines import LONG_FAILURES, LineContext, Weight, lines_for
from vhpipe.views.progress import RunView

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

SURROUNDINGS = LineContext(
    clock=lambda at: f"12:00:{int(at):02}",
    log_path=lambda attempt: f"/logs/{attempt}",
    log_tail=lambda attempt: ("loading", "Traceback: no such file"),
)


def attempt(index: int = 0, node: str = "train", number: int = 1) -> AttemptId:
    return AttemptId(ExecutionId(node, index), number)


def said(story: Any, *history: Any, weight: Weight = Weight.USUAL) -> list[str]:
    """The lines about the last of the events that are at least so weighty."""
    recorded = story.tell(*history)
    return list(lines_for(story.view, recorded, SURROUNDINGS, weight))


def test_a_run_says_that_it_starts_and_how_it_ends(story: Any) -> None:
    assert said(story, events.RunStarted(1)) == ["12:00:00 run 3 of training started"]
    assert said(story, events.RunStopping(Status.ERROR, "node `train` failed")) == [
        "12:00:01 run 3 of training stopping: node `train` failed"
    ]
    assert said(story, events.RunEnded(Status.ERROR)) == [
        "12:00:02 run 3 of training failed in 2.0 s: node `train` failed",
        "  when it is fixed: vhpipe resume 3 --with-changes",
    ]


def test_an_execution_says_when_it_starts_and_what_it_measured(story: Any) -> None:
    story.tell(events.RunStarted(1))
    assert said(story, events.NodeStarted("train", 2)) == ["12:00:01 train started: 2 executions"]
    assert said(story, events.AttemptStarted(attempt(1))) == ["12:00:02 train#1 started"]
    ended = events.AttemptEnded(attempt(1), Status.COMPLETE, 0, metadata={"accuracy": 0.97, "_hidden": 1})
    assert said(story, ended) == ["12:00:03 train#1 complete in 1.0 s accuracy=0.97"]


def test_setting_up_is_told_apart_from_what_the_step_took(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2))
    story.tell(*(events.AttemptStarted(attempt(index)) for index in range(2)))
    ended = [events.AttemptEnded(attempt(i), Status.COMPLETE, 0, setup_s=1.0 - i / 2, ran_s=0.25) for i in range(2)]
    assert said(story, ended[0]) == ["12:00:04 train#0 complete in 0.2 s (set up in 1.0 s)"]
    assert said(story, ended[1]) == ["12:00:05 train#1 complete in 0.2 s"]
    assert said(story, events.NodeSettled("train", Status.COMPLETE)) == ["12:00:06 train complete in 4.0 s, 2 of 2"]


def test_an_execution_node_is_called_by_its_name_and_says_its_end_once(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("prepare"))
    assert said(story, events.AttemptStarted(attempt(0, "prepare"))) == ["12:00:02 prepare started"]
    ended = events.AttemptEnded(attempt(0, "prepare"), Status.COMPLETE, 0)
    assert said(story, ended) == ["12:00:03 prepare complete in 1.0 s"]
    assert said(story, events.NodeSettled("prepare", Status.COMPLETE)) == []


def test_a_failure_says_where_how_why_and_what_to_do(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2), events.AttemptStarted(attempt(1)))
    assert said(story, events.AttemptEnded(attempt(1), Status.ERROR, 3, "exit code 3"), weight=Weight.VITAL) == [
        "12:00:03 train#1 failed in 1.0 s: exit code 3",
        "  node train, execution 1, attempt 1, exit code 3",
        "  the last 2 lines of the log:",
        "  | loading",
        "  | Traceback: no such file",
        "  full log: /logs/train#1.1",
        "  look inside: vhpipe shell 3 train#1",
    ]


def test_what_a_log_names_below_valohai_has_the_path_of_the_host_beside_it(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2), events.AttemptStarted(attempt(1)))
    recorded = story.tell(events.AttemptEnded(attempt(1), Status.ERROR, 3))
    named = (("/valohai/repository/train.py", 3, "/home/me/train.py"), ("/valohai/inputs/a", None, "/p/inputs/a"))
    around = SURROUNDINGS._replace(host_paths=lambda attempt: named)
    lines = list(lines_for(story.view, recorded, around, Weight.VITAL))
    assert lines[lines.index("  | Traceback: no such file") + 1 :] == [
        "  /valohai/repository/train.py:3 is /home/me/train.py:3",
        "  /valohai/inputs/a is /p/inputs/a",
        "  full log: /logs/train#1.1",
        "  look inside: vhpipe shell 3 train#1",
    ]


def test_tabs_of_a_log_are_laid_out(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2), events.AttemptStarted(attempt(1)))
    recorded = story.tell(events.AttemptEnded(attempt(1), Status.ERROR, 3))
    around = SURROUNDINGS._replace(log_tail=lambda attempt: ("name:\tvalue",))
    assert "  | name:   value" in list(lines_for(story.view, recorded, around, Weight.VITAL))


def test_why_a_run_stops_is_not_repeated_for_every_node(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2), events.AttemptStarted(attempt(1)))
    story.tell(events.RunStopping(Status.ERROR, "`x` is error: exit code 1"))
    stopped = events.AttemptEnded(attempt(1), Status.STOPPED, None, "`x` is error: exit code 1")
    assert said(story, stopped) == ["12:00:04 train#1 stopped in 2.0 s"]
    skipped = events.NodeSettled("prepare", Status.SKIPPED, "`x` is error: exit code 1")
    assert said(story, skipped) == ["12:00:05 prepare skipped"]


def test_a_node_that_is_skipped_for_another_reason_says_it(story: Any) -> None:
    story.tell(events.RunStarted(1), events.RunStopping(Status.ERROR, "`x` is error: exit code 1"))
    assert said(story, events.NodeSettled("prepare", Status.SKIPPED, "`a` is skipped")) == [
        "12:00:02 prepare skipped: `a` is skipped"
    ]


def test_after_many_failures_of_a_node_only_their_logs_are_named(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", LONG_FAILURES + 1))
    for index in range(LONG_FAILURES + 1):
        story.tell(events.AttemptStarted(attempt(index)))
        lines = said(story, events.AttemptEnded(attempt(index), Status.ERROR, 1))
    assert [line.partition(" ")[2] for line in lines] == [
        f"train#{LONG_FAILURES} failed in 1.0 s: exit code 1",
        f" full log: /logs/train#{LONG_FAILURES}.1",
    ]


def test_a_second_attempt_is_named_as_such(story: Any) -> None:
    story.tell(
        events.RunStarted(1),
        events.NodeStarted("train", 1),
        events.AttemptStarted(attempt()),
        events.AttemptEnded(attempt(), Status.ERROR),
    )
    assert said(story, events.RetryScheduled(ExecutionId("train"), 2)) == ["12:00:04 train#0 queued again, attempt 2"]
    assert said(story, events.AttemptStarted(attempt(number=2))) == ["12:00:05 train#0.2 started"]


def test_a_task_counts_its_executions_when_it_settles(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 2), events.AttemptStarted(attempt()))
    story.tell(events.AttemptEnded(attempt(), Status.COMPLETE))
    story.tell(events.NodeStopping("train", "the stop-condition holds"))
    assert said(story, events.NodeSettled("train", Status.COMPLETE)) == [
        "12:00:05 train complete in 4.0 s, 1 of 2, 1 stopped"
    ]


def test_a_node_that_fails_before_it_starts_is_said_even_when_quiet(story: Any) -> None:
    story.tell(events.RunStarted(1))
    settled = events.NodeSettled("prepare", Status.ERROR, "no output of `a` matches `*.csv`")
    assert said(story, settled, weight=Weight.VITAL) == ["12:00:01 prepare failed: no output of `a` matches `*.csv`"]


def test_an_approval_names_the_commands_that_answer_it(story: Any) -> None:
    story.tell(events.RunStarted(1))
    assert said(story, events.ApprovalAwaited("prepare", Moment.COMPLETE), weight=Weight.VITAL) == [
        "12:00:01 prepare waits for approval before its downstream starts",
        "  continue: vhpipe approve 3 prepare",
        "  refuse: vhpipe reject 3 prepare",
    ]
    assert said(story, events.ApprovalRefused("prepare", Moment.COMPLETE, "ada")) == ["12:00:02 prepare refused by ada"]


def test_a_deployment_says_its_version_or_why_there_is_none(story: Any) -> None:
    story.tell(events.RunStarted(1), events.DeploymentRequested("serve"))
    assert said(story, events.DeploymentCreated("serve", "v1", "i", "v")) == [
        "12:00:02 serve made deployment version v1, aliases latest"
    ]
    assert said(story, events.DeploymentFailed("serve", "no file")) == ["12:00:03 serve failed: no file"]


def test_a_warning_is_one_line(story: Any) -> None:
    story.tell(events.RunStarted(1))
    assert said(story, events.Warned("train", "two\nlines")) == ["12:00:01 train warning: two\\nlines"]


def test_a_node_name_is_quoted_in_a_command_to_copy(story_of: Any) -> None:
    story = story_of(Plan("p", (PlannedExecution("my node; rm -rf 'x'", StepSpec("s", "i", ("c",))),)))
    lines = said(story, events.ApprovalAwaited("my node; rm -rf 'x'", Moment.STARTING))
    assert lines[1] == """  continue: vhpipe approve 3 'my node; rm -rf '"'"'x'"'"''"""


@given(st.text(st.characters() | st.sampled_from("\x1b\r\n\x9b\u202e"), min_size=1))
@pytest.mark.parametrize("outcome", [Status.ERROR, Status.COMPLETE])
def test_no_text_of_others_reaches_a_line_unescaped(outcome: Status, text: str) -> None:
    view = RunView.start(Plan(text, (PlannedExecution(text, StepSpec("s", "i", ("c",))),)), 1)
    surroundings = LineContext(lambda at: "12:00:00", lambda attempt: text, lambda attempt: (text,))
    history = [
        events.RunStarted(1), events.Warned(text, text), events.ApprovalAwaited(text, Moment.STARTING),
        events.NodeStarted(text),
        events.AttemptStarted(attempt(0, text)),
        events.AttemptEnded(attempt(0, text), outcome, 1, text, {text: text, "list": [text]}),
        events.NodeSettled(text, outcome, text), events.RunEnded(outcome, text),
    ]  # fmt: skip
    for sequence, event in enumerate(history):
        recorded = events.RecordedEvent(sequence, 0.0, event)
        view.apply(recorded)
        for line in lines_for(view, recorded, surroundings):
            assert not UNSAFE.search(line)
