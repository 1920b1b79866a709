"""Plans of small files: which values, inputs and edges each node ends up with."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhpipe.config.model import EdgeKind, OnChildError, OnError, TaskType
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import (
    Literal,
    Plan,
    PlannedAction,
    PlannedDeployment,
    PlannedExecution,
    PlannedInput,
    PlannedTask,
)
from vhpipe.plan.one_step_pipeline import single_node
from vhpipe.plan.runnable import runnable_problems
from vhpipe.sweep.parameter_sets import point, sweep_size

STEPS = """
- step:
    name: make
    image: python:3.11
    command: python make.py
    inputs:
      - {name: raw, default: data/raw.csv}
- step:
    name: learn
    image: python:3.11
    command: python learn.py {parameters}
    parameters:
      - {name: lr, type: float, default: 0.1}
      - {name: seed, type: integer, default: 1}
      - {name: fast, type: flag, default: true}
      - {name: tags, multiple: repeat, default: base}
    inputs:
      - {name: images, default: data/images.zip}
    environment-variables:
      - {name: MODE, default: slow}
      - {name: EMPTY}
"""

SWEEP = """
- task:
    name: sweep
    step: learn
    on-child-error: continue-and-error
    maximum-queued-executions: 2
    parameters:
      - {name: lr, style: multiple, rules: {items: [0.01, 0.02]}}
      - {name: seed, style: multiple, rules: {items: [1, 2, 3]}}
"""


def pipeline(nodes: str, edges: str = "[]", parameters: str = "[]", more: str = "") -> str:
    return (
        STEPS
        + f"""
- pipeline:
    name: p
    {more}
    parameters: {parameters}
    nodes: {nodes}
    edges: {edges}
