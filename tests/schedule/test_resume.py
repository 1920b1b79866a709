"""What a run that goes on takes back of its stop, and what it leaves as it is."""

from worlds import World, completes, execution, fails, feeds, follows, plan, task

from vhpipe.config.model import OnError
from vhpipe.plan.model import AttemptId, ExecutionId, PlannedAction
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status

FAILS_BESIDE_OTHERS = plan(
    [execution("bad", on_error=OnError.STOP_NEXT), execution("after-bad"), execution("after-both"),
     execution("good"), execution("after-good"), execution("at-the-end")],
    [follows(0, "bad", "after-bad"), follows(1, "bad", "after-both"), follows(2, "good", "after-both"),
     follows(3, "good", "after-good"), follows(4, "after-good", "at-the-end")],
)  # fmt: skip


def reopened(world: World) -> list[str]:
    return [event.node for event in world.events if isinstance(event, events.NodeReopened)]


def stopped_after_the_failure() -> World:
    """`bad` has failed, `good` was running when the user stopped the run."""
    world = World(FAILS_BESIDE_OTHERS, fails("bad"), capacity=2).start()
    world.step()
    world.hear(stimuli.StopRequested("received SIGINT"))
    return world.finish()


def test_of_what_was_skipped_only_that_is_reopened_which_can_still_run() -> None:
    before = stopped_after_the_failure()
    assert before.statuses()["after-good"] == before.statuses()["after-bad"] == "skipped"
    world = World(FAILS_BESIDE_OTHERS, completes, history=before.events).resume(2)
    assert reopened(world) == ["good", "after-good", "at-the-end"]
    world.finish()
    assert [name for name, status in world.statuses().items() if status == "skipped"] == ["after-bad", "after-both"]
    assert (world.statuses()["at-the-end"], world.state.status) == ("complete", "error")


def with_a_complete_child(on_error: OnError) -> World:
    """`train#0` is complete, `train#1` has failed, and `side` was running when the user stopped the run."""
    made = plan([task("train", 2, on_error=on_error), execution("side"), execution("next", "data")],
                [feeds(0, "train", "next")])  # fmt: skip
    world = World(made, fails("train#1"), capacity=3).start()
    for _ in range(2):
        world.step()
    world.hear(stimuli.StopRequested("received SIGINT"))
    return world.finish()


def lost(world: World) -> list[str]:
    return [str(event.attempt.execution) for event in world.events if isinstance(event, events.AttemptLost)]


def test_outputs_that_are_gone_of_a_node_in_error_are_not_made_again() -> None:
    before = with_a_complete_child(OnError.STOP_NEXT)
    assert before.statuses()["train"] == "error"
    world = World(before.scheduler.plan, completes, history=before.events).resume(3, damaged=[ExecutionId("train")])
    world.finish()
    assert lost(world) == []
    assert [str(attempt) for attempt in world.started] == ["side#0.2"]


def test_outputs_that_are_gone_of_a_complete_node_are_made_again() -> None:
    before = with_a_complete_child(OnError.CONTINUE)
    assert before.statuses()["train"] == "complete"
    world = World(before.scheduler.plan, completes, history=before.events).resume(3, damaged=[ExecutionId("train")])
    world.finish()
    assert lost(world) == ["train#0"]
    assert "train#0.2" in map(str, world.started)


def test_outputs_that_are_gone_of_a_node_that_stops_are_not_made_again() -> None:
    """One child met the condition of its task; its siblings had not ended yet when the engine was killed."""
    made = plan([task("train", 3)])
    before = World(made, completes, capacity=3).start()
    before.hear(stimuli.StopConditionMet(AttemptId(ExecutionId("train")), "loss < 1", of_task=True))
    before.hear(stimuli.AttemptReported(AttemptId(ExecutionId("train")), Status.COMPLETE))
    world = World(made, completes, history=before.events).resume(3, damaged=[ExecutionId("train")])
    assert lost(world) == ["train#1", "train#2"]
    assert world.children("train") == ["complete", "stopped", "stopped"]


def test_an_approval_that_is_owed_waits_until_its_node_is_made_again() -> None:
    """The outputs of a node that waits for an approval are gone, and so are those before it."""
    asks = PlannedAction(("node-complete",), ("require-approval",))
    made = plan([execution("first"), execution("held", actions=(asks,)), execution("next")],
                [follows(0, "first", "held"), follows(1, "held", "next")])  # fmt: skip
    before = World(made, completes).start().finish()
    assert [asked.node for asked in before.asked] == ["held"]
    damaged = [ExecutionId("first"), ExecutionId("held")]
    world = World(made, completes, history=before.events).resume(1, damaged=damaged)
    while world.asked or world.step():
        if world.asked:
            world.answer(world.asked.pop().node)
    assert [str(attempt) for attempt in world.started] == ["first#0.2", "held#0.2", "next#0.1"]
    assert world.state.status is Status.COMPLETE
