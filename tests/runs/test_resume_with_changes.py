"""Runs asked again with changes: what is kept, what runs again, and what is said about it."""

import json
import signal
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


def written(project: Any, last: str = "test -e {mended}", prep: str = "cat code.txt") -> None:
    """prep -> train (x = 1, 2, 3; 2 fails until it is mended) -> ev, which fails until it is mended."""
    mended = project.side("mended")
    one = {
        "command": counted(project, "train", "echo $VH_PARAM_X-$(cat $VH_INPUTS_DIR/d/*) >"
                                             " $VH_OUTPUTS_DIR/m-$VH_PARAM_X"
                                             f"\ntest $VH_PARAM_X != 2 || test -e {mended}"),
        "inputs": [{"name": "d"}],
        "parameters": [{"name": "x", "type": "integer", "default": 1}],
        "node": {"type": "task", "step": "train", "on-error": "stop-next"},
    }  # fmt: skip
    ev = {
        "command": counted(project, "ev", f"{last.format(mended=mended)}\necho $VH_PARAM_HOW > $VH_OUTPUTS_DIR/e"),
        "inputs": [{"name": "m"}],
        "parameters": [{"name": "how", "type": "string", "default": "so"}],
    }  # fmt: skip
    project.pipeline(
        {"prep": counted(project, "prep", f"{prep} > $VH_OUTPUTS_DIR/d.txt"), "train": one, "ev": ev},
        [["prep.output.*", "train.input.d"], ["train.output.*", "ev.input.m"]],
    )


SWEPT = ("-p", "train.x=[1,2,3]")
ALL = ["ev", "prep", "train", "train", "train"]


@pytest.fixture
def failed(project: Any) -> Any:
    """Run 1, of which one child failed; nobody has mended anything yet."""
    project.write("code.txt", "one")
    written(project)
    done = project("run", *SWEPT)
    assert done.code == 1
    assert ran(project) == ["prep", "train", "train", "train"]
    return project


@pytest.fixture
def complete(project: Any) -> Any:
    """Run 1, complete."""
    project.write("code.txt", "one")
    project.side("mended").touch()
    written(project)
    assert project("run", *SWEPT).code == 0
    assert ran(project) == ALL
    return project


def resumed(project: Any, *arguments: str) -> Any:
    done = project("resume", *arguments, "--json")
    assert done.code == 0, done.err
    return done


# ── what runs again ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["--failed", "--with-changes"])
def test_only_what_is_not_complete_runs_again(failed: Any, how: str) -> None:
    failed.side("mended").touch()
    done = resumed(failed, how)
    assert ran(failed) == ["ev", "train"]
    assert done.json["run"] == 2
    assert done.statuses() == {"prep": "complete", "train": "complete", "ev": "complete"}
    assert "`train` runs: it failed, 2 of 3 executions are kept" in done.err
    assert "`ev` runs after that" in done.err
    assert "run 1 provides `prep`" in done.err


def test_the_new_run_names_the_old_one_and_the_old_one_stays_as_it_was(failed: Any) -> None:
    failed.side("mended").touch()
    resumed(failed, "--failed")
    kept = json.loads((failed.path / ".vhpipe/runs/2/run.json").read_text())
    assert kept["continues"] == 1
    assert failed("show", "1", "--json").json["status"] == "error"
    assert "continues run 1" in failed("show", "2").out


def test_a_parameter_of_a_node_runs_it_again_and_what_follows(complete: Any) -> None:
    done = resumed(complete, "-p", "ev.how=otherwise")
    assert ran(complete) == ["ev"]
    assert "`ev` runs: changed: parameter `how` so → otherwise" in done.err
    assert complete.output(2, "ev", "e").read_text() == "otherwise\n"


def test_arguments_of_before_stay_and_new_ones_win(complete: Any) -> None:
    resumed(complete, "-p", "ev.how=b")
    done = resumed(complete, "-p", "train.x=[4,5]")
    assert ran(complete) == ["ev", "ev", "train", "train"]
    assert [one["parameters"]["x"] for one in done.node("train")["executions"]] == [4, 5]
    assert complete.output(3, "ev", "e").read_text() == "b\n"


