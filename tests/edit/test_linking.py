"""Pipelines of scripts: edges only where the scripts show them."""

from vhpipe.document.spans import Document
from vhpipe.edit.linking import NO_EDGES, edges_between, with_pipeline
from vhpipe.edit.script import DeclaredName, Script, ScriptOutput


def making(*made: tuple[str, str]) -> Script:
    return Script(outputs=tuple(ScriptOutput(*each) for each in made))


def taking(*names: str) -> Script:
    return Script(inputs=tuple(map(DeclaredName, names)))


def test_an_edge_joins_an_output_and_the_input_of_its_name() -> None:
    steps = [
        ("a.b", making(("", "train_images.npy"), ("model", "m-*.pkl"), ("", "log"))),
        ("c", taking("train-images", "model", "x")),
    ]
    assert edges_between(steps) == [
        ("a-b.output.train_images.npy", "c.input.train-images"),
        ("a-b.output.model/m-*.pkl", "c.input.model"),
    ]


def test_the_nearest_step_before_gives_and_none_behind() -> None:
    steps = [("a", making(("m", "x"))), ("b", making(("m", "y"))), ("c", taking("m", "n")), ("d", making(("n", "z")))]
    assert edges_between(steps) == [("b.output.m/y", "c.input.m")]


def test_a_pipeline_without_edges_says_how_one_is_written() -> None:
    linked = with_pipeline(Document("x", "", []), "P", [("a", Script()), ("b", Script())])
    assert linked.edges == ()
    assert linked.text.endswith(f"        step: b\n    {NO_EDGES}\n")


def test_a_pipeline_that_is_there_stays() -> None:
    text = "- pipeline: {name: P, nodes: [], edges: []}\n"
    document = Document("x", text, [{"pipeline": {"name": "P", "nodes": [], "edges": []}}])
    assert with_pipeline(document, "P", [("a", Script())]) == (text, None)
