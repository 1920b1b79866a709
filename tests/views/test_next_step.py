"""The command that takes up a run which has ended."""

from typing import Any

import pytest

from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule.vocabulary import (
    AnyEvent,
    ApprovalRefused,
    AttemptEnded,
    AttemptStarted,
    Moment,
    NodeStarted,
    RunEnded,
    RunStarted,
    RunStopping,
    Status,
)
from vhpipe.views.next_step import next_step
from vhpipe.views.run_text import Commands

TRY = AttemptId(ExecutionId("prepare"))
FAILED = (NodeStarted("prepare"), AttemptStarted(TRY), AttemptEnded(TRY, Status.ERROR))


@pytest.mark.parametrize(
    ("events", "step"),
    [
        ((RunEnded(Status.COMPLETE),), None),
        ((*FAILED, RunEnded(Status.COMPLETE)), "to run again what failed: vhpipe resume 3 --failed"),
        ((*FAILED, RunEnded(Status.ERROR)), "when it is mended: vhpipe resume 3 --with-changes"),
        ((RunStopping(Status.STOPPED, "SIGINT", by_user=True), RunEnded(Status.STOPPED)), "to go on: vhpipe resume 3"),
        ((RunStopping(Status.STOPPED, "an action"), RunEnded(Status.STOPPED)), None),
        ((ApprovalRefused("prepare", Moment.STARTING, "me"), RunStopping(Status.STOPPED, "no", by_user=True),
          RunEnded(Status.STOPPED)), "to ask again: vhpipe resume 3 --with-changes"),
        ((), None),
    ],
)  # fmt: skip
def test_a_run_that_is_not_all_complete_names_its_command(
    story: Any, events: tuple[AnyEvent, ...], step: str | None
) -> None:
    story.tell(RunStarted(1), *events)
    assert next_step(story.view) == step


def test_a_run_whose_engine_is_gone_can_go_on(story: Any) -> None:
    story.tell(RunStarted(1))
    story.view.note_engine(False)
    commands = Commands(("--project", "over there"))
    assert next_step(story.view, commands) == "to go on: vhpipe resume 3 --project 'over there'"
