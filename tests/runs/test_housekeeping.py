"""Users clean up, stop what has crashed, check what is kept, and meet state folders that are not theirs."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

FILE = "echo $VH_EXECUTION_ID > $VH_OUTPUTS_DIR/file"


def crash(project: Any, eventually: Any, command: str, when: Callable[[], Any], **nodes: Any) -> None:
    """Start a run of node `a` and kill its engine and supervisor as soon as something is true."""
    project.pipeline({"a": command, **nodes})
    process = project.start("run", "--json", "-j", "2")
    eventually(when)
    children = psutil.Process(process.pid).children()
    process.kill()
    for child in children:
        child.kill()
    process.communicate(timeout=20)


# ── clean ────────────────────────────────────────────────────────────────────────────────────────


def test_clean_removes_old_runs_and_the_rest_still_works(project: Any) -> None:
    project.pipeline({"a": FILE, "b": {"command": "cat $VH_INPUTS_DIR/in/*", "inputs": [{"name": "in"}]}},
                     [["a.output.*", "b.input.in"]])  # fmt: skip
    for _ in range(3):
        assert project("run", "-q").code == 0
    dry = project("clean", "--keep", "1", "--dry-run")
    assert dry.out.startswith("would remove 2 runs (1-2), ")
    assert project("runs", "--json").json["runs"][-1]["run"] == 1
    done = project("clean", "--keep", "1")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("removed 2 runs (1-2), ")
    assert [run["run"] for run in project("runs", "--json").json["runs"]] == [3]
    assert project("outputs", "3", "--get", str(project.side("out"))).code == 0
    assert len(list(project.side("out").rglob("file"))) == 1
    assert project("clean", "--keep", "1").out == "nothing to remove\n"
    assert project("run", "-q").code == 0
    assert project("clean", "--run", "3").out.startswith("removed 1 run (3), ")
    assert [run["run"] for run in project("runs", "--json").json["runs"]] == [4]


def test_a_run_that_fails_before_its_plan_is_written_leaves_no_number(project: Any) -> None:
    project.pipeline({"a": "true"})
    assert project("run").code == 0
    (project.path / ".valohaiignore").mkdir()
    assert project("run").code == 4
    assert os.listdir(project.path / ".vhpipe/runs") == ["1"]
    (project.path / ".valohaiignore").rmdir()
    assert project("run", "--json").json["run"] == 2


def test_a_run_that_is_running_is_not_removed(project: Any, mark: Any, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"a": f"{FILE}; touch {ready}; sleep {mark}"})
    process = project.start("run", "--json")
    eventually(ready.exists)
    refused = project("clean", "--run", "1")
    assert (refused.code, "vhpipe stop 1" in refused.err) == (3, True)
    said = project("clean", "--keep", "0")
    assert "stored files stay for now: run 1 is running" in said.out
    assert project("stop", "1").code == 0
    process.communicate(timeout=20)
    assert project("show", "1").code == 0


@pytest.mark.long
def test_runs_that_start_while_others_clean_lose_nothing(project: Any) -> None:
    """Every run makes the same bytes anew, so that each clean wants to collect what the next run has just stored."""
    steps = {"a": "for i in 1 2 3; do echo same $i > $VH_OUTPUTS_DIR/$i; done",
             "b": {"command": "cat $VH_INPUTS_DIR/in/* > $VH_OUTPUTS_DIR/all", "inputs": [{"name": "in"}]}}  # fmt: skip
    project.pipeline(steps, [["a.output.*", "b.input.in"]])
    over = threading.Event()
    cleans: list[Any] = []

    def clean() -> None:
        while not over.is_set():
            cleans.append(project("clean", "--keep", "1", "--json"))

    cleaner = threading.Thread(target=clean)
    assert project("run", "-q").code == 0
    cleaner.start()
    try:
        for _ in range(3):
            processes = [project.start("run", "--json", "-j", "1") for _ in range(3)]
            for process in processes:
                out, err = process.communicate(timeout=60)
                assert process.returncode == 0, err
                assert json.loads(out)["status"] == "complete"
    finally:
        over.set()
        cleaner.join()
    assert [each.code for each in cleans] == [0] * len(cleans), cleans
    assert sum(len(each.json["runs"]) for each in cleans) > 0
    for run in project("runs", "--json").json["runs"]:
        target = project.side(f"out-{run['run']}")
        assert project("outputs", str(run["run"]), "--get", str(target)).code == 0
        assert sorted(path.name for path in target.rglob("*") if path.is_file()) == ["1", "2", "3", "all"]
    assert project("verify").code == 0


# ── stop without an engine ───────────────────────────────────────────────────────────────────────


def test_a_crashed_run_is_stopped_without_an_engine_and_can_be_resumed(
    project: Any, mark: Any, eventually: Any
) -> None:
    ready, go = project.side("ready"), project.side("go")
    crash(project, eventually, f"{FILE}; touch {ready}; test -e {go} || sleep {mark}", ready.exists, b="exit 0")
    assert project("runs", "--json").json["runs"][0]["status"] == "crashed"
    stopped = project("stop")
    assert (stopped.code, "run 1 no longer had an engine: it is now stopped" in stopped.err) == (0, True)
    assert mark.alive() == []
    shown = project("show", "--json")
    assert (shown.json["status"], shown.statuses()["a"]) == ("stopped", "stopped")
    assert "stopped by" in shown.json["because"]
    assert project("runs", "--json").json["runs"][0]["status"] == "stopped"
    assert project("wait").code == 1
    go.touch()
    resumed = project("resume", "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.statuses() == {"a": "complete", "b": "complete"}
    assert project("runs", "--json").json["runs"][0]["status"] == "complete"


def test_an_answer_for_a_crashed_run_waits_for_its_resumption(project: Any, mark: Any, eventually: Any) -> None:
    go = project.side("go")
    held = {"command": FILE, "node": {"actions": [{"when": "node-starting", "then": "require-approval"}]}}
    crash(project, eventually, f"test -e {go} || sleep {mark}", lambda: "waits for" in project("show").out, b=held)
    said = project("approve", "1", "b")
    assert (said.code, said.err) == (0, "run 1 is not running: the answer counts when it is resumed\n")
    go.touch()
    assert project("resume", "--json").statuses() == {"a": "complete", "b": "complete"}


# ── the index ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("damage", ["none", "deleted", "empty", "garbage", "cut", "flipped"])
def test_the_listing_is_the_same_whatever_becomes_of_the_index(project: Any, damage: str) -> None:
    project.pipeline({"a": "exit 0"})
    for title in ("first", "second\x1b[31m"):
        assert project("run", "-q", "--title", title).code == 0
    project.pipeline({"a": "exit 1"})
    assert project("run", "-q").code == 1
    index = project.path / ".vhpipe/index.sqlite"
    good = index.read_bytes()
    expected = project("runs", "--json").json
    at = good.index(b'"complete"')
    damaged = {
        "none": good, "empty": b"", "garbage": b"garbage" * 1000, "cut": good[:5000],
        "flipped": good[: at + 1] + b"C" + good[at + 2 :],
    }  # fmt: skip
    index.unlink()
    if damage != "deleted":
        index.write_bytes(damaged[damage])
    assert project("runs", "--json").json == expected
    assert [run["status"] for run in expected["runs"]] == ["error", "complete", "complete"]


# ── other people's state ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", ["run", "resume", "show", "runs", "clean", "verify", "stop", "logs 1 a", "outputs"])
def test_a_copied_state_folder_is_refused_by_every_command(project: Any, words: str, tmp_path: Path) -> None:
    project.pipeline({"a": FILE})
    assert project("run", "-q").code == 0
    copy = tmp_path / "copy"
    shutil.copytree(project.path, copy, ignore=shutil.ignore_patterns("wake"))
    before = sorted(str(path) for path in copy.rglob("*"))
    refused = project(*words.split(), cwd=copy)
    assert refused.code == 3
    assert "vhpipe doctor --adopt" in refused.err
    assert sorted(str(path) for path in copy.rglob("*")) == before


def test_a_planted_state_folder_is_refused_and_adopted_only_on_demand(project: Any, tmp_path: Path) -> None:
    project.pipeline({"a": FILE})
    assert project("run", "-q").code == 0
    (project.path / ".vhpipe/owner").unlink()
    assert project("run", "-q").code == 3
    examined = project("doctor")
    assert (examined.code, "vhpipe doctor --adopt" in examined.out) == (1, True)
    adopted = project("doctor", "--adopt")
    assert adopted.code == 0, adopted.err
    assert "1 run" in adopted.out
    assert list((project.path / ".vhpipe").glob("reuse/*")) == []
    assert project("show", "1").code == 0
    assert project("run", "-q").code == 0


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def test_bit_rot_is_found_and_the_command_that_helps_is_named(project: Any) -> None:
    project.pipeline({"a": FILE, "b": "echo other > $VH_OUTPUTS_DIR/other"})
    assert project("run", "-q").code == 0
    assert (project("verify").code, project("verify", "--json").json["damaged"]) == (0, [])
    stored = Path(project("outputs", "1", "--json").json["outputs"][0]["stored_at"])
    stored.chmod(0o644)
    content = bytearray(stored.read_bytes())
    content[0] ^= 1
    stored.write_bytes(content)
    found = project("verify")
    assert found.code == 1
    assert "file" in found.out
    assert "vhpipe resume 1 --from a" in found.out
    assert not stored.exists()
    assert stored.with_name(f"{stored.name}.bad").exists()
    again = project("verify", "--json")
    assert again.code == 1, "it is missing now"
