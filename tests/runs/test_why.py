"""`vhpipe why`: why an execution ran, and what differs from an earlier one."""

import json
from typing import Any

import pytest

STEPS = """
- step:
    name: make
    image: one
    command:
      - echo "$A $B" > $VH_OUTPUTS_DIR/x
      - sort $VH_INPUTS_DIR/raw/* && echo {parameters}
    inputs: [{name: raw, default: data/*}]
    parameters: [{name: lr, type: float, default: 0.1}, {name: kind, default: a}]
    environment-variables: [{name: A, default: "1"}]
- pipeline:
    name: p
    nodes: [{name: make, type: execution, step: make}]
    edges: []
"""


@pytest.fixture
def world(project: Any) -> Any:
    project.write("data/x.csv", "1\n")
    project.write("train.py", "1")
    project.write(".valohaiignore", "data\n")
    project.write("valohai.yaml", STEPS)
    assert project("run", "--reuse").code == 0
    return project


def why(project: Any, *words: str) -> list[str]:
    done = project("why", *words)
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_the_first_time(world: Any) -> None:
    assert why(world, "1", "make") == ["make of run 1 ran: no equal execution is known", "no earlier run has it"]


def test_a_reused_execution_names_who_made_it(world: Any) -> None:
    world("run", "--reuse")
    assert why(world, "latest", "make") == [
        "make of run 2 was reused from make#0 of run 1",
        "compared with make of run 1 (complete):",
        "  nothing differs",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("default: 0.1", "default: 0.3", ["parameter lr: 0.1 → 0.3"]),
        ("{name: kind, default: a}", "{name: kind, default: a}, {name: more, default: 1}", ["parameter more added: 1"]),
        (", {name: kind, default: a}", "", ["parameter kind removed, it was: a"]),
        ("image: one", "image: two", ["image: one → two"]),
        ("sort", "cat", ["command line 2: sort $VH_INPUTS_DIR/raw/* && echo {parameters} → "
                         "cat $VH_INPUTS_DIR/raw/* && echo {parameters}"]),
        ("default: \"1\"", "default: \"2\"", ["environment variable A: 1 → 2"]),
        ("- pipeline:", "# changed\n- pipeline:", ["nothing differs"]),
    ],
)  # fmt: skip
def test_what_changed_in_the_file_is_told(world: Any, old: str, new: str, told: list[str]) -> None:
    world.write("valohai.yaml", STEPS.replace(old, new))
    assert world("run").code == 0
    expected = [f"  {line}" for line in told]
    if told != ["nothing differs"]:
        expected.append("  the rest is the same")
    else:
        expected.append("  with --reuse its result would have been taken")
    assert why(world, "2", "make") == [
        "make of run 2 ran: reuse was off", "compared with make of run 1 (complete):", *expected
    ]  # fmt: skip


def test_code_and_data_are_told_file_by_file(world: Any) -> None:
    world.write("train.py", "2")
    world.write("other.py", "2")
    world.write("data/x.csv", "2\n")
    world.write("data/y.csv", "2\n")
    world("run", "--reuse")
    assert why(world, "2", "make")[2:] == [
        "  input raw: x.csv changed",
        "  input raw: y.csv added",
        "  file train.py changed",
        "  file other.py added",
        "  the rest is the same",
    ]


def test_an_execution_that_failed_was_not_there_to_be_reused(project: Any) -> None:
    gate = project.side("gate")
    project.pipeline({"a": f"test -e {gate}"})
    project("run", "--reuse")
    gate.write_text("")
    project("run", "--reuse")
    assert why(project, "2", "a") == [
        "a of run 2 ran: no equal execution is known",
        "compared with a of run 1 (error):",
        "  nothing differs",
        "  it was not reused because it failed: only complete executions are",
    ]


def test_refreshed_and_damaged_work_says_so(world: Any) -> None:
    world("run", "--reuse", "--refresh", "make")
    assert why(world, "2", "make")[0] == "make of run 2 ran: asked for by --refresh"
    (output,) = json.loads(world("outputs", "2", "--json").out)["outputs"]
    (world.path / output["stored_at"]).unlink()
    world("run", "--reuse")
    assert why(world, "3", "make")[0] == "make of run 3 ran: output `x` of make#0 of run 2 is missing or damaged"


def test_another_run_can_be_named_and_all_is_there_as_json(world: Any) -> None:
    world("run", "-p", "make.lr=0.2")
    world("run", "-p", "make.lr=0.3", "-p", "make.kind=b")
    assert why(world, "3", "make", "--against", "1")[2:4] == ["  parameter kind: a → b", "  parameter lr: 0.1 → 0.3"]
    shown = json.loads(world("why", "3", "make", "--against", "1", "--json").out)
    assert (shown["schema"], shown["run"], shown["action"]) == (1, 3, "run")
    assert shown["against"]["differences"] == [
        {"part": "parameter", "name": "kind", "change": "changed", "old": "a", "new": "b"},
        {"part": "parameter", "name": "lr", "change": "changed", "old": 0.1, "new": 0.3},
    ]
    assert shown["against"]["run"] == 1


def test_skipped_nodes_and_unknown_names(project: Any) -> None:
    project.pipeline(
        {"a": "exit 1", "b": {"command": "true", "inputs": [{"name": "x"}]}}, [["a.output.*", "b.input.x"]]
    )
    project("run")
    assert why(project, "1", "b") == ["b of run 1 did not run: `a` failed: exit code 1", "no earlier run has it"]
    unknown = project("why", "1", "c")
    assert (unknown.code, "no node `c`" in unknown.err) == (2, True)
    unstarted = project("why", "1", "a", "--against", "7")
    assert (unstarted.code, "no run `7`" in unstarted.err) == (2, True)


def test_children_are_told_by_their_index(project: Any) -> None:
    project.pipeline({"t": {"command": "echo {parameters}", "parameters": [{"name": "lr", "type": "float"}],
                            "node": {"type": "task"}}})  # fmt: skip
    project("run", "--reuse", "-p", "t.lr=[0.1,0.2]")
    project("run", "--reuse", "-p", "t.lr=[0.1,0.3]")
    assert why(project, "2", "t#0")[0] == "t#0 of run 2 was reused from t#0 of run 1"
    assert why(project, "2", "t#1")[2] == "  parameter lr: 0.2 → 0.3"
    several = project("why", "2", "t")
    assert (several.code, "say which" in several.err) == (2, True)
