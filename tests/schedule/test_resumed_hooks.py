"""Hooks after a node whose engine ends before they have answered: each is called again, once, when the node is over."""

from typing import Any

import msgspec
from worlds import World, execution, plan, recorded, task

from vhpipe.plan.model import AttemptId, ExecutionId, Hook, Hooks, PlannedNode
from vhpipe.schedule import effects, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status

POST = Hooks(post=(Hook(command="true"),))
CALL = effects.RunHook("train", "post")


def with_post_hook(node: Any) -> PlannedNode:
    return msgspec.structs.replace(node, hooks=POST)  # type: ignore[no-any-return]


def ended(index: int, number: int = 1, outcome: Status = Status.COMPLETE) -> stimuli.AttemptReported:
    return stimuli.AttemptReported(AttemptId(ExecutionId("train", index), number), outcome)


def test_a_stopped_node_that_goes_on_has_its_hook_called_at_its_new_end_and_the_run_ends() -> None:
    made = plan([with_post_hook(task("train", 2))])
    scheduler = Scheduler(made)
    records = []
    for stimulus in (
        stimuli.StartRequested(Capacity(2)),
        stimuli.StopRequested("received SIGINT"),
        ended(0, outcome=Status.STOPPED),
        ended(1, outcome=Status.STOPPED),
    ):
        decision = scheduler.handle(stimulus)
        records += recorded(decision.events)
    assert CALL in decision.effects
    again = Scheduler(made, records)
    assert CALL not in again.handle(stimuli.ResumeRequested(Capacity(2))).effects
    again.handle(ended(0, 2))
    assert again.handle(ended(1, 2)).effects == (CALL,)
    again.handle(stimuli.HookAnswered("train", "post"))
    assert again.state.status is Status.COMPLETE


def test_a_node_that_had_ended_unseen_has_its_hook_called_once() -> None:
    made = plan([with_post_hook(execution("train"))])
    begun = recorded(Scheduler(made).handle(stimuli.StartRequested(Capacity(1))).events)
    orders = Scheduler(made, begun).handle(stimuli.ResumeRequested(Capacity(1), found=(ended(0),))).effects
    assert orders == (CALL,)


def test_a_hook_that_was_being_called_is_called_again() -> None:
    world = World(plan([with_post_hook(execution("train"))]), lambda attempt: Status.COMPLETE).start().finish()
    orders = Scheduler(world.scheduler.plan, world.records).handle(stimuli.ResumeRequested(Capacity(1))).effects
    assert orders == (CALL,)
