"""Which nodes selectors choose: by example, and for random graphs."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vhpipe.config.model import EdgeKind, TaskType, VariantRules, VariantStyle
from vhpipe.errors import UsageError
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedEdge, PlannedExecution, PlannedTask, StepSpec
from vhpipe.plan.partial_run import Selectors, executions_named_by, reduced_plan, select
from vhpipe.sweep.parameter_sets import Axis, Sweep

SPEC = StepSpec(step="s", image="i", command=("true",))


def edge(index: int, source: str, target: str, kind: EdgeKind = EdgeKind.OUTPUT) -> PlannedEdge:
    target_kind = EdgeKind.PARAMETER if kind is EdgeKind.METADATA else EdgeKind.INPUT
    return PlannedEdge(index, source, kind, "*", target, target_kind, "x")


def task(name: str, children: int, type: TaskType = TaskType.GRID) -> PlannedTask:
    axis = Axis("x", VariantStyle.MULTIPLE, VariantRules(items=tuple(range(children))))
    return PlannedTask(name, SPEC, Sweep(type, (axis,)))


def plan_of(names: str, *pairs: str) -> Plan:
    """`plan_of("a b", "a b")`: nodes, and edges as pairs."""
    edges = tuple(edge(index, *pair.split()) for index, pair in enumerate(pairs))
    return Plan("p", tuple(PlannedExecution(name, SPEC) for name in names.split()), edges)


DIAMOND = plan_of("a b c d e", "a b", "a c", "b d", "c d")
SWEEP = Plan("p", (PlannedExecution("a", SPEC), task("train", 4), PlannedExecution("z", SPEC)),
             (edge(0, "a", "train"), edge(1, "train", "z")))  # fmt: skip


@pytest.mark.parametrize(
    ("selectors", "runs", "given_", "dropped"),
    [
        (Selectors(), "a b c d e", "", ""),
        (Selectors(only=("b",)), "b", "a", "c d e"),
        (Selectors(only=("+b",)), "a b", "", "c d e"),
        (Selectors(only=("b+",)), "b d", "a c", "e"),
        (Selectors(only=("+b+",)), "a b d", "c", "e"),
        (Selectors(only=("b", "c")), "b c", "a", "d e"),
        (Selectors(start=("b",)), "b d", "a c", "e"),
        (Selectors(until=("c",)), "a c", "", "b d e"),
        (Selectors(start=("b",), until=("b",)), "b", "a", "c d e"),
        (Selectors(exclude=("a",)), "b c d e", "a", ""),
        (Selectors(exclude=("d", "e")), "a b c", "", "d e"),
        (Selectors(exclude=("b+",)), "a c e", "", "b d"),
        (Selectors(until=("d",), exclude=("+b",)), "c d", "a b", "e"),
    ],
)  # fmt: skip
def test_selectors_choose_what_runs_and_what_is_given(
    selectors: Selectors, runs: str, given_: str, dropped: str
) -> None:
    found = select(DIAMOND, selectors)
    assert (" ".join(found.runs), " ".join(found.given), " ".join(found.dropped)) == (runs, given_, dropped)


def test_edges_into_what_does_not_run_go() -> None:
    plan = reduced_plan(DIAMOND, select(DIAMOND, Selectors(only=("b", "d"))))
    assert [node.name for node in plan.nodes] == ["a", "b", "c", "d"]
    assert [str(edge) for edge in plan.edges] == [str(DIAMOND.edges[index]) for index in (0, 2, 3)]


@pytest.mark.parametrize(
    ("selectors", "children"),
    [
        (Selectors(only=("train#2",)), (2,)),
        (Selectors(only=("train#2", "train#0")), (0, 2)),
        (Selectors(only=("train#0,3",)), (0, 3)),
        (Selectors(only=("+train#1+",)), (1,)),
        (Selectors(only=("train", "train#1")), None),
        (Selectors(exclude=("train#0", "train#3")), (1, 2)),
        (Selectors(only=("train#0,1",), exclude=("train#1",)), (0,)),
        (Selectors(until=("train#1",)), (1,)),
    ],
)
def test_children_of_a_task_can_be_chosen(selectors: Selectors, children: tuple[int, ...] | None) -> None:
    found = select(SWEEP, selectors)
    assert found.children.get("train") == children
    node = reduced_plan(SWEEP, found).node("train")
    assert isinstance(node, PlannedTask)
    assert node.children == children


def test_a_chosen_child_runs_with_all_before_and_after_it() -> None:
    assert select(SWEEP, Selectors(only=("+train#1+",))).runs == ("a", "train", "z")


@pytest.mark.parametrize(
    ("plan", "selectors", "message", "hint"),
    [
        (DIAMOND, Selectors(only=("bb",)), "unknown node `bb`", "did you mean `b`?"),
        (SWEEP, Selectors(only=("+trian+",)), "unknown node `trian`", "did you mean `train`?"),
        (SWEEP, Selectors(only=("train#4",)), "node `train` has no execution 4", "it has the executions 0 to 3"),
        (SWEEP, Selectors(exclude=("a#1",)), "node `a` has no execution 1", "it has only execution 0"),
        (SWEEP, Selectors(only=("a",), exclude=("a",)), "nothing is left to run", "select"),
        (SWEEP, Selectors(exclude=("train#0,1,2,3", "a", "z")), "nothing is left to run", "select"),
        (Plan("p", (PlannedDeployment("d", "x"),)), Selectors(only=("d#0",)), "no execution 0", "deployment"),
        (Plan("p", (task("t", 2, TaskType.DISTRIBUTED),)), Selectors(only=("t#0",)), "one group", "t"),
        (Plan("p", (task("one", 2), task("oneself", 2))), Selectors(only=("on",)), "fits several nodes", "oneself"),
    ],
)  # fmt: skip
def test_what_cannot_be_selected_is_refused(plan: Plan, selectors: Selectors, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        select(plan, selectors)
    assert message in refused.value.message
    assert hint in (refused.value.hint or "")


def test_a_number_that_an_edge_decides_is_not_checked_before() -> None:
    plan = msgspec.structs.replace(SWEEP, edges=(edge(0, "a", "train", EdgeKind.METADATA),))
    assert select(plan, Selectors(only=("train#9",))).children == {"train": (9,)}
    with pytest.raises(UsageError, match="known only when it starts"):
        select(plan, Selectors(exclude=("train#0",)))


def test_names_with_signs_in_them_win() -> None:
    plan = plan_of("+a a a+ a#1", "a a+")
    assert select(plan, Selectors(only=("+a",))).runs == ("+a",)
    assert select(plan, Selectors(only=("a+",))).runs == ("a+",)
    assert select(plan, Selectors(only=("a#1",))).runs == ("a#1",)
    assert select(plan, Selectors(only=("a++",))).runs == ("a+",)


def test_names_may_be_shortened_and_their_case_is_forgiven() -> None:
    assert select(SWEEP, Selectors(only=("TR#1+",))).runs == ("train", "z")


def test_named_nodes_come_with_their_executions() -> None:
    assert executions_named_by(SWEEP, ("train#1", "z")) == {"train": frozenset({1}), "z": None}
    assert executions_named_by(SWEEP, ("+train",)) == {"a": None, "train": None}


# ── any graph ────────────────────────────────────────────────────────────────────────────────────


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 8))
    pairs = [f"n{source} n{target}" for target in range(count) for source in range(target)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return plan_of(" ".join(f"n{number}" for number in range(count)), *chosen)


@st.composite
def selections(draw: st.DrawFn) -> tuple[Plan, Selectors]:
    plan = draw(graphs())
    names = st.sampled_from([node.name for node in plan.nodes])
    texts = st.builds(lambda before, name, after: f"{before}{name}{after}",
                      st.sampled_from(("", "+")), names, st.sampled_from(("", "+")))  # fmt: skip
    options = st.lists(texts, max_size=2).map(tuple)
    return plan, Selectors(draw(options), draw(options), draw(options), draw(options))


def closure(plan: Plan, names: set[str], forwards: bool) -> set[str]:
    """By repetition until nothing is new: another way than the one that is tested."""
    found = set(names)
    while True:
        more = {edge.target if forwards else edge.source for edge in plan.edges
                if (edge.source if forwards else edge.target) in found}  # fmt: skip
        if more <= found:
            return found
        found |= more


def expected(plan: Plan, texts: tuple[str, ...], before: bool = False, after: bool = False) -> set[str]:
    found: set[str] = set()
    for text in texts:
        name = {text.strip("+")}
        found |= name
        found |= closure(plan, name, forwards=False) if before or text.startswith("+") else set()
        found |= closure(plan, name, forwards=True) if after or text.endswith("+") else set()
    return found


@settings(max_examples=150, deadline=None)
@given(selections())
def test_every_node_runs_or_is_given_or_is_dropped(case: tuple[Plan, Selectors]) -> None:
    plan, selectors = case
    runs = {node.name for node in plan.nodes}
    runs &= expected(plan, selectors.only) if selectors.only else runs
    runs &= expected(plan, selectors.start, after=True) if selectors.start else runs
    runs &= expected(plan, selectors.until, before=True) if selectors.until else runs
    runs -= expected(plan, selectors.exclude)
    if not runs:
        with pytest.raises(UsageError, match="nothing is left"):
            select(plan, selectors)
        return
    found = select(plan, selectors)
    assert set(found.runs) == runs
    assert set(found.given) == {edge.source for edge in plan.edges if edge.target in runs} - runs
    order = [node.name for node in plan.nodes]
    assert sorted((*found.runs, *found.given, *found.dropped), key=order.index) == order


@settings(max_examples=100, deadline=None)
@given(selections())
def test_what_runs_keeps_all_of_its_edges_and_no_edge_leads_nowhere(case: tuple[Plan, Selectors]) -> None:
    plan, selectors = case
    try:
        found = select(plan, selectors)
    except UsageError:
        return
    part = reduced_plan(plan, found)
    names = {node.name for node in part.nodes}
    assert names == {*found.runs, *found.given}
    assert all({edge.source, edge.target} <= names for edge in part.edges)
    for name in found.runs:
        assert list(part.edges_into(name)) == list(plan.edges_into(name))
    for name in found.given:
        assert not list(part.edges_into(name))
