from typing import Any

from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedExecution, StepSpec
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status
from vhpipe.views.live import LiveRow, live_table


def test_a_row_says_what_its_node_does(story: Any) -> None:
    first = AttemptId(ExecutionId("train", 0))
    story.tell(events.RunStarted(1), events.NodeStarted("train", 6), events.AttemptStarted(first))
    story.tell(events.AttemptEnded(first, Status.ERROR, 1, metadata={"loss": 2.0}))
    table = live_table(story.view, now=61.0, room=10, measured={})
    assert table.title == "run 3 of training: started, 1 min 1 s"
    assert table.rows[1] == LiveRow("train", "started", "0 of 6, 1 failed", "1 min 0 s", "loss=2", is_failed=True)
    assert table.rows[0] == LiveRow("prepare", "created", "", "", "", is_failed=False)
    assert table.rest == ""


def test_fresh_metadata_of_what_runs_wins_over_that_of_what_ended(story: Any) -> None:
    story.tell(events.RunStarted(1), events.NodeStarted("train", 1))
    assert live_table(story.view, 1.0, 10, {"train": {"loss": 0.5}}).rows[1].metadata == "loss=0.5"


def test_a_node_that_waits_for_an_answer_says_so(story: Any) -> None:
    story.tell(events.RunStarted(1), events.ApprovalAwaited("prepare", Moment.STARTING))
    assert live_table(story.view, 1.0, 10, {}).rows[0].status == "awaits approval"


def test_with_little_room_the_nodes_that_do_something_are_shown(story_of: Any) -> None:
    spec = StepSpec("s", "i", ("c",))
    story = story_of(Plan("p", tuple(PlannedExecution(f"n{number}", spec) for number in range(9))))
    story.tell(
        events.RunStarted(1),
        events.NodeStarted("n0"),
        events.NodeSettled("n0", Status.COMPLETE),
        events.NodeStarted("n7"),
    )
    story.tell(events.NodeStarted("n4"), events.NodeSettled("n4", Status.ERROR))
    table = live_table(story.view, 9.0, room=3, measured={})
    assert [row.node for row in table.rows] == ["n4", "n7"]
    assert table.rest == "and 7 more nodes: 1 complete, 6 created"
