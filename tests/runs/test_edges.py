"""Every kind of edge in whole runs."""

import json
from typing import Any

import pytest

STEPS = """
- step:
    name: make
    image: x
    command:
      - cd $VH_OUTPUTS_DIR && mkdir -p results/deep
      - echo model > results/model.pkl && echo deep > results/deep/model.pkl && echo csv > results/deep/table.csv
      - echo top > top.txt && echo '{}' > top.txt.metadata.json
- step:
    name: look
    image: x
    command: cd $VH_INPUTS_DIR && find . -type f | sort | sed 's/^..//' > $VH_OUTPUTS_DIR/seen.txt
    inputs:
      - {name: flat, optional: true}
      - {name: full, optional: true, keep-directories: full}
      - {name: suffix, optional: true, keep-directories: suffix}
      - {name: named, optional: true, filename: renamed.bin}
      - {name: default, optional: true, default: given.txt}
"""


def pipeline(nodes: str, *edges: str) -> str:
    listed = "".join(f"      - {edge}\n" for edge in edges)
    return f"- pipeline:\n    name: p\n    nodes: [{nodes}]\n    edges:\n{listed}"


def execution(name: str, step: str, more: str = "") -> str:
    return f"{{name: {name}, type: execution, step: {step}{more}}}"


def seen(project: Any, node: str, index: int = 0, run: int = 1) -> list[str]:
    return project.output(run, node, "seen.txt", index).read_text().splitlines()


def warnings(done: Any, node: str) -> str:
    return "\n".join(done.node(node).get("warnings", []))


def test_outputs_become_inputs_by_name_glob_and_folder(project: Any) -> None:
    project.write("given.txt", "given")
    yaml = STEPS + pipeline(
        ", ".join([execution("make", "make"), execution("look", "look"), execution("again", "look")]),
        "[make.output.*, look.input.flat]",
        "[make.output.results/*, look.input.full]",
        "[make.outputs.results/*/*, look.inputs.suffix]",  # the plural that the platform accepts
        "[make.output.*.csv, look.input.named]",
        "[make.output.top.txt, look.input.default]",
        "[look.input.f*, again.input.full]",
        "[look.input.default, again.input.default]",
        "{source: make.output.top.txt.metadata.json, target: again.input.flat, configuration: {hello: world}}",
    )
    done = project.run(yaml)
    assert done.code == 0, done.err
    assert seen(project, "look") == [
        "default/top.txt",
        "flat/model.pkl", "flat/table.csv", "flat/top.txt",
        "full/results/deep/model.pkl", "full/results/deep/table.csv", "full/results/model.pkl",
        "named/renamed.bin",
        "suffix/deep/model.pkl", "suffix/deep/table.csv",
    ]  # fmt: skip
    assert seen(project, "again") == [
        "default/top.txt",
        "flat/top.txt.metadata.json",
        "full/model.pkl",
        "full/results/deep/model.pkl", "full/results/deep/table.csv", "full/results/model.pkl",
        "full/table.csv", "full/top.txt",
    ]  # fmt: skip
    assert "`make: results/deep/model.pkl`, `make: results/model.pkl` all want the name `model.pkl`" in warnings(
        done, "look"
    )
    assert "plural-edge-kind" in project("validate").out


def test_edges_replace_or_join_the_defaults_of_an_input(project: Any) -> None:
    project.write("given.txt", "given")
    nodes = [execution("make", "make"), execution("replacing", "look")]
    nodes += [execution("joining", "look", ", edge-merge-mode: append"), execution("neither", "look")]
    nodes += [execution("cleared", "look", ", override: {inputs: [{name: default}]}")]
    targets = ("replacing", "joining")
    edges = [f"[make.output.{name}, {node}.input.default]" for node in targets for name in ("top.txt", "*.csv")]
    done = project.run(STEPS + pipeline(", ".join(nodes), *edges))
    assert done.code == 0, done.err
    assert seen(project, "replacing") == ["default/table.csv", "default/top.txt"]
    assert seen(project, "joining") == ["default/given.txt", "default/table.csv", "default/top.txt"]
    assert seen(project, "neither") == ["default/given.txt"]
    assert seen(project, "cleared") == []


