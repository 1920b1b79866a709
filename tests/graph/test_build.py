"""Graphs of configurations made by hand, faults included."""

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    Edge,
    EdgeEnd,
    EdgeKind,
    Endpoint,
    ExecutionNode,
    Override,
    Pipeline,
    Step,
    Task,
    TaskNode,
)
from vhpipe.graph.build import build_graph


def end(text: str) -> EdgeEnd:
    node, kind, key = text.split(".", 2)
    return EdgeEnd(node, EdgeKind(kind) if kind in list(EdgeKind) else None, key, kind)


def edge(source: str, target: str) -> Edge:
    return Edge(end(source), end(target))


STEP = Step(name="work", image="python:3.11", command=("python work.py",))


def test_neighbours_are_named_once_and_in_the_order_of_the_nodes() -> None:
    nodes = tuple(ExecutionNode(name=name, step="work") for name in "abc")
    edges = (edge("c.output.*", "b.input.x"), edge("a.output.*", "b.input.x"), edge("a.output.*", "b.input.y"))
    graph = build_graph(Config(steps=(STEP,)), Pipeline("p", nodes, edges))
    assert graph.upstream == {"a": (), "b": ("a", "c"), "c": ()}
    assert graph.downstream == {"a": ("b",), "b": (), "c": ("b",)}
    assert graph.edges_into["b"] == edges
    assert graph.order == ("a", "c", "b")


def test_an_edge_with_an_end_in_nowhere_is_not_in_the_graph() -> None:
    edges = (edge("a.output.*", "ghost.input.x"), edge("ghost.output.*", "a.input.x"))
    graph = build_graph(Config(steps=(STEP,)), Pipeline("p", (ExecutionNode("a", "work"),), edges))
    assert graph.edges == ()
    assert graph.pipeline.edges == edges


def test_an_edge_of_an_unknown_kind_still_orders_its_nodes() -> None:
    nodes = (ExecutionNode("b", "work"), ExecutionNode("a", "work"))
    graph = build_graph(Config(steps=(STEP,)), Pipeline("p", nodes, (edge("a.colour.red", "b.input.x"),)))
    assert graph.order == ("a", "b")


def test_the_step_of_a_blueprint_is_the_step_of_its_node() -> None:
    config = Config(steps=(STEP,), tasks=(Task("sweep", "work"),))
    node = TaskNode("t", task="sweep", override=Override(image="other"))
    graph = build_graph(config, Pipeline("p", (node,)))
    assert graph.tasks["t"] == Task("sweep", "work")
    assert graph.steps["t"] == STEP._replace(image="other")


def test_what_is_unknown_or_of_another_commit_is_none() -> None:
    nodes = (ExecutionNode("a", "ghost"), ExecutionNode("b", "work", commit="abc"), TaskNode("t", task="ghost"))
    graph = build_graph(Config(steps=(STEP,)), Pipeline("p", nodes))
    assert graph.steps == {"a": None, "b": None, "t": None}
    assert graph.tasks == {"t": None}


def test_a_deployment_has_the_endpoints_that_it_names_and_that_exist() -> None:
    config = Config(endpoints=(Endpoint("predict", "image"), Endpoint("other", "image")))
    graph = build_graph(config, Pipeline("p", (DeploymentNode("d", "live", endpoints=("predict", "ghost")),)))
    assert list(graph.endpoints["d"]) == ["predict"]
    assert graph.steps == {}


def test_of_equal_names_the_last_wins() -> None:
    other = STEP._replace(image="second")
    nodes = (ExecutionNode("a", "ghost"), ExecutionNode("a", "work"))
    graph = build_graph(Config(steps=(STEP, other)), Pipeline("p", nodes))
    assert graph.steps == {"a": other}
