"""Sweeps of the command line: what is typed, what it makes of a pipeline, and what is refused."""

import time
import tracemalloc
from typing import Any

import pytest

from vhpipe.config.model import Parameter, ParameterType, TaskType, Value
from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import Plan, PlannedExecution, PlannedTask
from vhpipe.plan.partial_run import Selectors, reduced_plan, select
from vhpipe.plan.runnable import runnable_problems
from vhpipe.plan.sweep_arguments import ParameterSetFile, SweepArguments, variation
from vhpipe.plan.swept_pipeline import refuse_lists, swept
from vhpipe.sweep.axes import Axis, axis_size, axis_value
from vhpipe.sweep.parameter_sets import point, sweep_size
from vhpipe.views.plan_text import plan_text

FILE = """
- step:
    name: learn
    image: x
    command: learn {parameters}
    parameters:
      - {name: lr, type: float, default: 0.1}
      - {name: epochs, type: integer, default: 1}
      - {name: fast, type: flag}
      - {name: tags, multiple: repeat, optional: true}
- step:
    name: look
    image: x
    command: look {parameters}
    parameters:
      - {name: best, type: float, default: 0}
      - {name: all, type: float, multiple: repeat, optional: true}
      - {name: epochs, type: integer, default: 1}
- task:
    name: tune
    step: learn
    parameters:
      - {name: lr, style: multiple, rules: {items: [1, 2, 3]}}
      - {name: epochs, style: multiple, rules: {items: [10, 20]}}
- task:
    name: rows
    step: learn
    type: manual_search
    parameter-sets: [{lr: 1, epochs: 10}, {lr: 2, epochs: 20}]
- deployment: {name: served, defaults: {target: t}}
- pipeline:
    name: p
    parameters:
      - {name: rate, default: 0.5, targets: [train.parameter.lr]}
    nodes:
      - {name: first, type: execution, step: look}
      - {name: train, type: execution, step: learn}
      - {name: grid, type: task, task: tune}
      - {name: sets, type: task, task: rows}
      - {name: plain, type: task, step: learn}
      - {name: eval, type: execution, step: look}
    edges:
      - [first.metadata.epochs, train.parameter.epochs]
      - [train.metadata.acc, eval.parameter.all]
"""


def graph_of(more_edges: str = "") -> tuple[Any, PipelineGraph]:
    return read(FILE + more_edges)


def read(text: str) -> tuple[Any, PipelineGraph]:
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert document is not None, faults
    config, diagnostics = read_config(document)
    assert not [item for item in diagnostics if item.severity == "error"], diagnostics
    return config, build_graph(config, config.pipelines[0])


def without(*lines: str) -> str:
    """The file without the lines that have one of the texts."""
    return "".join(line for line in FILE.splitlines(keepends=True) if not any(text in line for text in lines))


def planned(*ranges: str, more_edges: str = "", **more: Any) -> Plan:
    _config, graph = graph_of(more_edges)
    found = swept(graph, SweepArguments(ranges, **more))
    plan = compile_plan(found.graph, Arguments(swept=found.by), "valohai.yaml")
    refuse_lists(plan, found.by)
    return plan


def sets_of(plan: Plan, node: str) -> list[dict[str, Value]]:
    task = plan.node(node)
    assert isinstance(task, PlannedTask)
    return [point(task.sweep, index, plan.seed) for index in range(sweep_size(task.sweep))]


FLOAT = Parameter("x", ParameterType.FLOAT)
INTEGER = Parameter("x", ParameterType.INTEGER)
TEXT = Parameter("x")


def values_of(text: str, parameter: Parameter = FLOAT) -> tuple[Value, ...]:
    style, rules = variation(text, parameter)
    whole = parameter.type is ParameterType.INTEGER
    axis = Axis("x", style, rules._replace(integerify=whole))
    return tuple(axis_value(axis, index, 0) for index in range(axis_size(axis)))


