"""Sweeps that nobody wrote into the file: an execution node becomes a task, and what follows gets its lists."""

import json
from typing import Any

import pytest

TRAIN = {
    "command": """echo "{\\"acc\\": $VH_PARAM_LR, \\"epochs\\": $VH_PARAM_EPOCHS}" """,
    "parameters": [
        {"name": "lr", "type": "float", "default": 0.5},
        {"name": "epochs", "type": "integer", "default": 1},
    ],
}
LOOK = {
    "command": "echo {parameters}",
    "parameters": [{"name": "accs", "type": "float", "multiple": "separate", "optional": True}],
}


@pytest.fixture
def swept(project: Any) -> Any:
    project.pipeline({"train": TRAIN, "look": LOOK}, [["train.metadata.acc", "look.parameter.accs"]])
    return project


def sets_of(done: Any, node: str = "train") -> list[tuple[Any, ...]]:
    assert done.code == 0, done.err
    return [tuple(execution["parameters"].values()) for execution in done.node(node)["executions"]]


def test_an_execution_node_becomes_a_task_and_what_follows_gets_lists(swept: Any) -> None:
    done = swept("run", "--sweep", "train.lr=0.1,0.01", "--sweep", "epochs=linear:1:5:2", "--json")
    assert sets_of(done) == [(0.1, 1), (0.1, 3), (0.1, 5), (0.01, 1), (0.01, 3), (0.01, 5)]
    assert sets_of(done, "look") == [([0.1] * 3 + [0.01] * 3,)]


def test_a_step_alone_can_be_swept(swept: Any) -> None:
    done = swept("run", "--step", "train", "--sweep", "lr=log:0.001:0.1:3", "--json")
    assert [lr for lr, _ in sets_of(done)] == [0.001, 0.01, 0.1]


def test_random_draws_are_those_that_expanding_shows(swept: Any) -> None:
    words = ("--sweep", "train.lr=random:0:1", "--sweep", "epochs=random:1:9", "--count", "4", "--seed", "3", "--json")
    shown = [tuple(json.loads(line).values()) for line in swept("sweep", "expand", *words).out.splitlines()]
    assert sets_of(swept("run", *words)) == shown
    assert len(set(shown)) == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sets.csv", "lr,epochs\n0.25,2\n\n0.75,3\n"),
        ("sets.json", '[{"lr": 0.25, "epochs": 2}, {"lr": 0.75, "epochs": 3}]'),
        ("sets.jsonl", '{"lr": 0.25, "epochs": 2}\n{"lr": 0.75, "epochs": 3}\n'),
        ("sets.yaml", "- {lr: 0.25, epochs: 2}\n- {lr: 0.75, epochs: 3}\n"),
    ],
)
def test_sets_come_from_a_file(swept: Any, name: str, text: str) -> None:
    swept.write(name, text)
    done = swept("run", "--sets", f"train={name}", "--json")
    assert sets_of(done) == [(0.25, 2), (0.75, 3)]


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_what_expanding_prints_can_be_given_back(swept: Any, form: str) -> None:
    expanded = swept("sweep", "expand", "--sweep", "train.lr=0.1,0.2", "--sweep", "epochs=1,2", form)
    assert expanded.code == 0, expanded.err
    swept.write("sets.csv" if form == "--csv" else "sets.jsonl", expanded.out)
    done = swept("run", "--sets", "sets.csv" if form == "--csv" else "sets.jsonl", "--json")
    assert sets_of(done) == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lr,epochs\n1\n", "line 2 of `s.csv` has 1 value below 2 names"),
        ("lr,lr\n1,2\n", "two columns `lr`"),
        ("lr,\n1,2\n", "a column without a name"),
        ("lr\n", "has no parameter set"),
        ('lr\n"1\n', "`s.csv` cannot be read"),
        ("lr\n\n1\nx\n", "set 2: parameter `lr`: `x` is not a floating-point number"),
    ],
)
def test_a_bad_file_of_sets_is_refused(swept: Any, text: str, told: str) -> None:
    swept.write("s.csv", text)
    done = swept("run", "--sets", "s.csv")
    assert done.code == 2
    assert told in done.err