"""
    )


def compiled(text: str, **arguments: Any) -> Plan:
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert document is not None, faults
    config, diagnostics = read_config(document)
    assert not [item for item in diagnostics if item.severity == "error"], diagnostics
    graph = build_graph(config, config.pipelines[0])
    return compile_plan(graph, Arguments(**arguments), "valohai.yaml")


def execution(plan: Plan, name: str = "n") -> PlannedExecution:
    node = plan.node(name)
    assert isinstance(node, PlannedExecution)
    return node


def task(plan: Plan, name: str = "n") -> PlannedTask:
    node = plan.node(name)
    assert isinstance(node, PlannedTask)
    return node


def sets(plan: Plan, name: str = "n") -> list[dict[str, Any]]:
    node = task(plan, name)
    return [{**node.spec.values, **point(node.sweep, index, 0)} for index in range(sweep_size(node.sweep))]


def values_of(plan: Plan, name: str, parameter: str) -> list[Any]:
    return [values.get(parameter) for values in sets(plan, name)]


LEARN = "[{name: n, type: execution, step: learn}]"
TASK = "[{name: n, type: task, step: learn}]"
BLUEPRINT = "[{name: n, type: task, task: sweep}]"
TO_LR = "[{name: rate, target: n.parameter.lr, default: DEFAULT}]"


# ── values ───────────────────────────────────────────────────────────────────────────────────────


def test_defaults_are_the_values_those_of_flags_too() -> None:
    values = execution(compiled(pipeline(LEARN))).spec.values
    assert values == {"lr": 0.1, "seed": 1, "fast": True, "tags": ("base",)}


def test_numbers_that_are_typed_stay_as_typed() -> None:
    plan = compiled(pipeline(LEARN), node_parameters={"n": {"lr": "1e-3", "seed": "007"}})
    assert execution(plan).spec.values["lr"] == "1e-3"
    assert execution(plan).spec.values["seed"] == "007"


@pytest.mark.parametrize(("typed", "value"), [("false", False), ("No", False), ("1", True), ("on", True)])
def test_a_typed_flag_is_true_or_false(typed: str, value: bool) -> None:
    plan = compiled(pipeline(LEARN), node_parameters={"n": {"fast": typed}})
    assert execution(plan).spec.values["fast"] is value


def test_one_value_of_a_multiple_parameter_is_a_list_of_one() -> None:
    plan = compiled(pipeline(LEARN), node_parameters={"n": {"tags": "x"}})
    assert execution(plan).spec.values["tags"] == ("x",)


def test_a_list_for_a_multiple_parameter_is_its_value() -> None:
    plan = compiled(pipeline(TASK), node_parameters={"n": {"tags": ("x", "y")}})
    assert sets(plan) == [{"lr": 0.1, "seed": 1, "fast": True, "tags": ("x", "y")}]


def test_a_pipeline_parameter_without_default_and_argument_is_unset() -> None:
    plan = compiled(pipeline(LEARN, parameters="[{name: rate, target: n.parameter.lr}]"))
    assert execution(plan).spec.values["lr"] == 0.1


def test_a_pipeline_parameter_reaches_all_of_its_targets() -> None:
    nodes = "[{name: a, type: execution, step: learn}, {name: b, type: task, step: learn}]"
    parameters = "[{name: rate, targets: [a.parameter.lr, b.parameters.lr], default: 0.7}]"
    plan = compiled(pipeline(nodes, parameters=parameters))
    assert execution(plan, "a").spec.values["lr"] == 0.7
    assert values_of(plan, "b", "lr") == [0.7]


# ── precedence ───────────────────────────────────────────────────────────────────────────────────

OVERRIDE = "override: {parameters: [{name: lr, default: 0.2}]}"
LEVELS: list[tuple[str, float]] = [
    ("step default", 0.1),
    ("override", 0.2),
    ("blueprint variant", 0.3),
    ("pipeline parameter default", 0.4),
    ("pipeline parameter argument", 0.5),
    ("edge", 0.6),
    ("node argument", 0.7),
]
"""Weakest first, each with the value that it gives."""


def plan_with(levels: set[str]) -> Plan:
    """A plan in which each of the levels says something about the parameter `lr` of the node `n`."""
    override = f", {OVERRIDE}" if "override" in levels else ""
    variant = "- {name: lr, style: single, rules: {value: 0.3}}" if "blueprint variant" in levels else "[]"
    blueprint = f"\n- task:\n    name: one\n    step: learn\n    parameters:\n      {variant}\n"
    default = ", default: 0.4" if "pipeline parameter default" in levels else ""
    nodes = f"[{{name: s, type: execution, step: learn}}, {{name: n, type: task, task: one{override}}}]"
    edges = "[[s.metadata.lr, n.parameter.lr]]" if "edge" in levels else "[]"
    text = pipeline(nodes, edges, f"[{{name: rate, target: n.parameter.lr{default}}}]") + blueprint
    return compiled(
        text,
        pipeline_parameters={"rate": 0.5} if "pipeline parameter argument" in levels else {},
        node_parameters={"n": {"lr": 0.7}} if "node argument" in levels else {},
    )


def value_in(plan: Plan) -> float:
    """What `lr` will be: an edge in force is as if it brought 0.6."""
    if any(edge.target_key == "lr" for edge in plan.edges):
        return 0.6
    [value] = values_of(plan, "n", "lr")
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize("stronger", range(1, len(LEVELS)))
def test_of_two_neighbouring_levels_the_stronger_gives_the_value(stronger: int) -> None:
    levels = {LEVELS[stronger - 1][0], LEVELS[stronger][0]}
    assert value_in(plan_with(levels)) == LEVELS[stronger][1]


@given(st.sets(st.sampled_from(range(1, len(LEVELS)))))
def test_of_any_levels_the_strongest_gives_the_value(stronger: set[int]) -> None:
    strongest = max(stronger, default=0)
    assert value_in(plan_with({LEVELS[level][0] for level in stronger})) == LEVELS[strongest][1]


def test_a_value_weaker_than_an_edge_stays_for_when_the_edge_brings_none() -> None:
    plan = plan_with({"pipeline parameter argument", "edge"})
    assert values_of(plan, "n", "lr") == [0.5]


# ── edges that arguments cut ─────────────────────────────────────────────────────────────────────

TWO = "[{name: a, type: execution, step: make}, {name: n, type: execution, step: learn}]"


def test_a_node_argument_cuts_the_edge_and_says_so() -> None:
    edges = "[[a.metadata.lr, n.parameter.lr], [a.metadata.seed, n.parameter.seed]]"
    plan = compiled(pipeline(TWO, edges), node_parameters={"n": {"lr": 0.5}})
    assert [(edge.index, edge.target_key) for edge in plan.edges] == [(1, "seed")]
    assert plan.notices == ("`-p n.lr` replaces the edge `a.metadata.lr -> n.parameter.lr`",)


def test_an_input_argument_cuts_every_edge_into_the_input() -> None:
    edges = "[[a.output.x, n.input.images], [a.output.y, n.input.images]]"
    plan = compiled(pipeline(TWO, edges), node_inputs={"n": {"images": ("my.zip",)}})
    assert plan.edges == ()
    assert len(plan.notices) == 2
    assert execution(plan).spec.inputs == (PlannedInput("images", ("my.zip",), relative_to="cwd"),)


def test_a_pipeline_parameter_does_not_cut_an_edge() -> None:
    text = pipeline(TWO, "[[a.metadata.lr, n.parameter.lr]]", "[{name: rate, target: n.parameter.lr}]")
    assert len(compiled(text, pipeline_parameters={"rate": 0.5}).edges) == 1


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────


def test_an_edge_replaces_the_default_of_an_input() -> None:
    plan = compiled(pipeline(TWO, "[[a.output.*, n.input.images]]"))
    assert execution(plan).spec.inputs[0].uris == ()
    assert execution(plan, "a").spec.inputs[0].uris == ("data/raw.csv",)


def test_under_append_the_default_stays_beside_the_edge() -> None:
    nodes = TWO.replace("step: learn", "step: learn, edge-merge-mode: append")
    plan = compiled(pipeline(nodes, "[[a.output.*, n.input.images]]"))
    assert execution(plan).spec.inputs == (PlannedInput("images", ("data/images.zip",)),)


def test_several_files_can_be_given_for_one_input() -> None:
    plan = compiled(pipeline(LEARN), node_inputs={"n": {"images": ("a.zip", "b.zip")}})
    assert execution(plan).spec.inputs[0].uris == ("a.zip", "b.zip")


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_over_a_step_is_one_execution() -> None:
    plan = compiled(pipeline(TASK))
    assert values_of(plan, "n", "lr") == [0.1]
    assert task(plan).blueprint is None


def test_a_blueprint_brings_its_sweep_and_its_policy() -> None:
    node = task(compiled(pipeline(BLUEPRINT) + SWEEP))
    assert sweep_size(node.sweep) == 6
    assert (node.blueprint, node.on_child_error) == ("sweep", OnChildError.CONTINUE_AND_ERROR)
    assert node.maximum_queued_executions == 2


@pytest.mark.parametrize(
    "arguments",
    [{"node_parameters": {"n": {"lr": (0.5, 0.6)}}}, {"pipeline_parameters": {"rate": (0.5, 0.6)}}],
)
def test_a_list_for_a_task_makes_one_execution_per_element(arguments: dict[str, Any]) -> None:
    text = pipeline(TASK, parameters="[{name: rate, target: n.parameter.lr}]")
    assert values_of(compiled(text, **arguments), "n", "lr") == [0.5, 0.6]


def test_the_list_default_of_a_pipeline_parameter_spreads_too() -> None:
    plan = compiled(pipeline(TASK, parameters=TO_LR.replace("DEFAULT", "[1, 2, 3]")))
    assert values_of(plan, "n", "lr") == [1, 2, 3]


def test_a_list_takes_the_place_of_the_variant_under_grid() -> None:
    plan = compiled(pipeline(BLUEPRINT) + SWEEP, node_parameters={"n": {"lr": ("7", "8", "9")}})
    assert len(sets(plan)) == 9
    assert set(values_of(plan, "n", "lr")) == {"7", "8", "9"}


def test_a_single_value_takes_the_place_of_the_variant() -> None:
    plan = compiled(pipeline(BLUEPRINT) + SWEEP, node_parameters={"n": {"lr": "7"}})
    assert values_of(plan, "n", "lr") == ["7"] * 3


def test_the_stronger_of_a_list_and_a_value_is_the_only_one_applied() -> None:
    text = pipeline(TASK, parameters=TO_LR.replace("DEFAULT", "[1, 2, 3]"))
    assert values_of(compiled(text, node_parameters={"n": {"lr": "7"}}), "n", "lr") == ["7"]
    assert values_of(compiled(text, node_parameters={"n": {"lr": ("7", "8")}}), "n", "lr") == ["7", "8"]


@pytest.mark.parametrize("kind", ["manual_search", "bayesian_tpe", "distributed"])
def test_a_list_cannot_vary_a_search_that_has_its_own_sets(kind: str) -> None:
    blueprint = f"""
