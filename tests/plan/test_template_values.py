"""References at compile time: what is filled in at once, what waits for nodes, and what is stronger than they are."""

from typing import Any

import msgspec
import pytest

from vhpipe.config.model import EdgeKind
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.language.reference import ReferenceKind
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import Literal, Plan, PlannedExecution, PlannedReference, PlannedTask
from vhpipe.plan.one_step_pipeline import single_node
from vhpipe.sweep.parameter_sets import point, sweep_size

STEPS = """
- step:
    name: make
    image: python:3.11
    command: python make.py {parameters}
    parameters:
      - {name: rate, type: float, default: 0.5}
- step:
    name: use
    image: python:3.11
    command: python use.py {parameters}
    parameters:
      - {name: rate, type: float, default: 0.1}
      - {name: text, optional: true}
      - {name: many, multiple: repeat, optional: true}
    inputs:
      - {name: data, optional: true}
    environment-variables:
      - {name: MODE, default: slow}
- task:
    name: sweep
    step: use
    parameters:
      - {name: rate, style: multiple, rules: {items: [1.0, 2.0]}}
"""


EXECUTION = "type: execution, step: use"


def text_of(override: str, *, parameters: str = "[]", edges: str = "[]", node: str = EXECUTION) -> str:
    return (
        STEPS
        + f"""
- pipeline:
    name: main
    parameters: {parameters}
    nodes:
      - {{name: make, type: execution, step: make}}
      - {{name: use, {node}, override: {override}}}
    edges: {edges}
"""
    )


def compiled(text: str, **arguments: Any) -> Plan:
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert document is not None, faults
    config, diagnostics = read_config(document)
    assert not [item for item in diagnostics if item.severity == "error"], diagnostics
    return compile_plan(build_graph(config, config.pipelines[0]), Arguments(**arguments), "valohai.yaml")


def use(plan: Plan) -> PlannedExecution:
    node = plan.node("use")
    assert isinstance(node, PlannedExecution)
    return node


def with_text(value: str, default: str, **arguments: Any) -> Any:
    """What parameter `text` gets, with pipeline parameter `p` of this default."""
    override = f"{{parameters: [{{name: text, default: '{value}'}}]}}"
    plan = compiled(text_of(override, parameters=f"[{{name: p, default: {default}}}]"), **arguments)
    return use(plan).spec.values.get("text")


@pytest.mark.parametrize(
    ("value", "default", "filled"),
    [
        ("${pipeline.p}", "3", 3),
        ("${pipeline.p}", "true", True),
        ("${pipeline.p}", "0.25", 0.25),
        ("before ${pipeline.p} behind", "3", "before 3 behind"),
        ("${pipeline.p}-${pipeline.p}", "S", "S-S"),
        ("is ${pipeline.p}", "true", "is true"),
        ("$${pipeline.p}", "S", "${pipeline.p}"),
        ("$pipeline.p", "S", "$pipeline.p"),
        ("${HOME}", "S", "${HOME}"),
        ("${pipeline.p}", "'${pipeline.p}'", "${pipeline.p}"),
        ("${ pipeline.p }", "S", "S"),
    ],
)
def test_a_whole_reference_keeps_its_type_and_an_embedded_one_is_text(value: str, default: str, filled: object) -> None:
    found = with_text(value, default)
    assert (found, type(found)) == (filled, type(filled))


def test_an_unset_pipeline_parameter_leaves_an_optional_parameter_unset() -> None:
    override = "{parameters: [{name: text, default: '${pipeline.p}'}]}"
    assert "text" not in use(compiled(text_of(override, parameters="[{name: p}]"))).spec.values


def test_an_unset_pipeline_parameter_within_a_text_refuses_the_run() -> None:
    override = "{parameters: [{name: text, default: 'a ${pipeline.p}'}]}"
    with pytest.raises(UsageError, match=r"parameter `text` of node `use`: `\$\{pipeline.p\}` has no value"):
        compiled(text_of(override, parameters="[{name: p}]"))


def test_a_list_within_a_text_refuses_the_run() -> None:
    with pytest.raises(UsageError, match="is a list of 2, and only a single value fits into a string"):
        with_text("a ${pipeline.p}", "[1, 2]")


def test_an_argument_for_the_pipeline_parameter_goes_where_the_reference_is() -> None:
    assert with_text("a ${pipeline.p}", "S", pipeline_parameters={"p": "typed"}) == "a typed"


