"""Files through the Python door: read, check, plan, run."""

import json
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import Run, load, plan, run, validate
from vhpipe.errors import UsageError

FILE = """
- step:
    name: train
    image: none
    command:
      - python3 score.py {parameter:lr}
      - cp $VH_INPUTS_DIR/data/* $VH_OUTPUTS_DIR/model.txt
    parameters:
      - {name: lr, type: float, default: 0.5, pass-as: "{v}"}
    inputs:
      - {name: data, default: data.txt}
- step:
    name: check
    image: none
    command: cat $VH_INPUTS_DIR/model/* && exit {parameter:code}
    parameters:
      - {name: code, type: integer, default: 0, pass-as: "{v}"}
    inputs:
      - {name: model}
- pipeline:
    name: p
    parameters:
      - {name: rate, default: 0.25, targets: [train.parameter.lr]}
    nodes:
      - {name: train, type: execution, step: train}
      - {name: check, type: execution, step: check}
    edges:
      - [train.output.model.txt, check.input.model]
- task:
    name: sweep
    step: train
    type: grid_search
    parameters:
      - {name: lr, style: multiple, rules: {items: [1.0, 2.0]}}
"""


@pytest.fixture
def file(made: Any) -> Path:
    (made.folder / "data.txt").write_text("data")
    (made.folder / "score.py").write_text("import json, sys\nprint(json.dumps({'score': float(sys.argv[1]) * 2}))\n")
    path: Path = made.folder / "valohai.yaml"
    path.write_text(FILE)
    return path


def test_a_file_tells_what_is_in_it(file: Path) -> None:
    loaded = load(file.parent)
    assert (loaded.pipelines, loaded.steps, loaded.tasks) == (("p",), ("train", "check"), ("sweep",))
    assert loaded.is_valid
    assert loaded.path == file
    assert loaded.config.steps[0].name == "train"


def test_faults_have_lines_and_columns(file: Path) -> None:
    file.write_text(FILE.replace("step: check}", "step: chekc}"))
    (found,) = [item for item in validate(file) if item.severity == "error"]
    assert (found.rule, found.at.line) == ("unknown-step", FILE[: FILE.index("step: check}")].count("\n") + 1)
    with pytest.raises(UsageError, match="chekc"):
        run(file)


def test_a_plan_says_what_would_run(file: Path) -> None:
    planned = plan(file, parameters={"rate": 0.125, "check.code": 3})
    assert [node.name for node in planned.nodes] == ["train", "check"]
    assert planned.nodes[0].spec.values == {"lr": 0.125}
    assert planned.nodes[1].spec.values == {"code": 3}
    assert not (file.parent / ".vhpipe").exists()


def test_a_run_has_its_results(file: Path) -> None:
    made = run(file, "p", parameters={"rate": 0.125}, title="first", tags=["a"], quiet=True)
    assert (made.status, made.exit_code, made.pipeline) == ("complete", 0, "p")
    assert made.parameters == {"rate": 0.125}
    assert made.node("train").parameters == {"lr": 0.125}
    assert made.metadata["train"] == {"score": 0.25}
    assert made.outputs["train"]["model.txt"].read_text() == "data"
    assert made.node("check").executions[0].log.startswith("data")
    assert made.node("check").parents == ("train",)


def test_a_step_and_a_task_run_too(file: Path) -> None:
    assert run(file, step="train", parameters={"lr": 3}, quiet=True).metadata["train"] == {"score": 6}
    swept = run(file, task="sweep", quiet=True)
    assert [each.parameters["lr"] for each in swept.node("sweep").executions] == [1.0, 2.0]
    assert [each.metadata["score"] for each in swept.node("sweep").executions] == [2.0, 4.0]


def test_inputs_can_be_given(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "other.txt").write_text("other")
    monkeypatch.chdir(file.parent)
    made = run(inputs={"train.data": "other.txt"}, quiet=True)
    assert made.outputs["train"]["model.txt"].read_text() == "other"


def test_equal_executions_are_reused_where_asked(file: Path) -> None:
    run(file, quiet=True)
    again = run(file, reuse=True, quiet=True)
    assert all(node.is_reused for node in again.nodes.values())
    assert again.is_successful()
    assert again.outputs["train"]["model.txt"].read_text() == "data"


def test_a_failure_is_raised_unless_it_is_wanted(file: Path) -> None:
    with pytest.raises(Exception, match="exit code 3"):
        run(file, parameters={"check.code": 3}, quiet=True)
    made = run(file, parameters={"check.code": 3}, quiet=True, raise_on_failure=False)
    assert (made.exit_code, made.node("check").status) == (1, "error")


