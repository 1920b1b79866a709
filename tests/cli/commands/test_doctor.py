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
from vhpipe.store.project import ProjectStore

GOOD = "- step:\n    name: a\n    image: none\n    command: exit 0\n"


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def no_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask the real tools would take most of the time here."""
    for name in ("podman", "docker"):
        tool = tmp_path / "tools" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f"#!/bin/sh\necho 'Error: {name} is out of order' >&2; exit 1\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"), prepend=os.pathsep)


def checks(vhpipe: Any, code: int) -> list[Any]:
    said = vhpipe("doctor", "--json")
    assert said.code == code, said
    found = [check for check in json.loads(said.out)["checks"] if check["about"] != "place"]
    return [check for check in found if check["severity"] != "ok"]


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


def test_adopting_says_in_json_what_was_taken_over(new_run: Any, project: Path, vhpipe: Any, tmp_path: Path) -> None:
    new_run().tell(events.RunStarted(1), events.RunEnded(Status.COMPLETE))
    shutil.copytree(project, tmp_path / "copy")
    words = ("doctor", "--adopt", "--json", "--project", tmp_path / "copy")
    told = [json.loads(vhpipe(*words).out) for _ in range(2)]
    taken = {"runs": 1, "blobs": 0, "size_bytes": 0, "damaged": [], "reuse_entries": 0, "requests": 0}
    assert told == [{"schema": 1, "adopted": taken}, {"schema": 1, "adopted": None}]


def test_a_key_is_made_by_one_command_whose_output_a_shell_can_read(
    project: Path, vhpipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "my key"
    said = vhpipe("doctor", "--make-key", key)
    assert (said.code, said.out) == (0, f"export VHPIPE_KEY_FILE='{key}'\n")
    assert (key.stat().st_mode & 0o777, len(key.read_text().strip())) == (0o600, 64)
    monkeypatch.setenv("VHPIPE_KEY_FILE", str(key))
    ProjectStore.create(project)
    shutil.copytree(project, tmp_path / "copy")
    assert ProjectStore.open(tmp_path / "copy").runs() == ()


def test_a_key_is_never_written_over_and_never_part_of_the_project(
    project: Path, vhpipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(vhpipe("doctor", "--json", "--make-key", tmp_path / "key").out)
    assert told == {"schema": 1, "variable": "VHPIPE_KEY_FILE", "key_file": str(tmp_path / "key")}
    before = (tmp_path / "key").read_bytes()
    again = vhpipe("doctor", "--make-key", tmp_path / "key")
    assert (again.code, "already" in again.err, (tmp_path / "key").read_bytes()) == (2, True, before)
    (project / "valohai.yaml").write_text(GOOD)
    inside = vhpipe("doctor", "--make-key", project / "key")
    assert (inside.code, "part of the project's code" in inside.err) == (2, True)
    assert not (project / "key").exists()
    assert vhpipe("doctor", "--make-key", tmp_path / "none/key").code == 4
    assert vhpipe("doctor", "--adopt", "--make-key", tmp_path / "other").code == 2
    assert {path.name for path in tmp_path.glob("*key*")} == {"key"}


def test_a_missing_key_names_the_command_that_makes_it(
    project: Path, vhpipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VHPIPE_KEY_FILE", "/nowhere/key")
    (project / ".vhpipe").mkdir()
    (project / ".vhpipe/owner").write_text(json.dumps({"uid": os.geteuid(), "signature": "0", "id": "1"}))
    assert "hint: make it once, and keep it: vhpipe doctor --make-key FILE" in vhpipe("runs").err
