import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from vhpipe.code.snapshot import take_snapshot
from vhpipe.schedule.terms import Status
from vhpipe.store.garbage import CleaningChoice, find_garbage
from vhpipe.store.project import ProjectStore
from vhpipe.store.scratch import scratch_folder
from vhpipe.store.snapshots import save_snapshot


@pytest.fixture
def failed(new_run: Any, project: Path) -> Path:
    """The folder of a failed execution, whose working copy was kept."""
    run = new_run().started("train", 2)
    folder = run.attempt("train", 1)
    (folder / "command.sh").write_text("echo learning\nexit 4\n")
    (folder / "environment.json").write_text(json.dumps({"VH_PARAM_EPOCHS": "5", "PATH": os.environ["PATH"]}))
    (folder / "repository").mkdir()
    (folder / "repository" / "train.py").write_text("left")
    run.end("train", 1, outcome=Status.ERROR, exit_code=4)
    return folder


def test_a_command_runs_where_the_execution_ran_with_its_variables(failed: Path, vhpipe: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("MINE", "1")
    text = 'pwd; cat train.py; echo; echo "$VH_PARAM_EPOCHS $VH_REPOSITORY_DIR ${MINE-unset}"'
    said = vhpipe("shell", 1, "train#1", "-c", text)
    repository = str(failed / "repository")
    assert said.out.splitlines() == [repository, "left", f"5 {repository} unset"]
    assert said.code == 0


def test_the_exit_code_is_that_of_the_command(failed: Path, vhpipe: Any) -> None:
    assert vhpipe("shell", 1, "train#1", "-c", "sh ../command.sh") == (4, "learning\n", "")
    assert vhpipe("shell", 1, "train#1", "-c", "kill -TERM $$").code == 143


def test_the_command_is_printed(failed: Path, vhpipe: Any) -> None:
    assert vhpipe("shell", 1, "train#1", "--command").out == "echo learning\nexit 4\n"


def test_the_shell_is_the_users_and_says_where_one_is(
    failed: Path, vhpipe: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    shell = tmp_path / "my-shell"
    shell.write_text("#!/bin/sh\npwd\nexit 7\n")
    shell.chmod(0o755)
    monkeypatch.setenv("SHELL", str(shell))
    said = vhpipe("shell", 1, "train#1")
    assert (said.code, said.out) == (7, f"{failed / 'repository'}\n")
    assert "train#1" in said.err
    assert "run its command again: bash ../command.sh" in said.err


def test_a_copy_of_the_code_is_made_where_none_was_kept(new_run: Any, project: Path, vhpipe: Any) -> None:
    (project / "train.py").write_text("print('as of the start')")
    run = new_run().started("prepare")
    save_snapshot(take_snapshot(project, run.store.blobs), run.folder.path)
    folder = run.attempt("prepare")
    run.end("prepare")
    (project / "train.py").write_text("changed since")
    for _ in range(2):
        said = vhpipe("shell", 1, "prepare", "-c", "cat train.py; echo changed > train.py; rm -r $VH_CONFIG_DIR")
        assert (said.code, said.out) == (0, "print('as of the start')")
        assert list(folder.iterdir()) == []
        assert list((project / ".vhpipe/scratch").iterdir()) == []


def test_the_latest_run_is_meant_where_none_is_named(failed: Path, vhpipe: Any) -> None:
    assert vhpipe("shell", "train#1", "-c", "cat train.py").out == "left"


def test_a_command_behind_two_dashes_is_run_and_gives_the_exit_code(failed: Path, vhpipe: Any) -> None:
    said = vhpipe("shell", "train#1", "--", "sh", "-c", 'echo "$0 $VH_PARAM_EPOCHS"; exit 9', "--tail", "a b")
    assert said == (9, "--tail 5\n", "")
    assert vhpipe("shell", 1, "train#1", "--", "no-such-program").code == 4


@pytest.mark.parametrize("words", [(), (1, "train#1", "more")])
def test_what_is_missing_or_too_much_is_said(failed: Path, vhpipe: Any, words: Any) -> None:
    said = vhpipe("shell", *words)
    assert said.code == 2
    assert "vhpipe shell [RUN] NODE" in said.err or "behind `--`" in said.err


def test_what_was_left_by_a_shell_that_was_killed_is_cleaned(failed: Path, project: Path, vhpipe: Any) -> None:
    left = project / ".vhpipe/scratch/0123456789abcdef"
    (left / "outputs").mkdir(parents=True)
    vhpipe("clean", "--keep", 5)
    assert left.exists(), "its shell may have just begun"
    store = ProjectStore.open(project)
    assert os.fspath(left) in find_garbage(store, CleaningChoice(5), time.time() + 7200).leftovers
    with scratch_folder(store) as used:
        found = find_garbage(store, CleaningChoice(5), time.time() + 7200).leftovers
        assert os.fspath(used) not in found


def test_an_execution_that_never_started_has_no_place(new_run: Any, vhpipe: Any) -> None:
    new_run().live().started("train", 3)
    said = vhpipe("shell", 1, "train#2", "-c", "true")
    assert said.code == 2
    assert "has not started" in said.err


def test_of_several_executions_one_must_be_named(failed: Path, vhpipe: Any) -> None:
    said = vhpipe("shell", 1, "train", "-c", "true")
    assert said.code == 2
    assert "`train#1`" in said.err