def test_a_parameter_cannot_be_given_and_swept(swept: Any) -> None:
    done = swept("run", "-p", "train.lr=1", "--sweep", "lr=1,2")
    assert done.code == 2
    assert "`-p train.lr=1` fills what `--sweep lr=1,2` varies" in done.err


def test_a_run_with_changes_repeats_its_sweep(swept: Any) -> None:
    swept.write("sets.csv", "lr,epochs\n0.25,2\n0.75,3\n")
    sets_of(swept("run", "--sets", "sets.csv", "--json"))
    swept.write("sets.csv", "lr,epochs\n9,9\n")
    again = swept("resume", "--from", "train", "--json")
    assert sets_of(again) == [(0.25, 2), (0.75, 3)]


def test_a_parameter_given_anew_ends_its_sweep(swept: Any) -> None:
    sets_of(swept("run", "--sweep", "lr=0.1,0.2", "--sweep", "train.epochs=1,2", "--json"))
    again = swept("resume", "-p", "train.lr=0.7", "--json")
    assert sets_of(again) == [(0.7, 1), (0.7, 2)]
    alone = swept("resume", "-p", "train.epochs=5", "--json")
    assert sets_of(alone) == [(0.7, 5)]
    assert alone.node("train")["type"] == "execution"


def test_the_plan_of_a_sweep_is_shown(swept: Any) -> None:
    shown = swept("plan", "--sweep", "train.lr=linear:0:1:0.001", "--sweep", "train.epochs=linear:1:1000:1")
    assert shown.code == 0, shown.err
    assert "train  (task over train, grid_search: 1,001,000 executions)" in shown.out


def test_expanding_shows_the_first_of_many_at_once(swept: Any) -> None:
    many = ("--sweep", "train.lr=linear:0:1:0.000001", "--sweep", "train.epochs=linear:1:1000:1")
    shown = swept("sweep", "expand", *many)
    assert "train: 1,000,001,000 executions by grid_search" in shown.err
    assert shown.out.splitlines()[1].split() == ["0", "0", "1"]
    assert shown.out.splitlines()[-1] == "… and 1,000,000,980 more"
    lines = swept("sweep", "expand", *many, "--json", "--limit", "2", "--all").out
    assert [json.loads(line) for line in lines.splitlines()] == [{"lr": 0.0, "epochs": 1}, {"lr": 0.0, "epochs": 2}]


def test_expanding_a_bayesian_search_says_that_it_proposes_as_it_goes(swept: Any) -> None:
    shown = swept("sweep", "expand", "--sweep", "train.lr=random:0:1", "--search", "bayesian", "--count", "30",
                  "--metric", "acc", "--goal", "max")  # fmt: skip
    assert shown.code == 0
    assert shown.out == ""
    assert "train: 30 executions, proposed batch by batch while it runs" in shown.err


def test_a_bayesian_search_runs_by_arguments_alone(swept: Any) -> None:
    done = swept("run", "--sweep", "train.lr=random:0:1", "--search", "bayesian", "--count", "3", "--metric", "acc",
                 "--goal", "max", "--json")  # fmt: skip
    assert len(sets_of(done)) == 3


def test_a_node_or_task_to_expand_is_found_by_name(project: Any) -> None:
    task = {"task": {"name": "tune", "step": "train", "parameters": [
        {"name": "lr", "style": "multiple", "rules": {"items": [1, 2]}}]}}  # fmt: skip
    project.pipeline(
        {"train": {**TRAIN, "node": {"type": "task"}}, "look": LOOK},
        [["train.metadata.acc", "look.parameter.accs"]],
        [task],
    )
    items = json.loads((project.path / "valohai.yaml").read_text())
    node = items[-1]["pipeline"]["nodes"][0]
    node["task"] = "tune"
    del node["step"]
    project.write("valohai.yaml", json.dumps(items))
    for words in (("p", "train"), ("train",), ("valohai.yaml", "train"), ("valohai.yaml", "p", "train"), ()):
        shown = project("sweep", "expand", *words, "--json")
        assert [json.loads(line) for line in shown.out.splitlines()] == [{"lr": 1.0}, {"lr": 2.0}], shown.err
    assert project("sweep", "expand", "--task", "tune", "--csv").out == "lr\n1.0\n2.0\n"
    refused = project("sweep", "expand", "look")
    assert refused.code == 2
    assert "node `look` is not a task" in refused.err
