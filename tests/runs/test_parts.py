"""Parts of a pipeline run on what earlier runs have made."""

import json
import shutil
from typing import Any

import pytest


def counted(project: Any, name: str, work: str = "true") -> str:
    """A command that leaves a mark for each time that it runs."""
    return f"echo {name} >> {project.side('ran')}\n{work}"


def ran(project: Any) -> list[str]:
    """Which nodes ran since the last time that somebody asked."""
    path = project.side("ran")
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(names)


@pytest.fixture
def chain(project: Any) -> Any:
    """prep -> train (three children) -> ev; what prep makes is different each time."""
    train = {
        "command": counted(project, "train", "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/m-{parameter-value:lr}.txt"
                                             "\necho '{\"acc\": '$VH_PARAM_LR'}'"),
        "inputs": [{"name": "d"}],
        "parameters": [{"name": "lr", "type": "float", "default": 0.5}],
        "node": {"type": "task", "step": "train"},
    }  # fmt: skip
    project.pipeline(
        {
            "prep": counted(project, "prep", "date +%N > $VH_OUTPUTS_DIR/d.txt"),
            "train": train,
            "ev": {"command": counted(project, "ev", "cat $VH_INPUTS_DIR/m/* > $VH_OUTPUTS_DIR/all.txt"),
                   "inputs": [{"name": "m"}]},
        },
        [["prep.output.*", "train.input.d"], ["train.output.*", "ev.input.m"]],
    )  # fmt: skip
    return project


SWEPT = ("-p", "train.lr=[1,2,3]")


def test_a_node_runs_alone_on_what_the_last_run_made(chain: Any) -> None:
    chain("run", *SWEPT)
    assert ran(chain) == ["ev", "prep", "train", "train", "train"]
    done = chain("run", *SWEPT, "--only", "ev", "--json")
    assert done.code == 0, done.err
    assert ran(chain) == ["ev"]
    assert "run 1 provides `train`" in done.err
    assert done.statuses() == {"train": "complete", "ev": "complete"}
    assert chain.output(2, "ev", "all.txt").read_text() == chain.output(1, "ev", "all.txt").read_text()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--from", "train"), ["ev", "train", "train", "train"]),
        (("--until", "train"), ["prep", "train", "train", "train"]),
        (("--exclude", "prep", "--exclude", "ev"), ["train", "train", "train"]),
        (("--only", "train+"), ["ev", "train", "train", "train"]),
        (("--only", "train#1"), ["train"]),
        (("--only", "train#0", "--only", "train#2", "--only", "ev"), ["ev", "train", "train"]),
    ],
)
def test_only_what_is_selected_runs(chain: Any, options: tuple[str, ...], expected: list[str]) -> None:
    chain("run", *SWEPT)
    ran(chain)
    done = chain("run", *SWEPT, *options, "--json")
    assert done.code == 0, done.err
    assert ran(chain) == expected


def test_without_an_earlier_run_the_error_names_the_node_and_the_command(chain: Any) -> None:
    done = chain("run", *SWEPT, "--only", "ev")
    assert done.code == 2
    assert "no earlier run of `p` has `train` complete, which `ev` needs" in done.err
    assert "hint: make it first: vhpipe run --until train" in done.err
    assert not (chain.path / ".vhpipe").exists()


def test_nodes_come_from_the_last_run_that_has_each(chain: Any) -> None:
    chain("run", *SWEPT)
    chain("run", *SWEPT, "--until", "prep")
    done = chain("run", *SWEPT, "--only", "train", "--only", "ev", "--json")
    assert "run 2 provides `prep`" in done.err
    newest = chain.output(2, "prep", "d.txt").read_text()
    assert chain.output(3, "train", "m-1.txt").read_text() == newest


def test_one_child_runs_and_the_others_are_given(chain: Any) -> None:
    chain("run", *SWEPT)
    first = chain.output(1, "ev", "all.txt").read_text()
    ran(chain)
    done = chain("run", *SWEPT, "--only", "train#1+", "--json")
    assert ran(chain) == ["ev", "train"]
    assert "`train` runs execution 1; run 1 provides 2 others" in done.err
    assert chain.output(2, "ev", "all.txt").read_text() == first
    assert [one["parameters"]["lr"] for one in done.node("train")["executions"]] == [1, 2, 3]


def test_children_that_would_be_made_otherwise_are_left_out(chain: Any) -> None:
    chain("run", *SWEPT)
    done = chain("run", "-p", "train.lr=[7,8,9]", "--only", "train#1", "--json")
    assert "the others are left out" in done.err
    assert [one["status"] for one in done.node("train")["executions"]] == ["skipped", "complete", "skipped"]


def test_children_are_left_out_when_what_is_before_them_runs_again(chain: Any) -> None:
    chain("run", *SWEPT)
    done = chain("run", *SWEPT, "--only", "+train#1", "--json")
    assert [one["status"] for one in done.node("train")["executions"]] == ["skipped", "complete", "skipped"]


