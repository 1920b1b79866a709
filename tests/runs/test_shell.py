"""`vhpipe shell` of whole runs: in the place of the execution, at a terminal, as root and as an ordinary user."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from vhpipe.engine.places_here import folder_trial

COMMAND = ["echo made > /valohai/outputs/x", "cat /valohai/inputs/d/in.txt", "python none.py"]
WHERE = "pwd; ls /valohai; cat /valohai/outputs/x; ls $VH_INPUTS_DIR/d; touch /valohai/inputs/new"
NEEDS_FOLDER = pytest.mark.skipif(folder_trial().way is None, reason="this machine does not let steps have /valohai")


def with_failure(project: Any) -> None:
    """A project whose only node fails where it has `/valohai`."""
    project.write("in.txt", "input")
    inputs = [{"name": "d", "default": f"file://{project.path}/in.txt"}]
    project.pipeline({"a": {"command": COMMAND, "inputs": inputs}})


@NEEDS_FOLDER
def test_a_shell_has_the_folders_of_the_step_where_the_step_had_them(project: Any) -> None:
    with_failure(project)
    assert project("run").code == 1
    shown = project("shell", "a", "-c", WHERE)
    assert shown.out.splitlines() == [
        "/valohai/repository", "command.sh", "config", "inputs", "outputs", "repository", "made", "in.txt",
    ]  # fmt: skip
    assert "Read-only file system" in shown.err
    assert not Path("/valohai/command.sh").exists()
    missing = project("shell", "a", "--", "./none")
    assert missing.code == 4
    assert "cannot start `./none`: No such file" in missing.err
    assert "SHELL" not in missing.err
    assert project("shell", "a", "-c", "kill -TERM $$").code == 143


@NEEDS_FOLDER
def test_what_cannot_be_had_any_more_is_said_and_the_folders_are_found_by_their_variables(project: Any) -> None:
    with_failure(project)
    project("run")
    info = next(project.path.glob(".vhpipe/runs/1/run.json"))
    info.write_text(info.read_text().replace('"place":"local"', '"place":"podman"'))
    shown = project("shell", "a", "-c", "cat $VH_OUTPUTS_DIR/x; pwd; touch $VH_INPUTS_DIR/new")
    assert shown.out.startswith("made\n/")
    assert "it ran in podman; this shell is on the machine itself" in shown.err


@pytest.mark.long
@pytest.mark.parametrize("place", ["local", pytest.param("process", marks=pytest.mark.long)])
def test_at_a_terminal_it_is_a_shell_with_its_jobs(project: Any, place: str) -> None:
    project.pipeline({"a": "echo made > $VH_OUTPUTS_DIR/x; exit 3"})
    project("run", "--in", place)
    terminal = project.terminal("shell", "a", SHELL=shutil.which("bash") or "/bin/sh", PS1="> ")
    terminal.read_until("leave with exit")
    terminal.send("echo so-$((1 + 1)) $(tty) $(cat $VH_OUTPUTS_DIR/x); exit 5\n")
    terminal.read_until("so-2 /dev/")
    assert terminal.wait() == 5
    assert "job control" not in terminal.text
    assert list((project.path / ".vhpipe/scratch").iterdir()) == []


@NEEDS_FOLDER
@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; others are ordinary users already")
def test_an_ordinary_user_has_it_too_and_hears_of_what_fails_there(project: Any) -> None:
    with_failure(project)
    (project.path / "valohai.yaml").write_text(
        (project.path / "valohai.yaml").read_text().replace("python none.py", "sudo -n true")
    )
    project.side("home").mkdir()
    for path in (project.path, *project.path.iterdir(), project.side("home")):
        os.chown(path, 1000, 1000)
    shared = Path(tempfile.gettempdir())
    for path in project.path.parents:
        if shared in path.parents:
            path.chmod(0o755)
    ran = as_user(project.path, "run")
    assert ran.returncode == 1, ran.stderr
    (said,) = (line for line in ran.stderr.splitlines() if "`sudo` of `a`" in line)
    assert "--in process" in said
    shown = as_user(project.path, "shell", "a", "--", "sh", "-c", f"id -u; {WHERE}")
    assert shown.stdout.splitlines()[:2] == ["1000", "/valohai/repository"], shown.stderr
    assert "Read-only file system" in shown.stderr


def as_user(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`vhpipe` of an ordinary user, by a Python that he may use."""
    search = os.pathsep.join([str(Path(__file__).parents[2]), *filter(os.path.isdir, sys.path)])
    own = {"PATH": os.defpath, "HOME": str(folder.parent / "home"), "PYTHONPATH": search}
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-m", "vhpipe", *arguments], cwd=folder, env=own, capture_output=True, text=True, user=1000,
                group=1000, extra_groups=[], timeout=60,
            )  # fmt: skip
        except OSError:
            continue
        if "No module named" not in done.stderr:
            return done
    pytest.skip("an ordinary user has no Python that could run vhpipe")
