"""One row for each kind of edge end, and the tables that have a row for it too."""

import ast
from pathlib import Path

import pytest

from vhpipe.config.edge_kinds import EDGE_KINDS, SLOTS, declared_items, kinds_of_node, option_text
from vhpipe.config.model import EdgeKind, Input, Parameter, Step
from vhpipe.schedule.binding.upstream import SOURCE_VALUES

PACKAGE = Path(__file__).parents[2] / "vhpipe"

SPELL_A_KIND = {
    # the table, the step's slots, and how each kind is bound
    "config/edge_kinds.py", "plan/arguments.py", "schedule/binding/upstream.py", "schedule/binding/inputs.py",
    "schedule/binding/edge_files.py", "schedule/binding/edge_values.py", "schedule/binding/reference_values.py",
    # rules and messages that are about one kind
    "rules/edges.py", "rules/endpoints.py", "rules/nodes.py", "rules/outputs.py", "rules/pipeline_parameters.py",
    "rules/references.py", "rules/unused.py", "rules/variation.py", "graph/references.py", "lsp/offers.py",
    # what a plan makes of parameters, inputs and variables
    "plan/compile.py", "plan/compile_references.py", "plan/edges.py", "plan/one_step_pipeline.py",
    "plan/required_values.py", "plan/secrets.py", "plan/swept_pipeline.py", "plan/unsafe_values.py",
    "views/plan_sets.py",
}  # fmt: skip


def test_every_kind_has_a_row() -> None:
    assert set(EDGE_KINDS) == set(EdgeKind)


def test_what_an_edge_goes_into_is_taken_by_some_node() -> None:
    taken = {*kinds_of_node(False, "takes"), *kinds_of_node(True, "takes")}
    assert {target for row in EDGE_KINDS.values() for target in row.fills} == taken


def test_every_kind_that_some_node_gives_goes_somewhere() -> None:
    given = {*kinds_of_node(False, "gives"), *kinds_of_node(True, "gives")}
    assert given == {kind for kind, row in EDGE_KINDS.items() if row.fills}


def test_every_kind_that_fills_a_parameter_can_be_read_when_the_node_starts() -> None:
    assert set(SOURCE_VALUES) == {kind for kind, row in EDGE_KINDS.items() if EdgeKind.PARAMETER in row.fills}


def test_slots_are_the_kinds_that_the_command_line_can_fill() -> None:
    assert set(SLOTS) == {kind for kind, row in EDGE_KINDS.items() if row.option is not None}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (EdgeKind.PARAMETER, "-p train.rate"),
        (EdgeKind.INPUT, "-i train.rate"),
        (EdgeKind.ENVIRONMENT_VARIABLE, "-e rate"),
        (EdgeKind.OUTPUT, None),
    ],
)
def test_an_option_is_named_as_it_is_typed(kind: EdgeKind, text: str | None) -> None:
    assert option_text(kind, "train", "rate") == text


def test_items_are_those_that_the_step_declares() -> None:
    step = Step("train", "python:3.12", (), inputs=(Input("images"),), parameters=(Parameter("rate"),))
    assert declared_items(step, EdgeKind.INPUT) == step.inputs
    assert declared_items(step, EdgeKind.PARAMETER) == step.parameters
    assert declared_items(step, EdgeKind.METADATA) is None


def test_no_further_module_decides_by_the_kind_of_an_edge() -> None:
    spelling = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if _spells_a_kind(path)}
    assert spelling <= SPELL_A_KIND


def _spells_a_kind(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EdgeKind"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
