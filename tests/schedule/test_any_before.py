"""Nodes for which one complete node before them is enough: what becomes of the others does not skip them."""

import msgspec
import pytest
from worlds import World, execution, fails, feeds, follows, plan

from vhpipe.config.model import OnError
from vhpipe.plan.model import PlannedExecution, PlannedExtension, PlannedWhen

NEVER = PlannedExtension(when=PlannedWhen("1 > 2", "1 > 2"))
ANY = PlannedExtension(any_before=True)


def skipped(name: str) -> PlannedExecution:
    return msgspec.structs.replace(execution(name), extras=NEVER)


def join(optional: bool = True) -> PlannedExecution:
    made = execution("join", "left", "right")
    inputs = tuple(msgspec.structs.replace(item, optional=optional) for item in made.spec.inputs)
    return msgspec.structs.replace(made, extras=ANY, spec=msgspec.structs.replace(made.spec, inputs=inputs))


def ran(*nodes: PlannedExecution, last: PlannedExecution | None = None, fail: str = "") -> World:
    names = [node.name for node in nodes]
    edges = [feeds(index, name, "join", into=("left", "right")[index]) for index, name in enumerate(names)]
    end = execution("end")
    made = plan([*nodes, last or join(), end], [*edges, follows(len(edges), "join", "end")])
    return World(made, fails(fail), capacity=2).start().finish()


def test_a_node_whose_optional_input_comes_from_a_skipped_node_runs() -> None:
    world = ran(execution("a"), skipped("b"))
    assert world.statuses() == {"a": "complete", "b": "skipped", "join": "complete", "end": "complete"}
    assert world.state.status == "complete"


def test_it_waits_for_all_of_them() -> None:
    world = ran(skipped("b"), execution("a"))
    names = [attempt.execution.node for attempt in world.started]
    assert names == ["a", "join", "end"]


def test_without_any_complete_node_before_it_it_is_skipped() -> None:
    world = ran(skipped("a"), skipped("b"))
    assert world.statuses() == {"a": "skipped", "b": "skipped", "join": "skipped", "end": "skipped"}
    assert world.state.nodes["join"].because == "no node before it is complete"


def test_a_failure_before_it_counts_like_a_skipped_node() -> None:
    failing = msgspec.structs.replace(execution("b"), on_error=OnError.STOP_NEXT)
    world = ran(execution("a"), failing, fail="b")
    assert world.statuses() == {"a": "complete", "b": "error", "join": "complete", "end": "complete"}
    assert world.state.status == "error"


def test_a_required_input_that_gets_nothing_skips_it_and_says_why() -> None:
    world = ran(execution("a"), skipped("b"), last=join(optional=False))
    assert world.statuses()["join"] == "skipped"
    assert "`b` was skipped and left nothing for" in (world.state.nodes["join"].because or "")


@pytest.mark.parametrize("position", [0, 1])
def test_nothing_comes_from_what_failed(position: int) -> None:
    nodes = [execution("a"), msgspec.structs.replace(execution("b"), on_error=OnError.STOP_NEXT)]
    world = ran(*(nodes if position else nodes[::-1]), fail="b")
    bound = world.state.nodes["join"].bound
    given = {name for name, files in (bound.files if bound else ()) if files}
    assert given == {"left" if position else "right"}