SAME_NAMES = """
- step:
    name: train
    image: x
    command: echo {parameter-value:n} > $VH_OUTPUTS_DIR/model.tar.gz
    parameters: [{name: n, type: integer, default: 9}]
- step:
    name: pick
    image: x
    command: cd $VH_INPUTS_DIR/models && grep . * > $VH_OUTPUTS_DIR/seen.txt
    inputs: [{name: models}]
- pipeline:
    name: p
    nodes:
      - {name: train, type: task, step: train}
      - {name: single, type: execution, step: train}
      - {name: pick, type: execution, step: pick}
    edges:
      - [train.output.*, pick.input.models]
      - [single.output.*, pick.input.models]
"""


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("last", ["model.tar.gz:9"]),
        ("first", ["model.tar.gz:1"]),
        ("keep-all", ["model.0.tar.gz:1", "model.1.tar.gz:2", "model.tar.gz:9"]),
    ],
)
def test_files_of_one_name_are_chosen_by_policy_and_said(project: Any, policy: str, kept: list[str]) -> None:
    arguments = ("-p", "train.n=[1,2]", *(() if policy == "last" else ("--on-collision", policy)))
    done = project.run(SAME_NAMES, *arguments)
    assert done.code == 0, done.err
    found = seen(project, "pick")
    assert (found if len(kept) > 1 else [f"model.tar.gz:{found[0]}"]) == kept
    assert "`train#0: model.tar.gz`, `train#1: model.tar.gz`, `single: model.tar.gz` all want" in warnings(done, "pick")


def test_files_of_one_name_can_be_an_error(project: Any) -> None:
    done = project.run(SAME_NAMES, "-p", "train.n=[1,2]", "--on-collision", "error")
    assert (done.code, done.statuses()["pick"]) == (1, "error")
    assert "all want the name `model.tar.gz`" in done.node("pick")["because"]
    assert done.node("pick")["executions"] == []


VALUES = """
- step:
    name: source
    image: x
    command:
      - |
        echo '{"rate": 0.5, "rates": [0.1, 0.2], "names": ["a b", "c"], "deep": {"x": 1}, "on": "false", "null": null}'
      - |
        echo '{"rate": 0.25}'
        echo '{"rate": 99}' >&2
    parameters:
      - {name: name, default: "of the source"}
      - {name: count, type: integer, default: 3}
    environment-variables:
      - {name: FROM_SOURCE, default: value of source}
- step:
    name: sink
    image: x
    command: 'printf "%s\\n" {parameters} "$COPIED" > $VH_OUTPUTS_DIR/seen.txt'
    parameters:
      - {name: lr, type: float, default: 1.0}
      - {name: text, default: own}
      - {name: many, multiple: repeat, default: []}
      - {name: fast, type: flag, default: true}
    environment-variables:
      - {name: COPIED, default: not copied}
"""


def test_values_travel_from_metadata_parameters_and_variables(project: Any) -> None:
    nodes = [execution("source", "source"), execution("one", "sink"), "{name: many, type: task, step: sink}"]
    nodes.append(execution("last", "sink"))
    yaml = VALUES + pipeline(
        ", ".join(nodes),
        "[source.metadata.rate, one.parameter.lr]",
        "[source.parameter.name, one.parameters.text]",
        "[source.metadata.names, one.parameter.many]",
        "[source.metadata.on, one.parameter.fast]",
        "[source.environment-variable.FROM_SOURCE, one.environment-variable.COPIED]",
        "[source.metadata.rates, many.parameter.lr]",
        "[one.dependency.ready, many.dependency.ready]",
        "[many.parameter.lr, last.parameter.many]",  # a task brings the list of its children's
        "[source.metadata.null, last.parameter.text]",
        "[one.environment-variable.COPIED, last.environment-variable.COPIED]",
    )
    done = project.run(yaml, "-p", "source.name=it's")
    assert done.code == 0, done.err
    assert seen(project, "one") == ["--lr=0.25", "--text=it's", "--many=a b", "--many=c", "value of source"]
    assert done.node("one")["executions"][0]["parameters"]["fast"] is False
    assert seen(project, "many", 0) == ["--lr=0.1", "--text=own", "--fast", "not copied"]
    assert seen(project, "many", 1) == ["--lr=0.2", "--text=own", "--fast", "not copied"]
    assert seen(project, "last") == [
        "--lr=1.0", "--text=own", "--many=0.1", "--many=0.2", "--fast", "value of source",
    ]  # fmt: skip
    assert "`source.metadata.null -> last.parameter.text` brings no value: `null` of" in warnings(done, "last")


