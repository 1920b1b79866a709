"""The command that takes up a run which has ended."""

from typing import Any

import pytest

from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.views.next_step import next_step
from vhpipe.views.run_text import Commands

TRY = AttemptId(ExecutionId("prepare"))
FAILED = (events.NodeStarted("prepare"), events.AttemptStarted(TRY), events.AttemptEnded(TRY, Status.ERROR))


@pytest.mark.parametrize(
    ("history", "step"),
    [
        ((events.RunEnded(Status.COMPLETE),), None),
        ((*FAILED, events.RunEnded(Status.COMPLETE)), "to rerun what failed: vhpipe resume 3 --failed"),
        ((*FAILED, events.RunEnded(Status.ERROR)), "when it is fixed: vhpipe resume 3 --with-changes"),
        ((*FAILED[:2], events.AttemptEnded(TRY, Status.ERROR, 1, "no `/valohai`, and `--in local` gives it"),
          events.RunEnded(Status.ERROR)),
         "when it is fixed: vhpipe resume 3 --with-changes; at another place: vhpipe resume 3 --failed --in local"),
        ((events.RunStopping(Status.STOPPED, "SIGINT", by_user=True), events.RunEnded(Status.STOPPED)),
         "to continue: vhpipe resume 3"),
        ((events.RunStopping(Status.STOPPED, "an action"), events.RunEnded(Status.STOPPED)), None),
        ((events.ApprovalRefused("prepare", Moment.STARTING, "me"),
          events.RunStopping(Status.STOPPED, "no", by_user=True), events.RunEnded(Status.STOPPED)),
         "to ask again: vhpipe resume 3 --with-changes"),
        ((), None),
    ],
)  # fmt: skip
def test_a_run_that_is_not_all_complete_names_its_command(
    story: Any, history: tuple[events.AnyEvent, ...], step: str | None
) -> None:
    story.tell(events.RunStarted(1), *history)
    assert next_step(story.view) == step


def test_a_run_whose_engine_is_gone_can_go_on(story: Any) -> None:
    story.tell(events.RunStarted(1))
    story.view.note_engine(False)
    commands = Commands(("--project", "over there"))
    assert next_step(story.view, commands) == "to continue: vhpipe resume 3 --project 'over there'"