- task:
    name: sweep
    step: learn
    type: {kind}
    execution-count: 3
    parameters: []
    parameter-sets: [{{lr: 1}}, {{lr: 2}}]
"""
    with pytest.raises(UsageError, match=r"`-p n\.lr` cannot vary parameter `lr` of node `n`"):
        compiled(pipeline(BLUEPRINT) + blueprint, node_parameters={"n": {"lr": (1, 2)}})


def test_a_search_that_cannot_know_what_is_better_is_said() -> None:
    blueprint = SWEEP.replace("step: learn", "step: learn\n    type: bayesian_tpe\n    execution-count: 5")
    plan = compiled(pipeline(BLUEPRINT) + blueprint)
    assert task(plan).sweep.type is TaskType.BAYESIAN
    [problem] = runnable_problems(plan, 4)
    what = "task `sweep` of node `n` searches without a metric"
    assert problem == f"{what}; name it by `--metric` or `optimization-target-metric`"
    assert runnable_problems(compiled(pipeline(BLUEPRINT) + SWEEP), 1) == ()


# ── nodes, policies, actions ─────────────────────────────────────────────────────────────────────


def test_nodes_stand_in_the_order_they_can_run() -> None:
    nodes = "[{name: b, type: execution, step: learn}, {name: a, type: execution, step: make}]"
    plan = compiled(pipeline(nodes, "[[a.output.*, b.input.images]]"))
    assert [node.name for node in plan.nodes] == ["a", "b"]


def test_policies_and_limits_are_taken_over() -> None:
    text = pipeline(LEARN.replace("step: learn", "step: learn, on-error: stop-next")).replace(
        "command: python learn.py {parameters}", "command: python learn.py\n    time-limit: 1h"
    )
    node = execution(compiled(text))
    assert node.on_error is OnError.STOP_NEXT
    assert node.spec.time_limit_s == 3600


def test_environment_variables_with_a_value_are_literals() -> None:
    assert execution(compiled(pipeline(LEARN))).spec.environment_variables == {"MODE": Literal("slow")}


@pytest.mark.parametrize(("name", "option"), [("MODEL", "-e MODEL=VALUE"), ("API_TOKEN", "-e API_TOKEN")])
def test_a_required_variable_without_a_value_refuses_with_the_option_that_gives_it(name: str, option: str) -> None:
    text = pipeline(LEARN).replace("{name: EMPTY}", f"{{name: {name}, optional: false}}")
    with pytest.raises(UsageError, match=f"environment-variable `{name}` of node `n`") as refused:
        compiled(text)
    assert refused.value.hint == option
    given = execution(compiled(text, environment_variables={name: Literal("x")}))
    assert given.spec.environment_variables[name] == Literal("x")


def test_a_plan_read_back_from_json_is_the_same() -> None:
    plan = compiled(pipeline(BLUEPRINT, parameters=TO_LR.replace("DEFAULT", "[1, 2.5]")) + SWEEP)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_words_that_mean_nothing_are_dropped_from_actions() -> None:
    actions = (
        "actions: [{when: [node-complete, someday], if: metadata.x > 1, then: [stop-pipeline, dance]},"
        " {when: someday, then: stop-pipeline}]"
    )
    plan = compiled(pipeline(LEARN.replace("step: learn", f"step: learn, {actions}")))
    assert execution(plan).actions == (PlannedAction(("node-complete",), ("stop-pipeline",), ("metadata.x > 1",)),)


def test_a_deployment_has_its_endpoints_and_the_edges_into_their_files() -> None:
    nodes = (
        "[{name: a, type: execution, step: make}, "
        "{name: d, type: deployment, deployment: live, endpoints: [predict], aliases: [prod]}]"
    )
    endpoint = """