@pytest.mark.parametrize(
    ("edge", "because"),
    [
        ("[source.metadata.rates, one.parameter.lr]", "a list of 2 where one value is expected"),
        ("[source.metadata.deep, one.parameter.text]", "brings an object, which cannot be the value of a parameter"),
        ("[source.parameter.name, one.parameter.lr]", "`of the source` is not a floating-point number"),
        ("[source.output.*.bin, one.input.data]", "matches nothing: `source` has no outputs"),
    ],
)
def test_what_an_edge_cannot_bring_makes_its_node_an_error_before_it_starts(
    project: Any, edge: str, because: str
) -> None:
    yaml = VALUES + "    inputs: [{name: data}]\n" if "input" in edge else VALUES
    nodes = [execution("source", "source"), execution("one", "sink", ", on-error: retry")]
    done = project.run(yaml + pipeline(", ".join(nodes), edge))
    assert (done.code, done.statuses()) == (1, {"source": "complete", "one": "error"})
    assert because in done.node("one")["because"]
    assert done.node("one")["executions"] == []


def test_an_edge_that_matches_nothing_names_what_was_there(project: Any) -> None:
    yaml = STEPS.replace("{name: flat, optional: true}", "{name: flat}")
    nodes = [execution("make", "make"), execution("look", "look")]
    done = project.run(yaml + pipeline(", ".join(nodes), "[make.output.*.bin, look.input.flat]"))
    assert done.code == 1
    because = done.node("look")["because"]
    assert "`make.output.*.bin -> look.input.flat` matches nothing" in because
    assert "`results/model.pkl`" in because


def test_a_task_brings_the_metadata_of_its_completed_children(project: Any) -> None:
    yaml = """
- step:
    name: train
    image: x
    command: |
      score={parameter-value:n}
      test $score != 2 && echo "{\\"score\\": $score}"
    parameters: [{name: n, type: integer, default: 1}]
- step:
    name: use
    image: x
    command: echo {parameters} > $VH_OUTPUTS_DIR/seen.txt
    parameters: [{name: scores, type: integer, multiple: separate}, {name: score, type: integer, optional: true}]
- pipeline:
    name: p
    nodes:
      - {name: train, type: task, step: train, on-error: continue}
      - {name: all, type: execution, step: use}
      - {name: each, type: task, step: use, override: {parameters: [{name: scores, default: []}]}}
    edges:
      - [train.metadata.score, all.parameter.scores]
      - [train.metadata.score, each.parameter.score]
"""
    done = project.run(yaml, "-p", "train.n=[1,2,3]")
    assert done.code == 0, done.err
    assert seen(project, "all") == ["--scores=1,3"]
    assert [seen(project, "each", index) for index in (0, 1)] == [["--score=1"], ["--score=3"]]


DEPLOYMENT = """
- step: {name: train, image: x, command: 'mkdir $VH_OUTPUTS_DIR/m && echo model > $VH_OUTPUTS_DIR/m/best.pkl'}
- step:
    name: test
    image: x
    command: echo {parameters} > $VH_OUTPUTS_DIR/seen.txt
    parameters: [{name: version}, {name: id}]
- endpoint:
    name: predict
    image: x
    server-command: "true"
    files: [{name: model, path: models/model.pkl}, {name: labels, path: labels.json}]
- pipeline:
    name: p
    nodes:
      - {name: train, type: execution, step: train}
      - {name: deploy, type: deployment, deployment: digits, endpoints: [predict], aliases: [staging]}
      - {name: test, type: execution, step: test}
    edges:
      - [train.output.*best.pkl, deploy.file.predict.model]
      - [deploy.deployment.version_id, test.parameter.version]
      - [deploy.deployment.id, test.parameter.id]
"""


def test_a_deployment_takes_files_and_gives_its_version(project: Any) -> None:
    done = project.run(DEPLOYMENT)
    assert done.code == 0, done.err
    deployed = done.node("deploy")
    assert (deployed["aliases"], deployed["files"]) == (["staging"], ["predict/models/model.pkl"])
    (placed,) = (project.path / ".vhpipe/deployments").rglob("model.pkl")
    assert placed.read_text() == "model\n"
    (words,) = seen(project, "test")
    version, identifier = (word.partition("=")[2] for word in words.split())
    assert version != identifier
    (listed,) = json.loads(project("deployments", "--json").out)["deployments"]
    assert {version, identifier} <= set(map(str, listed.values()))
    assert listed["version"] == deployed["version"]


