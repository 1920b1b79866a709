from typing import Any

from vhpipe.plan.model import AttemptId, Datum, ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.views.run_summary import SHOWN_FAILURES, summary
from vhpipe.views.run_text import RunDetails


def test_a_summary_tells_what_happened_and_what_to_do(story: Any) -> None:
    first, second = AttemptId(ExecutionId("train", 0)), AttemptId(ExecutionId("train", 1))
    story.tell(
        events.RunStarted(2),
        events.NodeStarted("train", 2),
        events.AttemptStarted(first),
        events.AttemptStarted(second),
    )
    story.tell(events.AttemptEnded(first, Status.COMPLETE, 0, None, {"loss": 0.5}, (Datum("d", "m", "0" * 64, 1),)))
    story.tell(events.AttemptEnded(second, Status.ERROR, 2, "no space"), events.Warned("train", "careful"))
    story.tell(
        events.NodeSettled("train", Status.ERROR, "execution 1 failed"),
        events.ApprovalAwaited("prepare", Moment.STARTING),
    )
    story.tell(events.DeploymentRequested("serve"), events.DeploymentCreated("serve", "v1", "i", "v", ("a/m",)))
    assert list(summary(story.view, RunDetails(lambda attempt: f"/logs/{attempt}"))) == [
        "run 3 of training: started",
        "  prepare: execution created",
        "  train: task error, 6.0 s, 1 of 2, 1 failed, 1 output: execution 1 failed",
        "    warning: careful",
        "    train#1 failed: no space (exit code 2)",
        "      log: /logs/train#1.1",
        "      look inside: vhpipe shell 3 train#1",
        "  serve: deployment started, version v1, 1 file, aliases latest",
        "prepare waits for approval: vhpipe approve 3 prepare",
        "ignored: `image` of step `train model`",
    ]


def test_of_many_failures_only_the_first_are_told(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", SHOWN_FAILURES + 2))
    for index in range(SHOWN_FAILURES + 2):
        name = AttemptId(ExecutionId("train", index))
        story.tell(events.AttemptStarted(name), events.AttemptEnded(name, Status.ERROR, 1))
    lines = list(summary(story.view, RunDetails(str)))
    assert sum("look inside" in line for line in lines) == SHOWN_FAILURES
    assert "    and 2 more that failed" in lines
