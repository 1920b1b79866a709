"""What an earlier run gives, and what a run asked again keeps."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_plans import ORDERLY_WORDS, SEEDED, SHRINKABLE, random_plan
from worlds import World, completes, deployment, execution, fails, feeds, follows, output, outside, plan, task

from vhpipe.config.model import EdgeKind, OnError
from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedAction, PlannedEdge, PlannedNode, PlannedTask
from vhpipe.plan.partial_run import Selectors, reduced_plan, select
from vhpipe.schedule import stimuli
from vhpipe.schedule.carry_over.carried_results import given_children, given_node, origins
from vhpipe.schedule.carry_over.rerun_choice import CarryOver, PreviousRun, RerunRequest, keep
from vhpipe.schedule.terms import Status


def stored(plan: Plan) -> Plan:
    """The plan as it comes back from its file."""
    return msgspec.json.decode(msgspec.json.encode(plan), type=Plan)


def with_node(old: Plan, node: PlannedNode) -> Plan:
    return msgspec.structs.replace(old, nodes=tuple(node if each.name == node.name else each for each in old.nodes))


def intact(node: PlannedNode) -> None:
    return None


def kept(world: World, new: Plan | None = None, named: dict[str, frozenset[int] | None] | None = None,
         failed: bool = False) -> CarryOver:  # fmt: skip
    before = PreviousRun(1, stored(world.scheduler.plan), world.state)
    return keep(before, new or world.scheduler.plan, RerunRequest(named or {}, failed, intact))


def causes(found: CarryOver) -> dict[str, str]:
    return {rerun.node: rerun.because or f"after {', '.join(rerun.after)}" for rerun in found.reruns}


CHAIN = plan([execution("prep"), task("train", 3, "data"), execution("ev", "data")],
             [feeds(0, "prep", "train"), feeds(1, "train", "ev")])  # fmt: skip


# ── giving ───────────────────────────────────────────────────────────────────────────────────────


def test_a_given_node_does_not_run_and_hands_on_what_it_has() -> None:
    world = World(CHAIN, completes).start().finish()
    part = reduced_plan(CHAIN, select(CHAIN, Selectors(only=("ev",))))
    train = given_node(CHAIN, world.state, "train", 7)
    assert train is not None
    again = World(stored(with_node(part, train)), completes).start().finish()
    assert [str(attempt) for attempt in again.started] == ["ev#0.1"]
    assert again.state.status is Status.COMPLETE
    assert again.state.nodes["ev"].bound == world.state.nodes["ev"].bound
    assert again.state.nodes["train"].executions[1].outputs == world.state.nodes["train"].executions[1].outputs


def test_what_is_given_on_keeps_the_run_that_made_it() -> None:
    world = World(CHAIN, completes).start().finish()
    train = given_node(CHAIN, world.state, "train", 7)
    assert train is not None
    part = with_node(reduced_plan(CHAIN, select(CHAIN, Selectors(only=("ev",)))), train)
    second = World(part, completes).start().finish()
    handed_on = given_node(part, second.state, "train", 8)
    assert handed_on is not None
    assert origins(handed_on) == origins(train)
    assert str(train.given.executions[2].origin) == "train#2 of run 7"  # type: ignore[union-attr]


def test_only_what_is_complete_is_given() -> None:
    world = World(CHAIN, fails("train#1")).start().finish()
    assert given_node(CHAIN, world.state, "prep", 1) is not None
    assert given_node(CHAIN, world.state, "train", 1) is None
    assert given_node(CHAIN, world.state, "ev", 1) is None


def test_a_task_that_is_complete_although_children_failed_is_given_with_the_others() -> None:
    lenient = plan([task("train", 3, on_error=OnError.CONTINUE), execution("ev", "data")], [feeds(0, "train", "ev")])
    world = World(lenient, fails("train#1")).start().finish()
    train = given_node(lenient, world.state, "train", 1)
    assert train is not None
    assert train.given is not None
    assert ([each.index for each in train.given.executions], train.given.total) == ([0, 2], 3)
    part = with_node(reduced_plan(lenient, select(lenient, Selectors(only=("ev",)))), train)
    again = World(part, completes).start().finish()
    assert again.children("train") == ["complete", "skipped", "complete"]
    assert again.state.nodes["ev"].bound == world.state.nodes["ev"].bound


def test_a_node_whose_downstream_waits_for_approval_is_not_given() -> None:
    held = plan([execution("a", actions=(PlannedAction(("node-complete",), ("require-approval",)),)), execution("b")],
                [follows(0, "a", "b")])  # fmt: skip
    world = World(held, completes).start().finish()
    assert world.state.nodes["a"].status is Status.COMPLETE
    assert given_node(held, world.state, "a", 1) is None
    world.answer("a")
    assert given_node(held, world.state, "a", 1) is not None


def test_actions_of_a_given_node_do_not_fire_again() -> None:
    stops = plan([execution("a", actions=(PlannedAction(("node-complete",), ("stop-pipeline",)),)), execution("b")],
                 [follows(0, "a", "b")])  # fmt: skip
    world = World(stops, completes).start().finish()
    assert world.state.status is Status.STOPPED
    found = kept(world, failed=True)
    again = World(found.plan, completes).start().finish()
    assert again.statuses() == {"a": "complete", "b": "complete"}


def test_a_deployment_is_given_with_its_version() -> None:
    deployed = plan([execution("a"), deployment("d")], [follows(0, "a", "d")])
    world = World(deployed, completes).start().finish()
    node = given_node(deployed, world.state, "d", 1)
    again = World(plan([node] if node else []), completes).start().finish()
    assert again.state.nodes["d"].deployment == world.state.nodes["d"].deployment


def test_inputs_from_outside_are_given_with_the_bytes_that_were_read() -> None:
    raw = execution("a")
    raw = msgspec.structs.replace(raw, spec=msgspec.structs.replace(raw.spec, inputs=(outside("raw"),)))
    passing = PlannedEdge(0, "a", EdgeKind.INPUT, "raw", "b", EdgeKind.INPUT, "data")
    made = plan([raw, execution("b", "data")], [passing])
    world = World(made, completes).start().finish()
    node = given_node(made, world.state, "a", 1)
    assert node is not None
    again = World(with_node(reduced_plan(made, select(made, Selectors(only=("b",)))), node), completes).start()
    spec = again.scheduler.execution_spec(ExecutionId("b"))
    assert [file.blob for _, files in spec.inputs for file in files] == ["0" * 64]


def test_the_parameters_of_given_executions_are_those_that_they_ran_with() -> None:
    reader = execution("ev")
    edge = PlannedEdge(1, "train", EdgeKind.PARAMETER, "x", "ev", EdgeKind.PARAMETER, "many")
    many = task("train", 3).spec.parameters
    reader = msgspec.structs.replace(reader, spec=msgspec.structs.replace(reader.spec, parameters=many))
    made = plan([task("train", 3), reader], [edge])
    world = World(made, completes).start().finish()
    train = given_node(made, world.state, "train", 1)
    assert isinstance(train, PlannedTask)
    other = msgspec.structs.replace(train, sweep=task("train", 9).sweep._replace(axes=()))
    again = World(with_node(reduced_plan(made, select(made, Selectors(only=("ev",)))), other), completes).start()
    bound = again.state.nodes["ev"].bound
    assert bound is not None
    assert bound.values == {"many": (0, 1, 2)}


def test_some_children_can_be_given_and_the_others_run() -> None:
    world = World(CHAIN, fails("train#1")).start().finish()
    found = given_children(CHAIN, world.state, "train", 1)
    assert found is not None
    complete = [index for index, each in enumerate(world.children("train")) if each == "complete"]
    assert [each.index for each in found.executions] == complete
    assert given_children(CHAIN, world.state, "train", 1, without=complete) is None


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_complete_is_kept_and_the_rest_runs() -> None:
    world = World(CHAIN, fails("train#2"), capacity=1).start().finish()
    found = kept(world)
    assert found.kept == ("prep",)
    assert causes(found) == {"train": "it failed", "ev": "after train"}
    again = World(found.plan, completes).start().finish()
    assert [str(attempt) for attempt in again.started] == ["train#2.1", "ev#0.1"]
    assert again.state.status is Status.COMPLETE


def test_a_changed_node_runs_again_and_so_does_what_follows() -> None:
    world = World(CHAIN, completes).start().finish()
    train = CHAIN.node("train")
    assert isinstance(train, PlannedTask)
    spec = msgspec.structs.replace(train.spec, command=("false",), values={"y": 3})
    found = kept(world, with_node(CHAIN, msgspec.structs.replace(train, spec=spec)))
    assert found.kept == ("prep",)
    assert causes(found) == {"train": "changed: its command, parameter `y` unset → 3", "ev": "after train"}


def test_policies_and_limits_are_no_reason_to_run_again() -> None:
    world = World(CHAIN, completes).start().finish()
    prep = CHAIN.node("prep")
    spec = msgspec.structs.replace(prep.spec, time_limit_s=9.0)  # type: ignore[union-attr]
    changed = msgspec.structs.replace(prep, on_error=OnError.CONTINUE, spec=spec, reuse=True)
    assert kept(world, with_node(CHAIN, changed)).reruns == ()


def test_another_edge_is_a_reason_to_run_again() -> None:
    world = World(CHAIN, completes).start().finish()
    edges = (feeds(0, "prep", "train", "*.txt"), CHAIN.edges[1])
    assert causes(kept(world, msgspec.structs.replace(CHAIN, edges=edges)))["train"] == "changed: the edges into it"


def test_an_edge_that_only_moved_in_the_file_is_none() -> None:
    world = World(CHAIN, completes).start().finish()
    edges = tuple(msgspec.structs.replace(edge, index=edge.index + 5) for edge in CHAIN.edges)
    assert kept(world, msgspec.structs.replace(CHAIN, edges=edges)).reruns == ()


def test_named_children_run_again_and_the_others_are_kept() -> None:
    world = World(CHAIN, completes).start().finish()
    found = kept(world, named={"train": frozenset({1})})
    assert [(rerun.node, rerun.kept, rerun.total) for rerun in found.reruns] == [("train", 2, 3), ("ev", 0, 0)]
    again = World(found.plan, completes).start().finish()
    assert [str(attempt) for attempt in again.started] == ["train#1.1", "ev#0.1"]


def test_children_are_not_kept_when_something_before_them_runs_again() -> None:
    world = World(CHAIN, fails("train#2"), capacity=1).start().finish()
    found = kept(world, named={"prep": None})
    again = World(found.plan, completes).start().finish()
    assert [str(attempt) for attempt in again.started] == ["prep#0.1", "train#0.1", "train#1.1", "train#2.1", "ev#0.1"]


def test_failed_executions_of_complete_nodes_run_again_when_asked_for() -> None:
    lenient = plan([task("train", 3, on_error=OnError.CONTINUE)])
    world = World(lenient, fails("train#1")).start().finish()
    assert kept(world).reruns == ()
    found = kept(world, failed=True)
    assert causes(found) == {"train": "1 of 3 executions failed"}
    assert [str(each) for each in World(found.plan, completes).start().finish().started] == ["train#1.1"]


def test_an_approval_that_nobody_gave_is_asked_for_again_without_running_again() -> None:
    held = plan([execution("a", actions=(PlannedAction(("node-complete",), ("require-approval",)),)), execution("b")],
                [follows(0, "a", "b")])  # fmt: skip
    world = World(held, completes).start().finish()
    world.hear(stimuli.StopRequested("stopped"))
    found = kept(world)
    again = World(found.plan, completes).start().finish()
    assert (again.started, [asked.node for asked in again.asked]) == ([], ["a"])
    again.answer("a")
    assert again.finish().statuses() == {"a": "complete", "b": "complete"}


# ── any pipeline ─────────────────────────────────────────────────────────────────────────────────


class Deed:
    """Every execution makes the same, whenever and wherever it runs; some fail as long as nobody fixes them."""

    def __init__(self, seed: int, is_fixed: bool) -> None:
        self.seed, self.is_fixed = seed, is_fixed

    def of(self, attempt: AttemptId) -> stimuli.AttemptReported:
        random = Random(f"{self.seed} {attempt.execution}")
        outcome = random.choice((Status.COMPLETE, Status.COMPLETE, Status.ERROR, Status.CRASHED))
        made = (output(f"model-{attempt.execution.index}.pkl", str(attempt.execution)),)
        loss: dict[str, object] = {"loss": random.random() * 2}
        return stimuli.AttemptReported(
            attempt, Status.COMPLETE if self.is_fixed else outcome, metadata=loss, outputs=made
        )


def ended(world: World, stop_after: int | None = None) -> World:
    world.start()
    for turn in range(1000):
        if turn == stop_after:
            world.hear(stimuli.StopRequested("stopped"))
        if world.asked:
            world.answer(world.asked.pop(0).node)
        elif not world.step():
            break
    return world


SEEDS = st.integers(0, 1 << 30)
STOPS = st.none() | st.integers(0, 12)


def check_that_fixing_suffices(plan: Plan, seed: int, stop_after: int | None) -> None:
    """Asked again, a fixed run ends as one that never failed, and nothing runs twice for nothing."""
    first = ended(World(plan, Deed(seed, is_fixed=False).of), stop_after)
    found = kept(first, failed=True)
    again = ended(World(stored(found.plan), Deed(seed, is_fixed=True).of))
    smooth = ended(World(plan, Deed(seed, is_fixed=True).of))
    assert again.state.status is smooth.state.status
    for name, node in smooth.state.nodes.items():
        here = again.state.nodes[name]
        assert here.status is node.status, name
        assert [each.outputs for each in here.executions] == [each.outputs for each in node.executions]
        assert [each.metadata for each in here.executions] == [each.metadata for each in node.executions]
    repeated = {attempt.execution for attempt in again.started}
    for each in repeated:
        was = first.state.nodes[each.node]
        before = {edge.source for edge in plan.edges if edge.target == each.node}
        is_after_a_rerun = any(rerun.node in before for rerun in found.reruns)
        is_complete = was.executions and was.executions[each.index].status is Status.COMPLETE
        assert is_after_a_rerun or not is_complete, f"{each} ran twice for nothing"


def check_that_a_part_suffices(plan: Plan, seed: int, only: tuple[str, ...]) -> None:
    """A part on given nodes makes what the whole made, and nothing else runs."""
    whole = ended(World(plan, Deed(seed, is_fixed=True).of))
    selection = select(plan, Selectors(only=only))
    part = reduced_plan(plan, selection)
    for name in selection.given:
        node = given_node(plan, whole.state, name, 1)
        if node is None:
            return
        part = with_node(part, node)
    again = ended(World(stored(part), Deed(seed, is_fixed=True).of))
    for name in selection.runs:
        assert again.state.nodes[name].bound == whole.state.nodes[name].bound
        assert again.state.nodes[name].status is whole.state.nodes[name].status
    assert {attempt.execution.node for attempt in again.started} <= set(selection.runs)


def some_nodes(random: Random, plan: Plan) -> tuple[str, ...]:
    return tuple(random.sample([node.name for node in plan.nodes], random.randint(1, len(plan.nodes))))


@settings(max_examples=120)
@given(SEEDED, SEEDS, STOPS)
def test_a_fixed_run_asked_again_ends_as_one_that_never_failed(
    random: Random, seed: int, stop_after: int | None
) -> None:
    check_that_fixing_suffices(random_plan(random, ORDERLY_WORDS), seed, stop_after)


@settings(max_examples=80)
@given(SEEDED, SEEDS)
def test_a_part_on_given_nodes_makes_what_the_whole_made(random: Random, seed: int) -> None:
    plan = random_plan(random, ORDERLY_WORDS)
    check_that_a_part_suffices(plan, seed, some_nodes(random, plan))


@pytest.mark.long
@settings(max_examples=500)
@given(SHRINKABLE, SEEDS, STOPS)
def test_any_fixed_run_ends_as_one_that_never_failed_at_length(
    random: Random, seed: int, stop_after: int | None
) -> None:
    check_that_fixing_suffices(random_plan(random, ORDERLY_WORDS), seed, stop_after)


@pytest.mark.long
@settings(max_examples=500)
@given(SHRINKABLE, SEEDS)
def test_any_part_on_given_nodes_makes_what_the_whole_made_at_length(random: Random, seed: int) -> None:
    plan = random_plan(random, ORDERLY_WORDS)
    check_that_a_part_suffices(plan, seed, some_nodes(random, plan))