def test_an_argument_cuts_the_edge_in_whose_place_it_stands(project: Any) -> None:
    project.write("mine.txt", "mine")
    nodes = ", ".join([execution("make", "make"), execution("look", "look")])
    yaml = STEPS + pipeline(nodes, "[make.output.*.csv, look.input.default]", "[make.output.*.csv, look.input.flat]")
    done = project.run(yaml, "-i", "look.default=mine.txt")
    assert done.code == 0, done.err
    assert seen(project, "look") == ["default/mine.txt", "flat/table.csv"]
    assert "`-i look.default` replaces the edge `make.output.*.csv -> look.input.default`" in done.err


def test_an_edge_is_stronger_than_a_pipeline_parameter_and_weaker_than_an_argument(project: Any) -> None:
    nodes = [execution("source", "source"), execution("one", "sink"), execution("two", "sink")]
    edges = [f"[source.{kind}, {node}.parameter.{name}]" for node in ("one", "two") for kind, name in PRECEDENCE]
    yaml = VALUES + pipeline(", ".join(nodes), *edges)
    yaml += "    parameters: [{name: text, targets: [one.parameter.text, two.parameter.text], default: pipeline}]\n"
    done = project.run(yaml, "-p", "text=argument", "-p", "two.text=node")
    assert done.code == 0, done.err
    assert seen(project, "one")[:2] == ["--lr=0.25", "--text=of the source"]
    assert seen(project, "two")[:2] == ["--lr=0.25", "--text=node"]
    assert "`-p two.text` replaces the edge `source.parameter.name -> two.parameter.text`" in done.err


PRECEDENCE = (("metadata.rate", "lr"), ("parameter.name", "text"))


def test_an_empty_edge_is_no_fault_where_the_input_has_files_or_needs_none(project: Any) -> None:
    project.write("given.txt", "given")
    yaml = STEPS.replace("{name: default, optional: true, ", "{name: default, ")
    nodes = [execution("make", "make"), execution("look", "look", ", edge-merge-mode: append")]
    nodes.append("{name: task, type: task, step: look, override: {inputs: [{name: default, optional: true}]}}")
    nodes.append(execution("again", "look"))
    done = project.run(
        yaml + pipeline(
            ", ".join(nodes),
            "[make.output.*.bin, look.input.flat]",
            "[make.output.*.bin, look.input.default]",
            "[make.output.top.*, task.input.flat]",
            "[task.input.fla*, again.input.full]",
            "[look.input.default, again.input.default]",
        )
    )  # fmt: skip
    assert done.code == 0, done.err
    assert seen(project, "look") == ["default/given.txt"]
    assert seen(project, "task") == ["flat/top.txt"]
    assert seen(project, "again") == ["default/given.txt", "full/top.txt"]


SEARCHES = """
- task:
    name: grid
    step: sink
    parameters:
      - {name: lr, style: multiple, rules: {items: [7, 8, 9]}}
      - {name: text, style: multiple, rules: {items: [a, b]}}
- task:
    name: random
    step: sink
    type: random_search
    execution-count: 2
    parameters: [{name: text, style: multiple, rules: {items: [a, b]}}]
- task: {name: manual, step: sink, type: manual_search, parameter-sets: [{lr: 1}, {lr: 2}]}
"""


def test_a_list_replaces_in_a_grid_multiplies_a_random_search_and_is_refused_by_hand(project: Any) -> None:
    names = ("grid", "random", "manual")
    nodes = [execution("source", "source")]
    nodes += [f"{{name: {name}, type: task, task: {name}, on-error: stop-next}}" for name in names]
    edges = [f"[source.metadata.rates, {name}.parameter.lr]" for name in names]
    done = project.run(VALUES + SEARCHES + pipeline(", ".join(nodes), *edges))
    assert (done.code, done.statuses()["manual"]) == (1, "error")
    assert "a list cannot spread under `manual_search`" in done.node("manual")["because"]
    grid = [(each["parameters"]["lr"], each["parameters"]["text"]) for each in done.node("grid")["executions"]]
    assert grid == [(0.1, "a"), (0.1, "b"), (0.2, "a"), (0.2, "b")]
    random = [each["parameters"]["lr"] for each in done.node("random")["executions"]]
    assert random == [0.1, 0.1, 0.2, 0.2]
