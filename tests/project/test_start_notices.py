"""What a run says before it starts."""

import os
import sys
from pathlib import Path

import pytest

from vhpipe.engine.order import Order
from vhpipe.plan.model import Plan, PlannedExecution, StepSpec
from vhpipe.project.environments import environments_of
from vhpipe.project.start_notices import said_before_start
from vhpipe.settings.python import find_python
from vhpipe.store.run_folder import EnvironmentMode


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


def said(command: str, project: Path, environ: dict[str, str], mode: EnvironmentMode = "none") -> list[str]:
    plan, python = plan_with(command), find_python(project, None, environ)
    makes = environments_of(plan, project, python, mode) is not None
    order = Order(plan, project, 1, {}, environments=mode, makes_environments=makes)
    return list(said_before_start(order, python, environ))


def test_pip_install_outside_of_a_virtual_environment_is_warned_about(
    tmp_path: Path, shared_python: dict[str, str]
) -> None:
    warning = said("pip install -r r.txt", tmp_path, shared_python)[1]
    assert f"`pip install` in a step changes {shared_python['PATH']}/python" in warning


@pytest.mark.parametrize("command", ["python train.py", "pip list"])
def test_steps_that_install_nothing_are_not(tmp_path: Path, shared_python: dict[str, str], command: str) -> None:
    assert said(command, tmp_path, shared_python)[1:] == ["an edge is cut", "not honoured here: image: not used"]


def test_steps_that_install_get_an_environment_of_their_own(tmp_path: Path, shared_python: dict[str, str]) -> None:
    told = said("pip install x", tmp_path, shared_python, "auto")
    assert told[1] == "`n` installs packages and gets an environment of its own above this Python"
    assert said("echo x", tmp_path, shared_python, "auto")[1] == "an edge is cut"


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_an_environment_of_the_user_is_changed_after_a_warning(tmp_path: Path, mode: EnvironmentMode) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("")
    told = said("pip install x", tmp_path, {"PATH": os.defpath}, mode)[1]
    assert told == f"warning: `pip install` in a step changes {programs}/python, an environment of yours"
    assert said("pip list", tmp_path, {"PATH": os.defpath}, mode)[1] == "an edge is cut"


@pytest.mark.parametrize("chosen", ["python", ""])
def test_a_chosen_interpreter_outside_of_environments_is_one_to_make_them_from(
    tmp_path: Path, shared_python: dict[str, str], chosen: str
) -> None:
    plan, python = plan_with("pip install x"), find_python(tmp_path, f"{shared_python['PATH']}/{chosen}", {})
    assert environments_of(plan, tmp_path, python, "auto") == ""
    assert environments_of(plan, tmp_path, python, "none") is None
