"""The rules as a whole: total, linear, and silent about what they cannot know."""

import sys
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    Edge,
    EdgeEnd,
    EdgeKind,
    Endpoint,
    ExecutionNode,
    Input,
    Node,
    Override,
    Parameter,
    Pipeline,
    PipelineParameter,
    Step,
    Task,
    TaskNode,
)
from vhpipe.diagnostics import MAX_OF_A_RULE, Location
from vhpipe.rules.check import check, subject_of
from vhpipe.rules.table import RULES

SEVERITIES = {rule.id: rule.severity for rule in RULES}


def end(text: str) -> EdgeEnd:
    node, kind, key = text.split(".", 2)
    return EdgeEnd(node, EdgeKind(kind), key, kind, (0, "pipeline", text))


def edge(source: str, target: str) -> Edge:
    return Edge(end(source), end(target))


def pipeline(*nodes: Node, edges: tuple[Edge, ...] = (), at: tuple[str | int, ...] = (0, "pipeline")) -> Pipeline:
    return Pipeline("main", nodes, edges, at=at)


def found(config: Config) -> set[str]:
    return {diagnostic.rule for diagnostic in check(subject_of(config))}


def errors(config: Config) -> set[str]:
    return {rule for rule in found(config) if SEVERITIES[rule] == "error"}


STEP = Step("train", "image", ("run",), inputs=(Input("data", ("s3://x",)),), at=(1, "step"))


def test_a_broken_step_lets_nothing_be_concluded_about_its_inputs() -> None:
    edges = (edge("a.output.*", "b.input.other"),)
    config = Config((STEP,), pipelines=(pipeline(*(ExecutionNode(n, "train") for n in "ab"), edges=edges),))
    assert errors(config) == {"unknown-edge-input"}
    broken = config._replace(broken=frozenset({(1, "step")}))
    assert errors(broken) == {"unknown-edge-input"}
    assert not errors(broken._replace(unread=frozenset({(1, "step", "inputs")})))


def test_a_step_that_could_not_be_read_may_be_the_one_that_is_named() -> None:
    config = Config(pipelines=(pipeline(ExecutionNode("a", "train")),))
    assert errors(config) == {"unknown-step"}
    assert not errors(config._replace(broken=frozenset({(1, "step")})))
    assert errors(config._replace(broken=frozenset({(1, "endpoint")}))) == {"unknown-step"}


def test_a_broken_pipeline_may_have_the_node_that_an_edge_names() -> None:
    edges = (edge("a.output.x", "b.input.data"),)
    config = Config((STEP,), pipelines=(pipeline(ExecutionNode("a", "train"), edges=edges),))
    assert errors(config) == {"unknown-edge-node"}
    broken = config._replace(broken=frozenset({(0, "pipeline")}))
    assert errors(broken) == {"unknown-edge-node"}
    assert not errors(broken._replace(unread=frozenset({(0, "pipeline", "nodes")})))


def test_nodes_of_another_commit_are_not_looked_into() -> None:
    override = Override(inputs=(Input("none"),))
    nodes = (ExecutionNode("a", "elsewhere", commit="abc", override=override), ExecutionNode("b", "train"))
    edges = (edge("a.output.x", "b.input.data"), edge("b.parameter.p", "a.parameter.q"))
    found_errors = errors(Config((STEP,), pipelines=(pipeline(*nodes, edges=edges),)))
    assert found_errors == {"cycle", "unknown-edge-parameter"}


def test_the_place_of_an_edge_fault_is_the_token_inside_its_text() -> None:
    edges = (edge("a.output.x", "bb.input.data"),)
    config = Config((STEP,), pipelines=(pipeline(ExecutionNode("a", "train"), edges=edges),))
    (place,) = [item.at for item in check(subject_of(config)) if item.rule == "unknown-edge-node"]
    assert place == Location((0, "pipeline", "bb.input.data"), "value", (0, 2))


def test_ten_thousand_nodes_with_typing_errors_are_checked_in_linear_time() -> None:
    count = 10_000
    nodes = tuple(ExecutionNode(f"node-{n}", "train" if n % 2 else "trian", at=(0, n)) for n in range(count))
    edges = tuple(
        edge(f"node-{n}.output.*", f"node-{n + 1 + shift}.input.data") for n in range(count) for shift in (0, 1)
    )
    config = Config((STEP,), pipelines=(pipeline(*nodes, edges=edges),))
    started = process_time()
    diagnostics = check(subject_of(config))
    assert process_time() - started < 10
    assert sum(item.rule == "unknown-step" for item in diagnostics) == MAX_OF_A_RULE


def test_a_long_cycle_does_not_reach_the_depth_of_the_stack() -> None:
    count = sys.getrecursionlimit() * 2
    nodes = tuple(ExecutionNode(f"n{n}", "train") for n in range(count))
    edges = tuple(edge(f"n{n}.output.*", f"n{(n + 1) % count}.input.data") for n in range(count))
    config = Config((STEP,), pipelines=(pipeline(*nodes, edges=edges),))
    (cycle,) = [item for item in check(subject_of(config)) if item.rule == "cycle"]
    assert "…" in cycle.message
    assert len(cycle.message) < 200


NAMES = st.sampled_from(["a", "b", "c", "a.b", ""])
ENDS = st.builds(
    lambda node, kind, key: EdgeEnd(node, kind, key, kind or "x", (0, "pipeline", "edges", 0)),
    NAMES,
    st.none() | st.sampled_from(EdgeKind),
    NAMES,
)
PARAMETERS = st.lists(st.builds(Parameter, NAMES, default=st.none() | st.integers() | st.just((1, "x"))), max_size=2)
INPUTS = st.lists(st.builds(Input, NAMES), max_size=2)
OVERRIDES = st.none() | st.builds(Override, parameters=PARAMETERS.map(tuple))
NODES = st.one_of(
    st.builds(ExecutionNode, NAMES, NAMES, override=OVERRIDES),
    st.builds(TaskNode, NAMES, task=NAMES, override=OVERRIDES),
    st.builds(TaskNode, NAMES, step=NAMES),
    st.builds(DeploymentNode, NAMES, NAMES, endpoints=st.lists(NAMES, max_size=2).map(tuple)),
)
TARGETED = st.builds(PipelineParameter, NAMES, st.lists(ENDS, max_size=2).map(tuple), st.none() | st.integers())
PIPELINES = st.builds(
    Pipeline,
    NAMES,
    st.lists(NODES, max_size=4).map(tuple),
    st.lists(st.builds(Edge, ENDS, ENDS), max_size=5).map(tuple),
    st.lists(TARGETED, max_size=2).map(tuple),
)
CONFIGS = st.builds(
    Config,
    st.lists(
        st.builds(Step, NAMES, NAMES, st.just(("run {parameters}",)), PARAMETERS.map(tuple), INPUTS.map(tuple)),
        max_size=3,
    ).map(tuple),
    st.lists(st.builds(Task, NAMES, NAMES), max_size=2).map(tuple),
    st.lists(PIPELINES, max_size=2).map(tuple),
    st.lists(st.builds(Endpoint, NAMES, NAMES), max_size=2).map(tuple),
)


@settings(max_examples=15)
@given(CONFIGS)
def test_any_file_can_be_checked_and_the_answer_is_the_same_twice(config: Config) -> None:
    diagnostics = check(subject_of(config))
    assert diagnostics == check(subject_of(config))
    assert {item.rule for item in diagnostics} <= set(SEVERITIES)
    assert all(item.message and not item.message.endswith(".") for item in diagnostics)