def test_a_list_fills_a_multiple_parameter_and_a_list_of_references_too() -> None:
    override = "{parameters: [{name: many, default: ['${pipeline.p}', 'x', '${pipeline.q}']}]}"
    parameters = "[{name: p, default: [1, 2]}, {name: q, default: y}]"
    assert use(compiled(text_of(override, parameters=parameters))).spec.values["many"] == (1, 2, "x", "y")


def test_a_value_that_does_not_fit_refuses_the_run_and_names_the_reference() -> None:
    override = "{parameters: [{name: rate, default: '${pipeline.p}'}]}"
    with pytest.raises(UsageError, match=r"`\$\{pipeline.p\}` does not fit parameter `rate` of node `use`"):
        compiled(text_of(override, parameters="[{name: p, default: fast}]"))


def test_inputs_and_variables_are_filled_too() -> None:
    override = (
        "{inputs: [{name: data, default: ['${pipeline.p}/a.csv', '${pipeline.files}', 'b.csv']}],"
        " environment-variables: [{name: MODE, default: '${pipeline.p}!'}, {name: NEW, default: '${pipeline.n}'}]}"
    )
    parameters = "[{name: p, default: 'https://x'}, {name: files, default: [c.csv, d.csv]}, {name: n, default: 3}]"
    spec = use(compiled(text_of(override, parameters=parameters))).spec
    assert spec.inputs[0].uris == ("https://x/a.csv", "c.csv", "d.csv", "b.csv")
    assert spec.environment_variables == {"MODE": Literal("https://x!"), "NEW": Literal("3")}


def test_what_speaks_of_a_node_waits_and_makes_a_dependency() -> None:
    override = "{parameters: [{name: rate, default: '${make.metadata.rate}'}, {name: text, default: 'a ${make.id}'}]}"
    plan = compiled(text_of(override))
    waiting = use(plan).references
    assert [(each.where, each.name, each.is_list) for each in waiting] == [
        (EdgeKind.PARAMETER, "rate", False),
        (EdgeKind.PARAMETER, "text", False),
    ]
    assert waiting[0].items[0][0].kind is ReferenceKind.METADATA  # type: ignore[index, union-attr]
    assert {"rate", "text"} & set(use(plan).spec.values) == set()
    assert [(edge.source, edge.target, edge.source_kind) for edge in plan.edges] == [
        ("make", "use", EdgeKind.DEPENDENCY)
    ]
    assert [node.name for node in plan.nodes] == ["make", "use"]


def test_a_reference_to_a_later_node_puts_that_node_first() -> None:
    text = (
        STEPS
        + """
- pipeline:
    name: main
    nodes:
      - name: use
        type: execution
        step: use
        override: {parameters: [{name: rate, default: "${make.metadata.rate}"}]}
      - {name: make, type: execution, step: make}
    edges: []
"""
    )
    assert [node.name for node in compiled(text).nodes] == ["make", "use"]


def test_of_an_input_only_what_waits_is_left_to_the_run() -> None:
    override = "{inputs: [{name: data, default: [a.csv, '${make.outputs[*.csv].url}']}]}"
    node = use(compiled(text_of(override)))
    assert node.spec.inputs[0].uris == ("a.csv",)
    assert [len(each.items) for each in node.references] == [1]


def test_a_plan_with_references_comes_back_from_json() -> None:
    override = "{parameters: [{name: many, default: ['${make.metadata.rate}', 3, 'a ${make.id}']}]}"
    plan = compiled(text_of(override))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
    assert isinstance(use(plan).references[0], PlannedReference)


# ── precedence ───────────────────────────────────────────────────────────────────────────────────────

OVERRIDE = "{parameters: [{name: rate, default: '${pipeline.p}'}]}"
WAITING = "{parameters: [{name: rate, default: '${make.metadata.rate}'}]}"


def test_a_reference_in_an_override_is_stronger_than_a_pipeline_parameter() -> None:
    parameters = "[{name: p, default: 7.0}, {name: q, default: 8.0, target: use.parameter.rate}]"
    assert use(compiled(text_of(OVERRIDE, parameters=parameters))).spec.values["rate"] == 7.0


def test_a_node_argument_takes_the_place_of_a_reference_and_of_its_dependency() -> None:
    plan = compiled(text_of(WAITING), node_parameters={"use": {"rate": "2"}})
    assert use(plan).spec.values["rate"] == "2"
    assert use(plan).references == ()
    assert plan.edges == ()
    assert plan.notices == ("`-p use.rate` replaces the reference `${make.metadata.rate}`",)