@pytest.mark.parametrize(
    ("text", "parameter", "values"),
    [
        ("0.1,0.01", FLOAT, ("0.1", "0.01")),
        ("0.10", FLOAT, ("0.10",)),
        ("[0.1, 1e-4, yes, 'a,b']", TEXT, (0.1, "1e-4", True, "a,b")),
        ('["", a]', TEXT, ("", "a")),
        ("a b,c=d", TEXT, ("a b", "c=d")),
        ("host:8080", TEXT, ("host:8080",)),
        ("s3://a:1:2", TEXT, ("s3://a:1:2",)),
        ("[linear:0:1:1]", TEXT, ("linear:0:1:1",)),
        ("linear:0:1:0.25", FLOAT, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("linear:0:0.3:0.1", FLOAT, (0.0, 0.1, 0.2, 0.3)),
        ("linear:0:0.35:0.1", FLOAT, (0.0, 0.1, 0.2, 0.3)),
        ("linear:1:0:-0.5", FLOAT, (1.0, 0.5, 0.0)),
        ("linear:2:2:1", INTEGER, (2,)),
        ("linear:1:6:2", INTEGER, (1, 3, 5)),
        ("linear:1e1:3e1:10", INTEGER, (10, 20, 30)),
        ("linear:-3:3:3", INTEGER, (-3, 0, 3)),
        ("log:1e-4:1e-1:4", FLOAT, (0.0001, 0.001, 0.01, 0.1)),
        ("log:3e-4:3e-1:4", FLOAT, (0.0003, 0.003, 0.03, 0.3)),
        ("log:0.1:0.0001:4", FLOAT, (0.1, 0.01, 0.001, 0.0001)),
        ("log:7e-9:0.3:2", FLOAT, (7e-9, 0.3)),
        ("log:1:1000:4", INTEGER, (1, 10, 100, 1000)),
        ("log:2:2:1", FLOAT, (2.0,)),
    ],
)
def test_what_is_typed_gives_its_values(text: str, parameter: Parameter, values: tuple[Value, ...]) -> None:
    assert repr(values_of(text, parameter)) == repr(values)


def test_a_log_range_is_the_logspace_of_its_exponents() -> None:
    logspace = "style: logspace, rules: {start: -4, end: -1, count: 5}"
    _config, graph = read(FILE.replace("style: multiple, rules: {items: [1, 2, 3]}", logspace))
    plan = compile_plan(graph, Arguments(), "f")
    assert [each["lr"] for each in sets_of(plan, "grid")][::2] == list(values_of("log:1e-4:1e-1:5"))


@pytest.mark.parametrize(
    ("text", "parameter", "problem"),
    [
        ("1,,2", FLOAT, "an empty value"),
        ("[]", FLOAT, "empty list"),
        ("1,2,1", FLOAT, "`1` twice"),
        ("linear:0:1", FLOAT, "2 of 3 parts: linear:START:END:STEP"),
        ("linear:0:1:0", FLOAT, "never ends"),
        ("linear:1:0:0.1", FLOAT, "negative"),
        ("linear:0:1:-0.1", FLOAT, "positive"),
        ("linear:0:one:1", FLOAT, "the end `one`, which is not a number"),
        ("linear:0:1e999:1", FLOAT, "too large"),
        ("linear:0:nan:1", FLOAT, "not a number"),
        ("linear:0:1_0:1", FLOAT, "not a number"),
        ("linear::1:1", FLOAT, "the start ``"),
        ("linear:1:2:0.5", INTEGER, "the step `0.5`, which is not an integer"),
        ("log:0:1:3", FLOAT, "not above 0"),
        ("log:1:-1:3", FLOAT, "not above 0"),
        ("log:1:2:0", FLOAT, "not a whole number"),
        ("log:1:2:2.5", FLOAT, "not an integer"),
        ("log:1:2:1", FLOAT, "two ends and one value"),
        ("random:1:0", FLOAT, "above its maximum"),
        ("random:0.5:3", INTEGER, "`0.5`, which is not an integer"),
        ("lineer:0:1:0.1", FLOAT, "did you mean `linear`"),
        ("logspace:-4:-1:4", FLOAT, "did you mean `log`"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, parameter: Parameter, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        variation(text, parameter)


# ── which node ───────────────────────────────────────────────────────────────────────────────────


def test_an_execution_node_becomes_a_task_and_keeps_the_rest() -> None:
    plan = planned("train.lr=1,2", "train.epochs=linear:1:3:1")
    task = plan.node("train")
    assert isinstance(task, PlannedTask)
    assert (task.blueprint, task.sweep.type) == (None, TaskType.GRID)
    assert [tuple(each.values()) for each in sets_of(plan, "train")] == [
        ("1", 1), ("1", 2), ("1", 3), ("2", 1), ("2", 2), ("2", 3),
    ]  # fmt: skip
    assert isinstance(plan.node("first"), PlannedExecution)


def test_a_sweep_beats_pipeline_parameters_and_cuts_edges() -> None:
    plan = planned("train.lr=1,2", "train.epochs=3,4")
    assert [each["lr"] for each in sets_of(plan, "train")] == ["1", "1", "2", "2"]
    assert [str(edge) for edge in plan.edges] == ["train.metadata.acc -> eval.parameter.all"]
    told = "`--sweep train.epochs=3,4` replaces the edge `first.metadata.epochs -> train.parameter.epochs`"
    assert told in plan.notices


def test_a_parameter_needs_no_node_where_one_has_it() -> None:
    text = without("name: train", "name: plain", "name: sets", "name: rate", "train.")
    _, graph = read(text.replace("parameters:\n    nodes:", "nodes:").replace("edges:", "edges: []"))
    found = swept(graph, SweepArguments(("lr=5",)))
    assert found.by == {"grid": {"lr": "`--sweep lr=5`"}}


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("epochs=1,2", "nodes have a parameter `epochs`", "`first.epochs`, `train.epochs`"),
        ("trian.lr=1", "unknown parameter `trian.lr`", "did you mean `train.lr`?"),
        ("train.lrr=1", "node `train` has no parameter `lrr`", "did you mean `train.lr`?"),
        ("bests=1", "unknown parameter `bests`", "did you mean `best`?"),
        ("train.lr", "has no values", "NAME=linear:START:END:STEP"),
        ("=1", "names no parameter", "NAME="),
        ("train.lr=linear:0:1:0", "`--sweep train.lr=linear:0:1:0` for node `train` has the step 0", None),
        ("train.lr=a,b", "`--sweep train.lr=a,b` for node `train`: parameter `lr`: `a` is not a floating-point", None),
        ("train.lr=random:0:1", "`random_search` needs to know how many", "--count N"),
        ("grid.lr=random:0:1", "`random_search` needs to know how many", "--count N"),
        ("sets.lr=random:0:1", "has no values to list for `manual_search`", "--search random --count N"),
    ],
)
def test_a_sweep_that_fits_nothing_is_refused(typed: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        planned(typed)
    assert message in str(refused.value)
    assert hint is None or hint in (refused.value.hint or "")


def test_the_same_parameter_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="parameter `lr` of node `train` is swept twice"):
        planned("train.lr=1", "train.lr=2")


# ── over a blueprint ─────────────────────────────────────────────────────────────────────────────


def test_a_sweep_replaces_one_variation_of_a_blueprint_in_its_place() -> None:
    plan = planned("grid.lr=7", "grid.fast=true,false")
    assert sets_of(plan, "grid") == [
        {"lr": "7", "epochs": 10, "fast": "true"}, {"lr": "7", "epochs": 10, "fast": "false"},
        {"lr": "7", "epochs": 20, "fast": "true"}, {"lr": "7", "epochs": 20, "fast": "false"},
    ]  # fmt: skip
    task = plan.node("grid")
    assert isinstance(task, PlannedTask)
    assert task.blueprint == "tune"


def test_a_range_in_a_grid_makes_a_random_search_of_it() -> None:
    plan = planned("grid.lr=random:0:1", count=4)
    found = sets_of(plan, "grid")
    assert len(found) == 4
    assert all(0 <= each["lr"] <= 1 and each["epochs"] in (10, 20) for each in found)


def test_a_sweep_over_manual_sets_is_a_column_beside_them() -> None:
    plan = planned("sets.lr=8,9")
    assert sets_of(plan, "sets") == [{"lr": "8", "epochs": 10}, {"lr": "9", "epochs": 20}]
    with pytest.raises(UsageError, match="3 values beside 2 executions"):
        planned("sets.lr=7,8,9")


def test_manual_search_takes_lists_row_by_row() -> None:
    plan = planned("train.lr=1,2", "train.epochs=3,4", search="manual")
    assert sets_of(plan, "train") == [{"lr": "1", "epochs": "3"}, {"lr": "2", "epochs": "4"}]


def test_a_search_draws_what_is_counted_and_integers_for_integers() -> None:
    plan = planned("train.lr=random:0:1", "train.epochs=random:1:3", "train.fast=true,false", count=50)
    found = sets_of(plan, "train")
    assert len(found) == 50
    assert all(0 <= each["lr"] <= 1 for each in found)  # type: ignore[operator]
    assert {each["epochs"] for each in found} == {1, 2, 3}
    assert {each["fast"] for each in found} == {"true", "false"}


def test_the_kind_of_search_of_the_only_task_can_be_changed_alone() -> None:
    _, graph = read(without("name: sets", "name: plain"))
    found = swept(graph, SweepArguments(search="random", count=4))
    task = found.graph.tasks["grid"]
    assert task is not None
    assert (task.type, task.execution_count) == (TaskType.RANDOM, 4)
    with pytest.raises(UsageError, match="`--search`: it does not say what varies"):
        planned(search="random", count=4)


def test_a_bayesian_search_has_its_metric_and_target() -> None:
    plan = planned("train.lr=random:0:1", search="bayesian", count=9, metric="acc", target=0.9)
    task = plan.node("train")
    assert isinstance(task, PlannedTask)
    assert task.search is not None
    assert (task.search.metric, task.search.target, sweep_size(task.sweep)) == ("acc", 0.9, 9)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"count": 3}, "`--count` has no effect on `grid_search`"),
        ({"metric": "acc"}, "`--metric` has no effect on `grid_search`"),
        ({"target": 0.0}, "`--target` has no effect on `grid_search`"),
        ({"search": "random"}, "needs to know how many"),
        ({"search": "bayesian", "count": 3}, "needs a metric"),
    ],
)
def test_options_without_effect_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        planned("train.lr=1,2", **more)