def test_an_input_runs_its_node_again_and_cuts_its_edge(complete: Any) -> None:
    other = complete.side("other.txt")
    other.write_text("other")
    done = resumed(complete, "-i", f"train.d={other}")
    assert ran(complete) == ["ev", "train", "train", "train"]
    assert "`train` runs: changed: input `d`, the edges into it" in done.err
    assert complete.output(2, "train", "m-1").read_text() == "1-other\n"


def test_from_a_node_it_and_all_that_follows_run_again(complete: Any) -> None:
    resumed(complete, "--from", "train")
    assert ran(complete) == ["ev", "train", "train", "train"]


def test_from_one_child_the_others_are_kept(complete: Any) -> None:
    done = resumed(complete, "--from", "train#1")
    assert ran(complete) == ["ev", "train"]
    assert "`train` runs: asked for: train#1, 2 of 3 executions are kept" in done.err


def test_from_adds_what_is_not_complete(failed: Any) -> None:
    failed.side("mended").touch()
    resumed(failed, "--from", "prep")
    assert ran(failed) == ALL


def test_a_resumed_run_can_be_resumed_with_changes(failed: Any) -> None:
    failed("resume", "--failed")
    assert ran(failed) == ["train"]
    failed.side("mended").touch()
    done = resumed(failed, "--failed")
    assert ran(failed) == ["ev", "train"]
    origins = [one.get("reused_from") for one in done.node("train")["executions"]]
    assert [origin and origin["run"] for origin in origins] == [1, None, 1]


def test_a_killed_run_can_be_asked_again_with_changes(project: Any, eventually: Any) -> None:
    hold = project.side("hold")
    hold.touch()
    waits = f"while test -e {hold}; do sleep 0.02; done"
    project.pipeline(
        {"a": counted(project, "a"), "b": {"command": counted(project, "b", waits + "\necho {parameter-value:x}"),
                                           "parameters": [{"name": "x", "type": "integer", "default": 1}]}},
    )  # fmt: skip
    process = project.start("run")
    eventually(lambda: project.side("ran").exists() and "b" in project.side("ran").read_text())
    eventually(lambda: project("show", "1", "--json").json["nodes"]["a"]["status"] == "complete")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    hold.unlink()
    ran(project)
    done = resumed(project, "1", "-p", "b.x=2")
    assert ran(project) == ["b"]
    assert done.statuses() == {"a": "complete", "b": "complete"}


# ── which code ───────────────────────────────────────────────────────────────────────────────────


def test_without_with_changes_the_code_and_the_file_are_those_of_then(complete: Any) -> None:
    complete.write("code.txt", "two")
    written(complete, last="exit 9")
    done = resumed(complete, "--from", "prep")
    assert done.statuses()["ev"] == "complete"
    assert complete.output(2, "prep", "d.txt").read_text() == "one"


def test_with_changes_the_code_is_that_of_now_and_what_is_kept_is_told(failed: Any) -> None:
    failed.side("mended").touch()
    failed.write("code.txt", "two")
    done = resumed(failed, "--with-changes")
    assert ran(failed) == ["ev", "train"]
    assert "what is kept was made before `code.txt` changed; --from NODE runs a node again" in done.err
    assert failed.output(2, "train", "m-2", 1).read_text() == "2-one\n"
    resumed(failed, "--with-changes", "--from", "prep")
    assert failed.output(3, "prep", "d.txt").read_text() == "two"


def test_a_changed_command_runs_again_and_what_follows(complete: Any) -> None:
    written(complete, prep="echo three")
    done = resumed(complete, "--with-changes")
    assert ran(complete) == ALL
    assert "`prep` runs: changed: its command" in done.err
    assert "`train` and `ev` run after that" in done.err


def test_a_changed_file_of_an_input_runs_its_node_again(project: Any) -> None:
    project.pipeline({"a": {"command": counted(project, "a"), "inputs": [{"name": "x", "default": "x.txt"}]},
                      "b": counted(project, "b")})  # fmt: skip
    project.write("x.txt", "one")
    project("run")
    ran(project)
    project.write("x.txt", "two")
    done = resumed(project, "--with-changes")
    assert ran(project) == ["a"]
    assert "x.txt`, which changed since" in done.err