def test_children_that_stand_on_other_work_are_left_out(chain: Any) -> None:
    chain("run", *SWEPT)
    chain("run", *SWEPT, "--until", "prep")
    done = chain("run", *SWEPT, "--only", "train#1", "--json")
    assert "run 2 provides `prep`" in done.err
    assert [one["status"] for one in done.node("train")["executions"]] == ["skipped", "complete", "skipped"]


def test_a_node_with_all_executions_is_given_before_one_with_some(chain: Any) -> None:
    chain("run", *SWEPT)
    chain("run", *SWEPT, "--only", "+train#1")
    assert "run 1 provides `train`" in chain("run", *SWEPT, "--only", "ev").err
    shutil.rmtree(chain.path / ".vhpipe/runs/3")
    shutil.rmtree(chain.path / ".vhpipe/runs/1")
    assert "run 2 provides `train` (1 of 3 executions)" in chain("run", *SWEPT, "--only", "ev").err


def test_a_run_that_lost_an_output_gives_nothing(chain: Any) -> None:
    chain("run", *SWEPT)
    listed = chain("outputs", "1", "train", "--json").json["outputs"]
    blob = chain.path / listed[0]["stored_at"]
    blob.unlink()
    done = chain("run", *SWEPT, "--only", "ev")
    assert done.code == 2
    assert "no earlier run of `p` has `train` complete" in done.err


def test_what_was_made_otherwise_is_given_and_said_so(chain: Any) -> None:
    chain("run", "-p", "train.lr=[1,2]")
    done = chain("run", *SWEPT, "--only", "ev", "--json")
    assert "`train` was made differently from how it would be made now: its sweep" in done.err
    assert len(done.node("train")["executions"]) == 2


def test_another_pipeline_gives_nothing(chain: Any) -> None:
    chain("run", *SWEPT)
    text = (chain.path / "valohai.yaml").read_text().replace('"name": "p"', '"name": "q"')
    chain.write("valohai.yaml", text)
    assert "no earlier run of `q` has `train`" in chain("run", *SWEPT, "--only", "ev").err


def test_the_inputs_of_what_does_not_run_need_not_be_there(project: Any) -> None:
    nodes = {
        "a": {"command": "cat $VH_INPUTS_DIR/x/* > $VH_OUTPUTS_DIR/o",
              "inputs": [{"name": "x", "default": "there.txt"}]},
        "b": {"command": "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/o", "inputs": [{"name": "d"}]},
        "passed": {"command": "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/o", "inputs": [{"name": "d"}]},
    }  # fmt: skip
    project.pipeline(nodes, [["a.output.*", "b.input.d"], ["a.input.x", "passed.input.d"]])
    there = project.write("there.txt", "bytes of then")
    assert project("run").code == 0
    there.unlink()
    done = project("run", "--only", "b", "--only", "passed", "--json")
    assert done.code == 0, done.err
    assert project.output(2, "passed", "o").read_text() == "bytes of then"


def test_a_task_by_itself_can_run_in_part(project: Any) -> None:
    step = {"step": {"name": "s", "image": "i", "command": "echo {parameter-value:x} > $VH_OUTPUTS_DIR/x",
                     "parameters": [{"name": "x", "type": "integer"}]}}  # fmt: skip
    variants = [{"name": "x", "style": "multiple", "rules": {"items": [4, 5, 6]}}]
    project.write("valohai.yaml", json.dumps([step, {"task": {"name": "t", "step": "s", "parameters": variants}}]))
    done = project("run", "--task", "t", "--only", "t#2", "--json")
    assert [one["status"] for one in done.node("t")["executions"]] == ["skipped", "skipped", "complete"]
    done = project("run", "--task", "t", "--exclude", "t#2", "--json")
    assert "run 1 provides 1 other" in done.err
    assert [one["status"] for one in done.node("t")["executions"]] == ["complete"] * 3


def test_the_log_of_a_given_execution_is_that_of_the_run_that_made_it(chain: Any) -> None:
    chain("run", *SWEPT)
    chain("run", *SWEPT, "--only", "ev")
    assert '{"acc": 2.0}' in chain("logs", "2", "train#1").out
    assert chain("metadata", "2", "train#1", "--series").json["acc"] == 2
    shutil.rmtree(chain.path / ".vhpipe/runs/1")
    done = chain("logs", "2", "train#1")
    assert (done.code, done.out) == (0, "")
    assert "train#1 of run 1" in done.err
    assert chain("outputs", "2", "train#1", "--json").json["outputs"][0]["name"] == "m-2.txt"


def test_a_mistyped_node_is_told_with_the_nearest(chain: Any) -> None:
    done = chain("run", *SWEPT, "--from", "trian")
    assert (done.code, "did you mean `train`?" in done.err) == (2, True)


def test_a_plan_shows_the_part(chain: Any) -> None:
    chain("run", *SWEPT)
    shown = chain("plan", *SWEPT, "--only", "ev").out
    assert "given by run 1" in shown
    assert "prep" not in shown
