"""`vhpipe run --dry-run`: what would run, what would be reused, and why; and that nothing is touched."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


def tree(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything below a folder, but for the times at which it was read."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


@pytest.fixture
def world(project: Any) -> Any:
    """Three nodes in a row, the middle one a task of two."""
    project.write("raw.csv", "1\n")
    train = {"command": "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/m; echo {parameters}", "inputs": [{"name": "d"}],
             "parameters": [{"name": "lr", "type": "float"}], "node": {"type": "task"}}  # fmt: skip
    project.pipeline(
        {"make": {"command": "cat $VH_INPUTS_DIR/raw/* > $VH_OUTPUTS_DIR/d",
                  "inputs": [{"name": "raw", "default": "raw.csv"}]},
         "train": train, "judge": {"command": "true", "inputs": [{"name": "m"}]}},
        [["make.output.*", "train.input.d"], ["train.output.*", "judge.input.m"]],
    )  # fmt: skip
    return project


RATES = ("-p", "train.lr=[0.1,0.2]")


def foretold(project: Any, *words: str) -> list[list[str]]:
    """The lines but the first, as label, action and reason; nothing may have changed on disk."""
    before = tree(project.path)
    done = project("run", "-n", *words)
    assert done.code == 0, done.err
    assert tree(project.path) == before
    lines = done.out.splitlines()
    assert lines[0].startswith("dry run of p: ")
    return [[part.strip() for part in line.strip().split("  ") if part] for line in lines[1:]]


def test_before_the_first_run_all_would_run_and_nothing_is_made(world: Any) -> None:
    assert foretold(world, *RATES) == [
        ["make", "run", "reuse is off; no earlier run has it"],
        ["train", "run", "after `make`"],
        ["judge", "run", "after `train`"],
    ]
    assert not (world.path / ".vhpipe").exists()


def test_what_is_known_would_be_reused(world: Any) -> None:
    world("run", *RATES)
    assert foretold(world, "--reuse", *RATES) == [
        ["make", "reuse", "from run 1"],
        ["train#0..1", "reuse", "from run 1"],
        ["judge", "reuse", "from run 1"],
    ]
    assert foretold(world, *RATES)[0][:2] == ["make", "run"]
    assert foretold(world, *RATES)[0][2].startswith("reuse is off; --reuse would take it from run 1 (")


def test_what_would_run_says_what_differs(world: Any) -> None:
    world("run", *RATES)
    told = foretold(world, "--reuse", "-p", "train.lr=[0.2,0.5,0.6]")
    assert [line[:2] for line in told] == [
        ["make", "reuse"], ["train#0", "reuse"], ["train#1", "run"], ["train#2", "run"], ["judge", "run or reuse"]
    ]  # fmt: skip
    assert told[1][2] == "from train#1 of run 1"
    assert told[2][2].startswith("since run 1: parameter lr: 0.2 → 0.5 (")
    assert told[3][2] == "no earlier run has it"
    assert told[4][2] == "after `train`"


def test_a_dry_run_foretells_the_run(world: Any) -> None:
    world("run", *RATES)
    world.write("raw.csv", "2\n")
    told = json.loads(world("run", "-n", "--json", "--reuse", *RATES).out)
    assert (told["schema"], told["dry_run"]) == (1, True)
    assert [(name, each["action"]) for name, node in told["nodes"].items() for each in node] == [
        ("make", "run"), ("train", "run or reuse"), ("judge", "run or reuse")
    ]  # fmt: skip
    (make,) = told["nodes"]["make"]
    assert make["against"]["run"] == 1
    assert [(each["part"], each["name"]) for each in make["against"]["differences"]] == [
        ("input raw", "raw.csv"), ("file", "raw.csv")
    ]  # fmt: skip
    done = world("run", "--json", "--reuse", *RATES)
    assert [each["reused_from"] for each in done.node("make")["executions"]] == [None]


def test_damage_is_foretold_and_left_where_it_is(world: Any) -> None:
    world("run", *RATES)
    blob = Path(json.loads(world("outputs", "1", "make", "--json").out)["outputs"][0]["stored_at"])
    blob.chmod(0o600)
    blob.write_text("9\n")
    blob.chmod(0o444)
    assert foretold(world, "--reuse", *RATES)[0][2].startswith("output `d` of make#0 of run 1 is missing or damaged")


def test_parts_show_what_is_given_and_what_is_left_out(world: Any) -> None:
    world("run", *RATES)
    told = foretold(world, "--reuse", "--only", "train#1", *RATES)
    by_label = {line[0]: line[1:] for line in told}
    assert by_label["make"] == ["given", "from run 1"]
    assert by_label["train#1"] == ["reuse", "from run 1"]


def test_what_follows_would_run_for_certain_where_there_is_no_result_to_reuse(world: Any) -> None:
    assert [line[1] for line in foretold(world, "--reuse", *RATES)] == ["run", "run", "run"]
    world("run", *RATES)
    world.write("raw.csv", "2\n")
    assert [line[1] for line in foretold(world, "--reuse", *RATES)] == ["run", "run or reuse", "run or reuse"]
    told = foretold(world, "--reuse", "--refresh", "judge", *RATES)
    assert [line[1] for line in told] == ["run", "run or reuse", "run"]


def test_what_would_have_to_be_fetched_is_not(world: Any) -> None:
    address = "http://127.0.0.1:9/raw.csv"
    told = foretold(world, "--reuse", "-i", f"make.raw={address}", *RATES)
    assert told[0] == ["make", "run", f"depends on {address}, which is not fetched in a dry run"]
    world("run", *RATES)
    told = foretold(world, "--reuse", "-i", f"make.raw={address}", *RATES)
    assert told[0] == ["make", "run or reuse", f"depends on {address}, which is not fetched in a dry run"]


def test_twins_approvals_and_refreshed_nodes(project: Any) -> None:
    twin = {"command": "echo x", "node": {"type": "execution", "step": "a"}}
    held = {"command": "echo y", "node": {"actions": [{"when": "node-starting", "then": ["require-approval"]}]}}
    project.pipeline({"a": "echo x", "b": twin, "c": held})
    assert foretold(project, "--reuse") == [
        ["a", "run", "no earlier run has it"],
        ["b", "run", "no earlier run has it"],
        ["c", "run", "no earlier run has it; needs approval"],
    ]
    project("run", "--reuse", "--approval", "approve")
    assert foretold(project, "--reuse", "--refresh", "a")[0][2].startswith("asked for by --refresh")


def test_errors_are_those_of_a_run(world: Any) -> None:
    done = world("run", "-n", "--reuse=nobody", *RATES)
    assert (done.code, "unknown node `nobody`" in done.err) == (2, True)
    world.path.joinpath("raw.csv").unlink()
    assert world("run", "-n", *RATES).code == 2
    shutil.rmtree(world.path / ".vhpipe", ignore_errors=True)
    world.write(".vhpipe/counter", "1")
    world.write("raw.csv", "1\n")
    assert world("run", "-n", *RATES).code == 3
