"""How names are offered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.lsp.offers import Offer, as_written, offers
from vhpipe.lsp.typing_place import TypingPlace
from vhpipe.project.checked_file import check_text

TEXT = b"""
- step:
    name: train
    image: x
    command: y
    environment-variables: [{name: TOKEN}]
- endpoint:
    name: api
    image: x
    port: 80
    server-command: z
    files: [{name: model, path: m.bin}]
- pipeline:
    name: first
    nodes:
      - {name: a, type: execution, step: train, override: {inputs: [{name: extra}]}}
      - {name: b, type: deployment, deployment: d, endpoints: [api]}
    edges:
      - [a.metadata.loss, a.parameter.x]
- pipeline:
    name: second
    nodes:
      - {name: c, type: execution, step: nowhere}
    edges: []
"""


def offered(typed: TypingPlace) -> list[str]:
    loaded = check_text(TEXT, "valohai.yaml")
    return [offer.text for offer in offers(typed, loaded.config, loaded.graphs, ())]


def end(text: str, side: str = "source", other: str | None = None, pipeline: str | None = "first") -> list[str]:
    return offered(TypingPlace("edge-end", text, 1, "", "target" if side == "target" else "source", other, pipeline))


def test_nodes_are_those_of_the_pipeline_around_or_of_all_where_it_is_not_known() -> None:
    assert end("") == ["a", "b"]
    assert end("", pipeline="second") == ["c"]
    assert end("", pipeline=None) == ["a", "b", "c"]


def test_kinds_are_those_that_the_node_has_on_this_side() -> None:
    assert end("a.") == ["output", "input", "metadata", "environment-variable", "dependency"]
    assert end("b.") == ["deployment", "dependency"]
    assert end("b.", "target", "a.output.x") == ["file"]
    assert end("a.", "target", "a.dependency.x") == ["dependency"]
    assert end("nobody.") == []


def test_of_a_step_that_does_not_exist_nothing_is_ruled_out() -> None:
    assert "input" in end("c.", pipeline="second")
    assert end("c.input.", pipeline="second") == []


def test_keys_come_from_step_override_endpoint_and_other_edges() -> None:
    assert end("a.input.") == ["extra"]
    assert end("a.environment-variable.") == ["TOKEN"]
    assert end("a.metadata.") == ["loss"]
    assert end("b.deployment.") == ["id", "version_id"]
    assert end("b.file.", "target") == ["api.model"]


def test_a_pipeline_parameter_goes_into_parameters_only() -> None:
    assert offered(TypingPlace("parameter-target", "a.", 1, side="target", pipeline="first")) == ["parameter"]


def test_an_offer_stands_where_its_part_begins() -> None:
    loaded = check_text(TEXT, "valohai.yaml")
    (found,) = offers(TypingPlace("edge-end", "a.input.ex", 10, pipeline="first"), loaded.config, loaded.graphs, ())
    assert found == Offer("extra", "key", 18, "required")


@pytest.mark.parametrize(
    ("name", "in_flow", "written"),
    [
        ("Train model (v2)", True, "Train model (v2)"),
        ("a, b", False, "a, b"),
        ("a, b", True, '"a, b"'),
        ("yes", False, '"yes"'),
        ("12", False, '"12"'),
        ("a: b", False, '"a: b"'),
        ("# a", False, '"# a"'),
        ("é—𝄞", False, "é—𝄞"),
    ],
)
def test_a_name_is_quoted_where_yaml_would_read_something_else(name: str, in_flow: bool, written: str) -> None:
    assert as_written(name, in_flow) == written


@given(st.text(alphabet="ab01 .,:#-[]{}\"'\\&*!|>%@`~?é\t\n", min_size=1, max_size=8), st.booleans())
def test_what_is_written_is_read_as_the_name(name: str, in_flow: bool) -> None:
    written = as_written(name, in_flow)
    text = f"- {{step: {{name: {written}}}}}\n" if in_flow else f"- step:\n    name: {written}\n"
    document = check_text(text.encode(), "valohai.yaml").document
    assert document is not None
    assert document.data[0]["step"]["name"] == name