def test_plain_resume_says_which_code_has_changed(failed: Any, eventually: Any) -> None:
    hold = failed.side("hold")
    hold.touch()
    failed.pipeline({"a": counted(failed, "a", f"while test -e {hold}; do sleep 0.02; done")})
    process = failed.start("run")
    eventually(lambda: failed.side("ran").exists())
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert "vhpipe resume 2" in err
    hold.unlink()
    failed.write("code.txt", "two")
    done = resumed(failed)
    assert "run 2 continues with the code it has; since then `code.txt` changed" in done.err


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_a_run_that_has_nothing_to_do_is_refused(complete: Any) -> None:
    done = complete("resume", "--with-changes")
    assert done.code == 2
    assert "nothing of run 1 would run again" in done.err
    assert "vhpipe resume 1 --from NODE" in done.err
    assert not (complete.path / ".vhpipe/runs/2").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "trian"), "did you mean `train`?"),
        (("--from", "train#7"), "node `train` has no execution 7"),
        (("-p", "ev.hwo=1"), "did you mean"),
        (("-i", "ev.m=nowhere.txt"), "does not exist"),
    ],
)
def test_changes_that_do_not_fit_are_refused_before_anything_is_written(
    complete: Any, arguments: tuple[str, ...], message: str
) -> None:
    done = complete("resume", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not (complete.path / ".vhpipe/runs/2").exists()


def test_a_run_that_is_going_on_is_refused(project: Any, eventually: Any) -> None:
    hold = project.side("hold")
    hold.touch()
    project.pipeline({"a": counted(project, "a", f"while test -e {hold}; do sleep 0.02; done")})
    process = project.start("run")
    eventually(lambda: project.side("ran").exists())
    done = project("resume", "1", "--failed")
    assert done.code == 3
    assert "being run by another process" in done.err
    hold.unlink()
    process.communicate()


def test_a_part_asked_again_stays_a_part(failed: Any) -> None:
    failed("run", *SWEPT, "--only", "train#1,2")
    assert ran(failed) == ["train", "train"]
    failed.side("mended").touch()
    done = resumed(failed, "--failed")
    assert ran(failed) == ["train"]
    assert done.statuses() == {"prep": "complete", "train": "complete"}


def test_variables_of_then_are_asked_again(project: Any) -> None:
    command = counted(project, "a", "echo $WORD > $VH_OUTPUTS_DIR/w")
    project.pipeline({"a": {"command": command, "parameters": [{"name": "x", "default": "1"}]}})
    project("run", "-e", "WORD=kept")
    resumed(project, "-p", "a.x=2")
    assert project.output(2, "a", "w").read_text() == "kept\n"
    resumed(project, "-p", "a.x=3", "-e", "WORD=new")
    assert project.output(3, "a", "w").read_text() == "new\n"


# ── the command that is told ─────────────────────────────────────────────────────────────────────


def test_a_failure_tells_the_command_that_takes_it_up_again(failed: Any) -> None:
    done = failed("run", *SWEPT)
    assert "vhpipe resume 2 --with-changes" in done.err
    assert "vhpipe resume 2 --with-changes" in failed("show", "2").out
    assert "vhpipe resume 1 --with-changes" in failed("resume", "1").err


def test_executions_that_failed_in_a_complete_run_can_be_run_again(project: Any) -> None:
    mended = project.side("mended")
    project.pipeline({"a": {"command": counted(project, "a", f"test $VH_PARAM_X != 2 || test -e {mended}"),
                            "parameters": [{"name": "x", "default": "1"}],
                            "node": {"type": "task", "step": "a", "on-error": "continue"}}})  # fmt: skip
    done = project("run", "-p", "a.x=[1,2]")
    assert done.code == 0
    assert "vhpipe resume 1 --failed" in done.err
    ran(project)
    mended.touch()
    resumed(project, "--failed")
    assert ran(project) == ["a"]
