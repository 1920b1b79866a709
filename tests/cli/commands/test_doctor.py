"""What is wrong, and what to do about it."""

import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from vhpipe.schedule import events
from vhpipe.schedule.terms import Status

GOOD = "- step:\n    name: a\n    image: none\n    command: exit 0\n"


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def checks(vhpipe: Any, code: int) -> list[Any]:
    said = vhpipe("doctor", "--json")
    assert said.code == code, said
    return [check for check in json.loads(said.out)["checks"] if check["severity"] != "ok"]


def test_a_healthy_project_has_nothing_to_be_told(new_run: Any, project: Path, vhpipe: Any) -> None:
    (project / "valohai.yaml").write_text(GOOD)
    new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    before = sorted(project.rglob("*"))
    assert checks(vhpipe, 0) == []
    assert sorted(project.rglob("*")) == before
    said = vhpipe("doctor")
    assert "locks, links and pipes work" in said.out
    assert "was made by you" in said.out


def test_an_erroneous_or_missing_file_is_told(project: Path, vhpipe: Any) -> None:
    assert [check["message"] for check in checks(vhpipe, 0)] == ["there is no `valohai.yaml`"]
    (project / "valohai.yaml").write_text("- step: {}\n")
    [check] = checks(vhpipe, 1)
    assert (check["about"], check["hint"]) == ("file", "vhpipe validate valohai.yaml")


def test_crashed_and_damaged_runs_are_told_with_what_helps(new_run: Any, project: Path, vhpipe: Any) -> None:
    (project / "valohai.yaml").write_text(GOOD)
    new_run().tell(events.RunStarted(1))
    (new_run().folder.path / "plan.json").write_text("{")
    damaged, crashed = checks(vhpipe, 0)
    assert (crashed["message"], crashed["hint"]) == ("run 1 has lost its engine", "vhpipe resume 1, or vhpipe stop 1")
    assert "damaged" in damaged["message"]
    assert damaged["hint"] == "remove it: vhpipe clean --run 2"


def test_what_killed_processes_left_and_open_folders_are_told(new_run: Any, project: Path, vhpipe: Any) -> None:
    (project / "valohai.yaml").write_text(GOOD)
    root = new_run().store.root
    (root / "blobs").mkdir()
    (root / "blobs" / "new.0123.tmp").touch()
    (root / "runs" / "notes").mkdir()
    (root / ".gitignore").unlink()
    new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE)).folder.path.chmod(0o700)
    root.chmod(0o755)
    hints = {check["hint"] for check in checks(vhpipe, 0) if check["about"] == "store"}
    assert hints == {f"chmod 700 {root}", f"echo '*' > {root}/.gitignore", "move it elsewhere", "vhpipe clean"}


def test_what_the_machine_lacks_is_told(
    project: Path, vhpipe: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (project / "valohai.yaml").write_text(GOOD)
    (project / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "config" / "vhpipe").mkdir(parents=True)
    (tmp_path / "config" / "vhpipe" / "key").write_text("k" * 32)
    (tmp_path / "config" / "vhpipe" / "key").chmod(0o644)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        found = {check["about"]: check["severity"] for check in checks(vhpipe, 1)}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found == {"bash": "warning", "git": "warning", "limits": "warning", "key": "error"}


def test_a_clock_that_was_set_back_is_told(project: Path, vhpipe: Any) -> None:
    (project / "valohai.yaml").write_text(GOOD)
    os.utime(project, (4e9, 4e9))
    assert [check["about"] for check in checks(vhpipe, 0)] == ["clock"]


def test_adopting_without_need_changes_nothing(new_run: Any, project: Path, vhpipe: Any) -> None:
    assert vhpipe("doctor", "--adopt").code == 2
    new_run()
    said = vhpipe("doctor", "--adopt")
    assert (said.code, "nothing to take over" in said.out) == (0, True)


def test_a_copy_is_shown_and_taken_over(new_run: Any, project: Path, vhpipe: Any, tmp_path: Path) -> None:
    new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    shutil.copytree(project, tmp_path / "copy")
    assert vhpipe("runs", "--project", tmp_path / "copy").code == 3
    said = vhpipe("doctor", "--adopt", "--project", tmp_path / "copy")
    assert said.code == 0
    assert "taken over: 1 run, 0 stored files" in said.out
    assert "not signed by you" in said.err
    assert vhpipe("runs", "--project", tmp_path / "copy").code == 0
