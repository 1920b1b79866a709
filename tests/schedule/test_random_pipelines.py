"""What holds for every pipeline, whatever its shape, policies and failures."""

from hypothesis import given, settings
from hypothesis import strategies as st
from random_plans import plans
from worlds import World

from vhpipe.config.model import OnError
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import SETTLED, Status


@st.composite
def worlds(draw: st.DrawFn) -> World:
    seed = draw(st.randoms(use_true_random=False))

    def outcome_of(attempt: AttemptId) -> Status | stimuli.AttemptReported:
        outcome = seed.choice((Status.COMPLETE, Status.COMPLETE, Status.ERROR, Status.CRASHED))
        because = None if outcome is Status.COMPLETE else "exit code 1"
        metadata: dict[str, object] = {"loss": seed.random() * 2}
        return stimuli.AttemptReported(attempt, outcome, because=because, metadata=metadata, final=seed.random() < 0.1)

    def reuse(execution: ExecutionId, time: int) -> str:
        return seed.choice(("hit", "miss", "busy" if time < 4 else "miss"))

    return World(draw(plans()), outcome_of, capacity=draw(st.integers(1, 4)), reuse=reuse)


def walked(world: World, approve: bool, stop_after: int | None) -> list[events.AnyEvent]:
    """The events of a run in which every question is answered and the user may stop it."""
    world.start()
    for turn in range(1000):
        if turn == stop_after:
            world.hear(stimuli.StopRequested("received SIGINT"))
        if world.asked:
            world.answer(world.asked.pop(0).node, approve)
        elif not world.step():
            break
    return world.events


@settings(max_examples=1500, deadline=None)
@given(worlds(), st.booleans(), st.none() | st.integers(0, 12))
def test_every_pipeline_ends_with_every_node_settled(world: World, approve: bool, stop_after: int | None) -> None:
    history = walked(world, approve, stop_after)
    assert isinstance(history[-1], events.RunEnded)
    assert sum(isinstance(event, events.RunEnded) for event in history) == 1
    for name, node in world.state.nodes.items():
        assert node.status in SETTLED, name
        assert all(each.status in SETTLED for each in node.executions), name
        assert (node.queued, node.running) == (0, 0)
    settled = [event.node for event in history if isinstance(event, events.NodeSettled)]
    assert sorted(settled) == sorted(world.state.nodes)


@settings(max_examples=500, deadline=None)
@given(worlds(), st.booleans(), st.none() | st.integers(0, 12))
def test_replayed_state_equals_live_state(world: World, approve: bool, stop_after: int | None) -> None:
    walked(world, approve, stop_after)
    assert world.replayed() == world.state


@settings(max_examples=500, deadline=None)
@given(worlds(), st.booleans())
def test_nothing_starts_before_its_upstream_or_without_a_slot(world: World, approve: bool) -> None:
    complete: set[str] = set()
    upstream: dict[str, set[str]] = {name: set() for name in world.state.nodes}
    for edge in world.scheduler.plan.edges:
        upstream[edge.target].add(edge.source)
    for event in walked(world, approve, None):
        if isinstance(event, events.NodeSettled) and event.status is Status.COMPLETE:
            complete.add(event.node)
        if isinstance(event, events.AttemptStarted):
            assert upstream[event.attempt.execution.node] <= complete
    assert world.most_running <= world.capacity


@settings(max_examples=300, deadline=None)
@given(worlds(), st.booleans())
def test_a_run_with_a_node_in_error_is_never_complete(world: World, approve: bool) -> None:
    walked(world, approve, None)
    if any(node.status is Status.ERROR for node in world.state.nodes.values()):
        assert world.state.status is not Status.COMPLETE


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_no_execution_is_tried_more_often_than_its_policy_allows(world: World) -> None:
    walked(world, True, None)
    policies = {node.name: node.on_error for node in world.scheduler.plan.nodes}
    for attempt in world.started:
        assert attempt.number <= (3 if policies[attempt.execution.node] is OnError.RETRY else 1)
