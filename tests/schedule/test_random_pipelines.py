"""What holds for every pipeline, whatever its shape, policies and failures: one walk is looked at from all sides."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from random_plans import SEEDED, SHRINKABLE, random_plan
from worlds import World

from vhpipe.config.model import OnError
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import SETTLED, Status

OUTCOMES = (Status.COMPLETE, Status.COMPLETE, Status.ERROR, Status.CRASHED)


@dataclass(frozen=True)
class Walk:
    """A run in which every question is answered, and which the user may stop after some turns."""

    world: World
    events: list[events.AnyEvent]


def walk(random: Random) -> Walk:
    def outcome_of(attempt: AttemptId) -> stimuli.AttemptReported:
        outcome = random.choice(OUTCOMES)
        because = None if outcome is Status.COMPLETE else "exit code 1"
        metadata: dict[str, object] = {"loss": random.choice((0.5, 1.5))}
        return stimuli.AttemptReported(
            attempt, outcome, because=because, metadata=metadata, final=random.randint(0, 9) == 0
        )

    def reuse(execution: ExecutionId, time: int) -> str:
        return random.choice(("hit", "miss", "busy" if time < 4 else "miss"))

    approves, stop_after = bool(random.randint(0, 3)), random.choice((None, random.randint(0, 12)))
    world = World(random_plan(random), outcome_of, capacity=random.randint(1, 4), reuse=reuse).start()
    for turn in range(1000):
        if turn == stop_after:
            world.hear(stimuli.StopRequested("received SIGINT"))
        if world.asked and random.randint(0, 1):
            world.answer(world.asked.pop(0).node, approves)
        elif not world.step(random.choice):
            if not world.asked:
                break
            world.answer(world.asked.pop(0).node, approves)
    return Walk(world, world.events)


def it_ends_with_every_node_settled(walked: Walk) -> None:
    state, history = walked.world.state, walked.events
    assert isinstance(history[-1], events.RunEnded)
    assert sum(isinstance(event, events.RunEnded) for event in history) == 1
    for name, node in state.nodes.items():
        assert node.status in SETTLED, name
        assert all(each.status in SETTLED for each in node.executions), name
        assert (node.queued, node.running) == (0, 0)
    assert sorted(event.node for event in history if isinstance(event, events.NodeSettled)) == sorted(state.nodes)


def its_replayed_state_is_the_live_one(walked: Walk) -> None:
    assert walked.world.replayed() == walked.world.state


def nothing_starts_before_its_upstream_or_without_a_slot(walked: Walk) -> None:
    complete, settled = set[str](), set[str]()
    content_with_one = {node.name for node in walked.world.scheduler.plan.nodes if node.extras.any_before}
    upstream: dict[str, set[str]] = {name: set() for name in walked.world.state.nodes}
    for edge in walked.world.scheduler.plan.edges:
        upstream[edge.target].add(edge.source)
    for event in walked.events:
        if isinstance(event, events.NodeSettled):
            settled.add(event.node)
            complete |= {event.node} if event.status is Status.COMPLETE else set()
        if isinstance(event, events.AttemptStarted):
            name = event.attempt.execution.node
            before = upstream[name]
            assert before <= (settled if name in content_with_one else complete)
            assert not before or before & complete
    assert walked.world.most_running <= walked.world.capacity


def with_a_node_in_error_it_is_not_complete(walked: Walk) -> None:
    if any(node.status is Status.ERROR for node in walked.world.state.nodes.values()):
        assert walked.world.state.status is not Status.COMPLETE


def no_execution_is_tried_more_often_than_its_policy_allows(walked: Walk) -> None:
    policies = {node.name: node.on_error for node in walked.world.scheduler.plan.nodes}
    for attempt in walked.world.started:
        assert attempt.number <= (3 if policies[attempt.execution.node] is OnError.RETRY else 1)


def check(walked: Walk) -> None:
    it_ends_with_every_node_settled(walked)
    its_replayed_state_is_the_live_one(walked)
    nothing_starts_before_its_upstream_or_without_a_slot(walked)
    with_a_node_in_error_it_is_not_complete(walked)
    no_execution_is_tried_more_often_than_its_policy_allows(walked)


@settings(max_examples=800)
@given(SEEDED)
def test_every_pipeline_keeps_its_promises(random: Random) -> None:
    check(walk(random))


@pytest.mark.long
@settings(max_examples=1500)
@given(SHRINKABLE)
def test_every_pipeline_keeps_its_promises_at_length(random: Random) -> None:
    check(walk(random))