# ── files of sets ────────────────────────────────────────────────────────────────────────────────


def rows(*sets: dict[str, Value], node: str | None = None) -> tuple[ParameterSetFile, ...]:
    return (ParameterSetFile("s.csv", tuple(tuple(each.items()) for each in sets), node),)


def test_sets_are_taken_row_by_row_for_the_node_they_name() -> None:
    plan = planned(sets=rows({"train.lr": "1", "epochs": "2"}, {"train.lr": "3", "epochs": "4"}))
    assert sets_of(plan, "train") == [{"lr": "1", "epochs": "2"}, {"lr": "3", "epochs": "4"}]
    replaced = planned(sets=rows({"lr": 5}, node="grid"))
    assert sets_of(replaced, "grid") == [{"lr": 5}]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (rows({"lr": "1"}), "fits the nodes `train`, `grid`, `sets`, `plain`"),
        (rows({"lr": "1", "best": "2"}), "no node has all of `lr`, `best`"),
        (rows({"train.lr": "1", "eval.best": "2"}), "fits the nodes `train`, `eval`"),
        (rows({"lx": "1"}), "unknown parameter `lx`"),
        (rows({"train.lr": "1"}, {"train.lr": "x"}), "`--sets s.csv` for node `train`, set 2: parameter `lr`: `x`"),
        (rows({"train.lr": "1"}, {"train.epochs": "1"}), "set 1: this set has no `epochs`"),
    ],
)
def test_sets_that_do_not_fit_are_refused(sets: tuple[ParameterSetFile, ...], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        planned(sets=sets)
    assert message in str(refused.value)


# ── what follows ─────────────────────────────────────────────────────────────────────────────────


def test_a_list_for_one_value_is_refused_before_the_start() -> None:
    edge = "      - [train.metadata.acc, eval.parameter.best]\n"
    with pytest.raises(UsageError, match="parameter `best` of node `eval` takes one value") as refused:
        planned("train.lr=1,2", more_edges=edge)
    assert refused.value.hint == "give one: -p eval.best=VALUE"
    spreading = planned("train.lr=1,2", "eval.epochs=1,2", more_edges=edge)
    assert isinstance(spreading.node("eval"), PlannedTask)


# ── a million ────────────────────────────────────────────────────────────────────────────────────


def test_a_grid_of_a_million_points_is_planned_without_listing_them() -> None:
    ranges = ("train.lr=linear:0.001:1:0.001", "train.epochs=linear:1:1000:1")
    planned(*ranges)  # imports and caches apart
    tracemalloc.start()
    started = time.perf_counter()
    plan = planned(*ranges)
    elapsed_s = time.perf_counter() - started
    chosen = reduced_plan(plan, select(plan, Selectors(until=("train",))))
    shown = plan_text(chosen)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "1,000,000 executions" in shown
    assert most_bytes < 4_000_000
    assert elapsed_s < 1.0  # with the file read, and every allocation traced
    task = chosen.node("train")
    assert isinstance(task, PlannedTask)
    assert point(task.sweep, 999_999, 0) == {"lr": 1.0, "epochs": 1000}


def test_more_than_a_million_executions_are_not_run() -> None:
    assert runnable_problems(planned("train.lr=linear:1:1000:1", "train.epochs=linear:1:1000:1"), 2) == ()
    [problem] = runnable_problems(planned("train.lr=linear:0:1:1e-9"), 2)
    assert problem == "node `train` has 1,000,000,001 executions; more than 1,000,000 are not run"
