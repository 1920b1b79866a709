"""Blueprints of every type and lists that spread, as the executions that they become."""

from typing import Any

STEP = """
- step:
    name: train
    image: python:3.11
    command: echo {parameters} > $VH_OUTPUTS_DIR/seen.txt
    parameters:
      - {name: lr, type: float, default: 0.5}
      - {name: epochs, type: integer, default: 3}
      - {name: fast, type: flag}
      - {name: layers, type: integer, multiple: repeat, default: [1]}
"""


def parameters(done: Any, node: str) -> list[Any]:
    return [each["parameters"] for each in done.node(node)["executions"]]


def commands(project: Any, done: Any, node: str) -> list[str]:
    count = len(done.node(node)["executions"])
    return [project.output(done.json["run"], node, "seen.txt", index).read_text().strip() for index in range(count)]


GRID = """
- task:
    name: grid
    step: train
    type: grid-search
    parameters:
      - {name: lr, style: multiple, rules: {items: [1, 0.25]}}
      - {name: epochs, style: linear, rules: {start: 10, end: 30, step: 10}}
      - {name: fast, style: multiple, rules: {items: ["false"]}}
"""


def test_a_grid_runs_every_combination_and_its_flags_are_true_or_false(project: Any) -> None:
    done = project.run(STEP + GRID, "--task", "grid", "-p", "layers=[4,5]")
    assert done.code == 0, done.err
    found = [(each["lr"], each["epochs"], each["fast"], each["layers"]) for each in parameters(done, "grid")]
    assert found == [(lr, epochs, False, [4, 5]) for lr in (1, 0.25) for epochs in (10, 20, 30)]
    assert commands(project, done, "grid")[4] == "--lr=0.25 --epochs=20 --layers=4 --layers=5"


RANDOM = """
- task:
    name: random
    step: train
    type: random_search
    execution-count: 4
    parameters:
      - {name: lr, style: random, rules: {min: 0.1, max: 0.2, distribution: uniform}}
      - {name: epochs, style: random, rules: {min: 1, max: 1000, integerify: true}}
"""


def test_a_random_search_draws_the_same_from_the_same_seed(project: Any) -> None:
    first, again, other = (project.run(STEP + RANDOM, "--task", "random", "--seed", seed) for seed in ("7", "7", "8"))
    drawn = parameters(first, "random")
    assert parameters(again, "random") == drawn
    assert parameters(other, "random") != drawn
    assert len({each["lr"] for each in drawn}) == 4
    assert all(0.1 <= each["lr"] <= 0.2 and isinstance(each["epochs"], int) for each in drawn)


MANUAL = """
- task:
    name: manual
    step: train
    type: manual_search
    parameter-sets:
      - {lr: 0.1, epochs: 1, fast: "yes"}
      - {lr: 0.2, epochs: 2, fast: false}
"""


def test_a_manual_search_runs_its_rows(project: Any) -> None:
    done = project.run(STEP + MANUAL, "--task", "MAN")
    assert done.code == 0, done.err
    wanted = ["--lr=0.1 --epochs=1 --fast --layers=1", "--lr=0.2 --epochs=2 --layers=1"]
    assert commands(project, done, "manual") == wanted


PIPELINE = """
- pipeline:
    name: sweeps
    parameters:
      - {name: rates, targets: [listed.parameter.lr, one.parameter.lr]}
      - {name: deep, targets: [listed.parameters.layers, one.parameter.layers], default: [7, 8]}
    nodes:
      - {name: listed, type: task, step: train}
      - {name: one, type: execution, step: train}
    edges: []
"""


def test_a_list_spreads_over_a_task_and_is_refused_by_a_single_execution(project: Any) -> None:
    refused = project.run(STEP + PIPELINE, "-p", "rates=[0.1,0.2]")
    assert refused.code == 2
    assert "takes one value" in refused.err
    assert not (project.path / ".vhpipe").exists()
    done = project.run(STEP + PIPELINE, "-p", "listed.lr=[0.1,0.2]", "-p", "rates=0.9", "-p", "listed.epochs=[1,2]")
    assert done.code == 0, done.err
    found = [(each["lr"], each["epochs"], each["layers"]) for each in parameters(done, "listed")]
    assert found == [(0.1, 1, [7, 8]), (0.1, 2, [7, 8]), (0.2, 1, [7, 8]), (0.2, 2, [7, 8])]
    assert commands(project, done, "one") == ["--lr=0.9 --epochs=3 --layers=7 --layers=8"]


def test_a_file_of_parameters_is_weaker_than_the_command_line(project: Any) -> None:
    project.write("values.yaml", "rates: 0.7\none: {epochs: 9}\nlisted.fast: true\n")
    done = project.run(STEP + PIPELINE, "-P", "values.yaml", "-p", "rates=0.8")
    assert done.code == 0, done.err
    assert commands(project, done, "one") == ["--lr=0.8 --epochs=9 --layers=7 --layers=8"]
    assert commands(project, done, "listed") == ["--lr=0.8 --epochs=3 --fast --layers=7 --layers=8"]


def test_a_step_of_its_own_takes_parameters_by_name(project: Any) -> None:
    done = project.run(STEP, "--step", "TRAIN", "-p", "lr=1", "-p", "fast=true")
    assert done.code == 0, done.err
    assert commands(project, done, "train") == ["--lr=1 --epochs=3 --fast --layers=1"]
    assert [set(each) for each in parameters(done, "train")] == [{"lr", "epochs", "fast", "layers"}]


CONDITION = """
- pipeline:
    name: typed
    nodes:
      - name: a
        type: execution
        step: train
        actions: [{when: node-complete, if: parameter.lr > 0.5, then: stop-pipeline}]
      - {name: b, type: execution, step: train}
    edges: [[a.dependency.x, b.dependency.x]]
"""


def test_conditions_and_results_see_typed_values_whoever_gave_them(project: Any) -> None:
    done = project.run(STEP + CONDITION, "-p", "a.lr=0.9", "-p", "a.epochs=7")
    assert done.statuses() == {"a": "complete", "b": "skipped"}
    (seen,) = parameters(done, "a")
    assert (seen["lr"], seen["epochs"]) == (0.9, 7)
