"""What a run says before it starts."""

import os
import sys
from pathlib import Path

import pytest

from vhpipe.plan.model import Plan, PlannedExecution, StepSpec
from vhpipe.project.start_notices import said_before_start
from vhpipe.settings.python import find_python


def plan_with(command: str) -> Plan:
    spec = StepSpec(step="s", image="i", command=(command,))
    return Plan("p", (PlannedExecution("n", spec),), notices=("an edge is cut",), ignored=("image: not used",))


@pytest.fixture
def shared_python(tmp_path: Path) -> dict[str, str]:
    """A PATH with an interpreter that belongs to no virtual environment."""
    programs = tmp_path / "usr" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    return {"PATH": str(programs)}


def said(command: str, project: Path, environ: dict[str, str]) -> list[str]:
    return list(said_before_start(plan_with(command), find_python(project, None, environ), environ))


def test_pip_install_outside_of_a_virtual_environment_is_warned_about(
    tmp_path: Path, shared_python: dict[str, str]
) -> None:
    warning = said("pip install -r r.txt", tmp_path, shared_python)[1]
    assert f"`pip install` in a step changes {shared_python['PATH']}/python" in warning


@pytest.mark.parametrize("command", ["python train.py", "pip list"])
def test_steps_that_install_nothing_are_not(tmp_path: Path, shared_python: dict[str, str], command: str) -> None:
    assert said(command, tmp_path, shared_python)[1:] == ["an edge is cut", "not honoured here: image: not used"]


def test_pip_install_into_a_virtual_environment_is_nobody_elses_business(tmp_path: Path) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("")
    assert not any("pip install" in text for text in said("pip install x", tmp_path, {"PATH": os.defpath}))
