"""Queues with a size: how many executions of their nodes start at once."""

from typing import Any

import msgspec
import pytest
from worlds import execution, group, plan

from vhpipe.plan.model import AttemptId, ExecutionId, PlannedExtension
from vhpipe.schedule import effects, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status


def in_queue(name: str, queue: str | None) -> Any:
    return queued(execution(name), queue)


def queued(node: Any, queue: str | None) -> Any:
    return msgspec.structs.replace(node, extras=PlannedExtension(queue=queue))


def started(orders: Any) -> list[str]:
    return [
        each.execution.node
        for effect in orders
        if isinstance(effect, effects.StartAttempts)
        for each in effect.attempts
    ]


def scheduler(sizes: dict[str, int]) -> Scheduler:
    queues = {"a": "gpu", "b": "gpu", "c": "gpu", "d": "cpu", "e": None}
    nodes = [in_queue(name, queue) for name, queue in queues.items()]
    return Scheduler(msgspec.structs.replace(plan(nodes), queues=sizes))


@pytest.mark.parametrize(
    ("sizes", "first"),
    [({}, "abcde"), ({"gpu": 1}, "ade"), ({"gpu": 2}, "abde"), ({"gpu": 1, "cpu": 1}, "ade"), ({"gpu": 9}, "abcde")],
)
def test_no_more_start_at_once_than_a_queue_has_room_for(sizes: dict[str, int], first: str) -> None:
    assert started(scheduler(sizes).handle(stimuli.StartRequested(Capacity(8))).effects) == list(first)


def test_an_end_makes_room_for_the_next_of_its_queue() -> None:
    tested = scheduler({"gpu": 1})
    tested.handle(stimuli.StartRequested(Capacity(8)))
    for ended, following in (("d", []), ("a", ["b"]), ("e", []), ("b", ["c"])):
        decision = tested.handle(stimuli.AttemptReported(AttemptId(ExecutionId(ended)), Status.COMPLETE))
        assert started(decision.effects) == following


def test_a_group_waits_until_its_queue_has_room_for_all_of_it() -> None:
    nodes = [in_queue("first", "gpu"), queued(group("pair", 2), "gpu")]
    tested = Scheduler(msgspec.structs.replace(plan(nodes), queues={"gpu": 2}))
    assert started(tested.handle(stimuli.StartRequested(Capacity(8))).effects) == ["first"]
    decision = tested.handle(stimuli.AttemptReported(AttemptId(ExecutionId("first")), Status.COMPLETE))
    assert started(decision.effects) == ["pair", "pair"]


def test_a_group_larger_than_its_queue_is_an_error_that_says_how_much_room_there_is() -> None:
    nodes = [queued(group("crowd", 3), "gpu")]
    tested = Scheduler(msgspec.structs.replace(plan(nodes), queues={"gpu": 2}))
    tested.handle(stimuli.StartRequested(Capacity(8)))
    node = tested.state.nodes["crowd"]
    assert node.status is Status.ERROR
    assert node.because == "its 3 executions must run at once, and there is room for 2"