def test_it_can_go_on_in_the_background(file: Path) -> None:
    made = run(file, quiet=True, wait=False)
    assert made.wait()
    assert made.is_successful()
    assert Run.open(file.parent, made.number).status == "complete"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pipeline": "q"}, "unknown pipeline `q`"),
        ({"step": "trian"}, "unknown step `trian`"),
        ({"pipeline": "p", "step": "train"}, "exclude each other"),
        ({"parameters": {"rat": 1}}, "rat"),
        ({"parameters": {"rate": {"a": 1}}}, "cannot be a `dict`"),
        ({"inputs": {"data": "x"}}, "`data` is not an input of a node"),
    ],
)
def test_what_does_not_fit_is_refused(file: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(file, **wrong)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        load(tmp_path / "none.yaml")


def test_a_resume_knows_what_was_asked(file: Path, made: Any) -> None:
    run(file, parameters={"rate": 0.125, "check.code": 3}, quiet=True, raise_on_failure=False)
    made.vhpipe("resume", "1", "--with-changes", "-p", "check.code=0")
    shown = json.loads(made.vhpipe("show", "latest", "--json").stdout)["nodes"]
    assert shown["train"]["executions"][0]["parameters"] == {"lr": 0.125}
    assert shown["check"]["status"] == "complete"


# ── steps of files and runs in a pipeline of code ────────────────────────────────────────────────


def test_a_step_of_a_file_is_a_step(file: Path, made: Any) -> None:
    pipeline = made.pipeline()
    pipeline.add_parameter("rate", 2.0)
    pipeline.add_step("train", base_task_name="train", parameter_override={"General/lr": "${pipeline.rate}"})
    pipeline.add_step(
        "check", base_task_project="valohai.yaml", base_task_name="check",
        parameter_override={"model": "${train.artifacts.model.txt.url}", "code": 0},
    )  # fmt: skip
    run = pipeline.start_locally(quiet=True)
    assert run.metadata["train"] == {"score": 4.0}
    assert run.node("check").executions[0].log.startswith("data")


def test_a_node_of_a_run_is_a_step_with_its_parameters(file: Path, made: Any) -> None:
    run(file, parameters={"rate": 3.0}, quiet=True)
    pipeline = made.pipeline()
    pipeline.add_step("again", base_task_id="1/train")
    assert pipeline.start_locally(quiet=True).metadata["again"] == {"score": 6.0}


def test_functions_and_steps_of_files_work_together(file: Path, made: Any) -> None:
    functions = made.module("def half(x):\n    return x / 2\n\ndef read(score, of):\n    return [score, of]\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("half", functions.half, {"x": 3}, "y")
    pipeline.add_step("train", base_task_name="train", parameter_override={"lr": "${half.y}"})
    pipeline.add_function_step(
        "read", functions.read, {"score": "${train.metadata.score}", "of": "${train.artifacts.model.txt.hash}"}, "seen"
    )
    run = pipeline.start_locally(quiet=True)
    score, digest = run.node("read").result("seen")  # type: ignore[misc]
    assert float(score) == 3.0
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_task_name": "trian"}, "did you mean `train`"),
        ({"base_task_name": "train", "parameter_override": {"General/lrr": 1}}, "did you mean `lr`"),
        ({"base_task_name": "train", "base_task_project": "none.yaml"}, "there is no file"),
        ({"base_task_id": "7/train"}, "no runs"),
        ({"base_task_id": "train"}, "is not a node of a run"),
        ({}, "needs `base_task_name` or `base_task_id`"),
    ],
)
def test_a_base_that_is_not_there_is_told_when_the_step_is_added(
    file: Path, made: Any, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        made.pipeline().add_step("a", **wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jobs": -1}, "jobs must be a whole number, 1 or more, not `-1`"),
        ({"env": "venv"}, "env cannot be `venv`"),
        ({"jobs": 0}, "jobs must be a whole number, 1 or more, not `0`"),
        ({"jobs": "2"}, "jobs must be a whole number, 1 or more, not `2`"),
        ({"jobs": True}, "jobs must be a whole number, 1 or more, not `True`"),
        ({"jobs": 1.5}, "jobs must be a whole number, 1 or more, not `1.5`"),
        ({"parameters": [1]}, "`parameters` must be a mapping of names to values, not a `list`"),
        ({"inputs": {"train.data": 3}}, "input `train.data` must be a URI or a list of them, not `3`"),
    ],
)
def test_an_argument_of_another_kind_is_refused_before_anything_starts(
    file: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run(file, quiet=True, **arguments)
    assert refused.value.message == message
    assert not (file.parent / ".vhpipe").exists()