def test_an_input_argument_takes_the_place_of_a_reference() -> None:
    override = "{inputs: [{name: data, default: '${make.outputs[*].url}'}]}"
    plan = compiled(text_of(override), node_inputs={"use": {"data": ("x.csv",)}})
    assert use(plan).references == ()
    assert use(plan).spec.inputs[0].uris == ("x.csv",)


def test_a_variable_of_the_user_takes_the_place_of_a_reference() -> None:
    override = "{environment-variables: [{name: MODE, default: '${make.metadata.mode}'}]}"
    plan = compiled(text_of(override), environment_variables={"MODE": Literal("mine")})
    assert use(plan).references == ()
    assert use(plan).spec.environment_variables == {"MODE": Literal("mine")}
    assert plan.notices == ("`-e MODE` replaces the reference `${make.metadata.mode}`",)


def test_a_sweep_of_the_user_takes_the_place_of_a_reference() -> None:
    plan = compiled(text_of(WAITING, node="type: task, task: sweep"), swept={"use": {"rate": "`--sweep use.rate`"}})
    assert rates(plan) == [1.0, 2.0]
    assert plan.notices == ("`--sweep use.rate` replaces the reference `${make.metadata.rate}`",)


def test_an_edge_takes_the_place_of_a_reference() -> None:
    plan = compiled(text_of(WAITING, edges="[[make.parameter.rate, use.parameter.rate]]"))
    assert use(plan).references == ()
    assert "rate" not in use(plan).spec.values
    assert len(plan.edges) == 1


def test_with_append_an_input_has_both_the_edge_and_the_reference() -> None:
    override = "{inputs: [{name: data, default: '${make.outputs[a].url}'}]}"
    plan = compiled(
        text_of(
            override,
            edges="[[make.output.b, use.input.data]]",
            node="type: execution, step: use, edge-merge-mode: append",
        )
    )
    assert [each.name for each in use(plan).references] == ["data"]


def rates(plan: Plan) -> list[object]:
    node = plan.node("use")
    assert isinstance(node, PlannedTask)
    sweep = node.sweep
    return [({**node.spec.values, **point(sweep, index, 0)}).get("rate") for index in range(sweep_size(sweep))]


def test_a_reference_in_an_override_replaces_what_a_blueprint_varies() -> None:
    parameters = "[{name: p, default: 7.0}]"
    assert rates(compiled(text_of(OVERRIDE, parameters=parameters, node="type: task, task: sweep"))) == [7.0]


def test_a_list_that_a_reference_brings_spreads_in_a_task_node() -> None:
    parameters = "[{name: p, default: [7.0, 8.0, 9.0]}]"
    assert rates(compiled(text_of(OVERRIDE, parameters=parameters, node="type: task, step: use"))) == [7.0, 8.0, 9.0]


IN_STEP = STEPS.replace("type: float, default: 0.1", "type: float, default: '${pipeline.p}'")


def in_step(node: str, parameters: str, **arguments: Any) -> Plan:
    pipeline = f"""
- pipeline:
    name: main
    parameters: {parameters}
    nodes: [{{name: use, {node}}}]
    edges: []
"""
    return compiled(IN_STEP + pipeline, **arguments)


def test_a_reference_in_a_step_is_as_weak_as_a_default() -> None:
    parameters = "[{name: p, default: 7.0}]"
    assert rates(in_step("type: task, task: sweep", parameters)) == [1.0, 2.0]
    stronger = "[{name: p, default: 7.0}, {name: q, default: 8.0, target: use.parameter.rate}]"
    assert use(in_step("type: execution, step: use", stronger)).spec.values["rate"] == 8.0
    assert use(in_step("type: execution, step: use", parameters)).spec.values["rate"] == 7.0


def test_a_step_that_runs_alone_cannot_refer_to_others() -> None:
    document, _ = read_document(IN_STEP.encode(), "valohai.yaml")
    assert document is not None
    config, pipeline = single_node(read_config(document)[0], step="use")
    graph = build_graph(config, pipeline)
    with pytest.raises(UsageError, match=r"`\$\{pipeline.p\}` in node `use` refers to pipeline parameter `p`"):
        compile_plan(graph, Arguments(), "valohai.yaml")
    plan = compile_plan(graph, Arguments(node_parameters={"use": {"rate": "2"}}), "valohai.yaml")
    assert use(plan).spec.values["rate"] == "2"