- endpoint:
    name: predict
    image: python:3.11
    server-command: python serve.py
    files: [{name: model, path: model.pkl}]
"""
    plan = compiled(pipeline(nodes, "[[a.output.m, d.file.predict.model]]") + endpoint)
    node = plan.node("d")
    assert isinstance(node, PlannedDeployment)
    assert [(file.name, file.path) for file in node.endpoints[0].files] == [("model", "model.pkl")]
    assert (node.aliases, plan.edges[0].target_kind) == (("prod",), EdgeKind.FILE)
    assert plan.edges[0].target_key == "predict.model"


def test_what_this_machine_does_not_honour_is_said_once_per_kind() -> None:
    nodes = (
        "[{name: a, type: execution, step: make, override: {image: other}}, "
        "{name: b, type: execution, step: learn, override: {environment: gpu}}]"
    )
    plan = compiled(pipeline(nodes))
    assert plan.ignored == (
        "image: commands run on this machine, not in `other`, `python:3.11`; `--in docker` and `--in podman` honour it",
        "environment of `b`: all executions run on this machine",
    )


# ── a step or task alone ─────────────────────────────────────────────────────────────────────────


def single(text: str, *, step: str | None = None, task: str | None = None, **arguments: Any) -> Plan:
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, _ = read_config(document)
    config, alone = single_node(config, step=step, task=task)
    return compile_plan(build_graph(config, alone), Arguments(**arguments), "valohai.yaml")


def test_a_step_alone_takes_parameters_without_the_name_of_a_node() -> None:
    plan = single(STEPS, step="learn", pipeline_parameters={"lr": "5"})
    assert execution(plan, "learn").spec.values["lr"] == "5"
    assert plan.pipeline == "learn"


def test_a_task_alone_is_its_sweep() -> None:
    assert len(sets(single(STEPS + SWEEP, task="sweep"), "sweep")) == 6
    assert len(sets(single(STEPS + SWEEP, task="sweep", pipeline_parameters={"lr": (1, 2, 3)}), "sweep")) == 9


def test_an_unknown_step_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown step `lern`") as caught:
        single(STEPS, step="lern")
    assert caught.value.hint == "did you mean `learn`?"
