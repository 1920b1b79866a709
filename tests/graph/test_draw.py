"""Drawings of one graph in every format, and of names that would break a careless one."""

import json

import pytest

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    Edge,
    EdgeEnd,
    EdgeKind,
    ExecutionNode,
    Pipeline,
    Step,
    Task,
    TaskNode,
)
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.graph.build import build_graph
from vhpipe.graph.draw import FORMATS, draw, layers
from vhpipe.graph.model import PipelineGraph


def edge(source: tuple[str, EdgeKind, str], target: tuple[str, EdgeKind, str]) -> Edge:
    return Edge(EdgeEnd(*source, source[1]), EdgeEnd(*target, target[1]))


def small_graph() -> PipelineGraph:
    config = Config(steps=(Step("work", "image", ("true",)),), tasks=(Task("sweep", "work"),))
    nodes = (
        ExecutionNode("make", "work"),
        TaskNode("train", task="sweep"),
        DeploymentNode("live", "service"),
    )
    edges = (
        edge(("make", EdgeKind.OUTPUT, "*.png"), ("train", EdgeKind.INPUT, "images")),
        edge(("train", EdgeKind.OUTPUT, "m.pkl"), ("live", EdgeKind.FILE, "predict.model")),
        edge(("make", EdgeKind.OUTPUT, "l.csv"), ("live", EdgeKind.FILE, "predict.labels")),
    )
    return build_graph(config, Pipeline("p", nodes, edges))


def hostile_graph() -> PipelineGraph:
    name = 'a"]; \\N <b>\x1b[31m`x`\u202e|'
    nodes = (ExecutionNode(name, "work\n}"), ExecutionNode("b", "end"))
    edges = (edge((name, EdgeKind.OUTPUT, '"*'), ("b", EdgeKind.INPUT, "|")),)
    return build_graph(Config(), Pipeline(name, nodes, edges))


def test_text_lists_the_nodes_with_the_edges_into_them() -> None:
    assert draw(small_graph(), "text") == """\
p: 3 nodes, 3 edges

make  (execution of work)

train  (task sweep over work)
  <- make.output.*.png  as input.images

live  (deployment to service)
  <- train.output.m.pkl  as file.predict.model
  <- make.output.l.csv   as file.predict.labels"""


def test_mermaid_tells_the_types_apart_by_shape() -> None:
    assert draw(small_graph(), "mermaid") == """\
flowchart TD
    n0["make<br/>execution of work"]
    n1[["train<br/>task sweep over work"]]
    n2(["live<br/>deployment to service"])
    n0 -->|"output #42;.png to input images"| n1
    n1 -->|"output m.pkl to file predict.model"| n2
    n0 -->|"output l.csv to file predict.labels"| n2"""


def test_dot_quotes_every_name() -> None:
    assert draw(small_graph(), "dot") == """\
digraph "p" {
    edge [fontsize=10];
    "make" [shape=box label="make\\nexecution of work"];
    "train" [shape=box3d label="train\\ntask sweep over work"];
    "live" [shape=oval label="live\\ndeployment to service"];
    "make" -> "train" [label="output *.png to input images"];
    "train" -> "live" [label="output m.pkl to file predict.model"];
    "make" -> "live" [label="output l.csv to file predict.labels"];
}"""


def test_json_has_a_schema_and_plain_objects() -> None:
    drawn = json.loads(draw(small_graph(), "json"))
    assert drawn["schema"] == 1
    assert drawn["order"] == ["make", "train", "live"]
    assert drawn["nodes"][1] == {
        "name": "train",
        "type": "task",
        "step": "work",
        "task": "sweep",
        "deployment": None,
        "layer": 1,
        "upstream": ["make"],
        "downstream": ["live"],
    }
    assert drawn["edges"][0] == {
        "source": {"node": "make", "kind": "output", "key": "*.png"},
        "target": {"node": "train", "kind": "input", "key": "images"},
    }


def test_a_layer_is_the_longest_way_to_a_node() -> None:
    assert layers(small_graph()) == {"make": 0, "train": 1, "live": 2}


@pytest.mark.parametrize("format_", FORMATS)
def test_no_name_steers_a_terminal(format_: str) -> None:
    assert all(character == "\n" or character.isprintable() for character in draw(hostile_graph(), format_))


def test_no_name_ends_its_quotes_in_mermaid() -> None:
    drawn = draw(hostile_graph(), "mermaid")
    assert [line.count('"') for line in drawn.splitlines()] == [0, 2, 2, 2]
    assert "#34;" in drawn


def test_no_name_ends_its_quotes_in_dot() -> None:
    first, *rest = draw(hostile_graph(), "dot").splitlines()
    quoted = first.removeprefix("digraph ").removesuffix(" {")
    assert quoted == r'"a\"]; \\N <b>\\x1b[31m`x`\\u202e|"'
    assert len(rest) == 5


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_cycle_blocks_is_drawn_too(format_: str) -> None:
    nodes = (ExecutionNode("alpha", "work"), ExecutionNode("beta", "work"))
    back = edge(("alpha", EdgeKind.OUTPUT, "*"), ("alpha", EdgeKind.INPUT, "x"))
    drawn = draw(build_graph(Config(), Pipeline("p", nodes, (back,))), format_)
    assert "alpha" in drawn
    assert "beta" in drawn


LINKED = """
- step: {name: make, image: i, command: make, parameters: [{name: rate, default: "${first.metadata.rate}"}]}
- step: {name: look, image: i, command: look}
- pipeline:
    name: main
    nodes:
      - {name: second, type: execution, step: make}
      - {name: first, type: execution, step: look}
      - {name: third, type: execution, step: look}
    edges: []
- vhpipe: {pipeline: main, nodes: {third: {after: [second, first]}}}
"""


def linked_graph() -> PipelineGraph:
    document, _ = read_document(LINKED.encode(), "valohai.yaml")
    assert document is not None
    config, diagnostics = read_config(document)
    assert diagnostics == ()
    return build_graph(config, config.pipelines[0])


def test_references_and_after_are_drawn_as_dependencies_without_data() -> None:
    graph = linked_graph()
    assert graph.order == ("first", "second", "third")
    assert layers(graph) == {"first": 0, "second": 1, "third": 2}
    lines = draw(graph, "text").splitlines()
    assert [line for line in lines if line.startswith("  <-")] == [
        "  <- first  by reference", "  <- second  before it", "  <- first  before it",
    ]  # fmt: skip
    assert 'n1 -.->|"by reference"| n0' in draw(graph, "mermaid")
    assert '"first" -> "second" [style=dashed label="by reference"];' in draw(graph, "dot")
    assert json.loads(draw(graph, "json"))["links"][0] == {
        "source": "first", "target": "second", "why": "by reference",
    }  # fmt: skip
