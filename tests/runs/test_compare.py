"""`vhpipe compare` over runs that were made: one, several, with reused executions."""

import csv
import json
from io import StringIO
from typing import Any

import pytest

TRAIN = {
    "command": ["""for i in 1 3 2; do echo "{\\"acc\\": $i$VH_PARAM_SIZE, \\"kind\\": \\"k\\"}"; done"""],
    "parameters": [
        {"name": "size", "type": "integer", "default": 7},
        {"name": "same", "type": "integer", "default": 1},
    ],
}


@pytest.fixture
def swept(project: Any) -> Any:
    project.pipeline({"train": TRAIN, "look": "true"})
    done = project("run", "--sweep", "size=4,6,5", "--json")
    assert done.code == 0, done.err
    return project


def table(done: Any) -> list[list[str]]:
    assert done.code == 0, done.err
    return [line.split() for line in done.out.splitlines()]


def records(done: Any) -> list[dict[str, str]]:
    assert done.code == 0, done.err
    return list(csv.DictReader(StringIO(done.out)))


def test_executions_of_a_task_stand_below_each_other(swept: Any) -> None:
    heads = [each for each in table(swept("compare"))[0] if each not in ("time", "cpu", "memory")]
    assert heads == ["index", "status", "size", "acc", "kind"]
    found = records(swept("compare", "1", "train", "--csv", "--sort", "-acc"))
    assert [(each["index"], each["size"], each["acc"]) for each in found] == [
        ("1", "6", "26"), ("2", "5", "25"), ("0", "4", "24"),
    ]  # fmt: skip


def test_other_values_of_a_series_can_count(swept: Any) -> None:
    for words, expected in (
        (("--agg", "max"), ["34", "36", "35"]),
        (("--metric", "acc:min"), ["14", "16", "15"]),
        (("--agg", "max", "--metric", "acc:last"), ["24", "26", "25"]),
    ):
        assert [each["acc"] for each in records(swept("compare", "latest", *words, "--csv"))] == expected


def test_the_best_is_marked_and_series_are_drawn(swept: Any) -> None:
    shown = table(swept("compare", "--best", "acc:min", "--spark", "acc", "--metric", "acc", "--sort", "acc"))
    assert [line[0] for line in shown] == ["best", "*", "2", "1"]
    assert [line[-1] for line in shown[1:]] == ["▁█▄", "▁█▅", "▁█▅"]
    assert json.loads(swept("compare", "--json", "--best", "acc").out)["best"] == {"run": 1, "index": 1}


def test_executions_of_several_runs_stand_below_each_other(swept: Any) -> None:
    for size in ("8", "9"):
        assert swept("run", "-p", f"train.size={size}", "-q").code == 0
    found = records(swept("compare", "2", "train", "3", "1", "--csv"))
    assert [(each["run"], each["size"], each["acc"]) for each in found] == [
        ("2", "8", "28"), ("3", "9", "29"), ("1", "4", "24"), ("1", "6", "26"), ("1", "5", "25"),
    ]  # fmt: skip
    assert table(swept("compare", "2", "3", "train"))[0][:3] == ["run", "status", "time"]


def test_reused_executions_have_the_series_of_their_origin(swept: Any) -> None:
    again = swept("run", "--sweep", "size=6,8", "--json", "--reuse=train")
    assert again.code == 0, again.err
    found = records(swept("compare", "2", "train", "--agg", "max", "--csv"))
    shown = [(each["size"], each["acc"], each["reused_from_run"]) for each in found]
    assert shown == [("6", "36", "1"), ("8", "38", "")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("1", "trian"), "did you mean `train`?"),
        (("9",), "no run `9`"),
        (("1", "train#0"), "is one execution"),
        (("1", "train", "look"), "both `train` and `look` name a node"),
        (("--sort", "acd"), "did you mean `acc`?"),
        (("--best", "acd:min"), "unknown metadata key `acd`"),
        (("--metric", "lost"), "unknown metadata key `lost`"),
    ],
)
def test_names_that_are_not_there_are_refused(swept: Any, words: tuple[str, ...], told: str) -> None:
    done = swept("compare", *words)
    assert done.code == 2
    assert told in done.err


def test_a_search_marks_the_best_by_its_own_metric(project: Any) -> None:
    project.pipeline({"train": TRAIN})
    done = project("run", "--sweep", "size=random:1:9", "--search", "bayesian", "--count", "3", "--metric", "acc",
                   "--goal", "min", "--json")  # fmt: skip
    assert done.code == 0, done.err
    measured = [execution["metadata"]["acc"] for execution in done.node("train")["executions"]]
    shown = json.loads(project("compare", "--json").out)
    assert shown["best"] == {"run": 1, "index": measured.index(min(measured))}
