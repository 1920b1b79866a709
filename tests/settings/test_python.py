import os
import sys
from pathlib import Path

import pytest

from vhpipe.errors import UsageError
from vhpipe.settings.python import find_python


def make_python(folder: Path, name: str = "python") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder


def make_environment(folder: Path) -> Path:
    make_python(folder / "bin")
    (folder / "pyvenv.cfg").write_text("")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    folder = tmp_path / "repository" / "sub" / "project"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def system(tmp_path: Path) -> dict[str, str]:
    return {"PATH": str(make_python(tmp_path / "system"))}


def test_the_choice_beats_all_and_may_be_an_environment_a_folder_or_an_interpreter(
    project: Path, tmp_path: Path, system: dict[str, str]
) -> None:
    make_environment(project / ".venv")
    active = make_environment(tmp_path / "active")
    chosen = make_environment(tmp_path / "chosen")
    for choice in (chosen, chosen / "bin", chosen / "bin" / "python"):
        python = find_python(project, str(choice), {**system, "VIRTUAL_ENV": str(active)})
        assert (python.folder, python.variables) == (chosen / "bin", {"VIRTUAL_ENV": str(chosen)})


def test_a_choice_without_a_python_is_bad_usage(project: Path, tmp_path: Path) -> None:
    for choice in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="no python in"):
            find_python(project, str(choice), {})


def test_an_active_environment_beats_that_of_the_project(project: Path, tmp_path: Path, system: dict[str, str]) -> None:
    make_environment(project / ".venv")
    active = make_environment(tmp_path / "active")
    conda = make_python(tmp_path / "conda" / "bin").parent
    (conda / "conda-meta").mkdir()
    assert find_python(project, None, {**system, "VIRTUAL_ENV": str(active)}).folder == active / "bin"
    python = find_python(project, None, {**system, "CONDA_PREFIX": str(conda)})
    assert (python.folder, python.variables) == (conda / "bin", {"CONDA_PREFIX": str(conda)})


def test_an_environment_that_is_active_but_gone_does_not_count(project: Path, system: dict[str, str]) -> None:
    own = make_environment(project / ".venv")
    assert find_python(project, None, {**system, "VIRTUAL_ENV": "/gone", "CONDA_PREFIX": ""}).folder == own / "bin"


def test_the_projects_environment_is_looked_for_up_to_the_root_of_the_repository(
    project: Path, tmp_path: Path, system: dict[str, str]
) -> None:
    make_environment(tmp_path / ".venv")
    assert find_python(project, None, system).folder is None
    root = make_environment(project.parent.parent / "venv")
    assert find_python(project, None, system).folder == root / "bin"
    near = make_environment(project / ".venv")
    assert find_python(project, None, system).folder == near / "bin"


def test_without_a_repository_only_the_project_itself_is_looked_at(tmp_path: Path, system: dict[str, str]) -> None:
    make_environment(tmp_path / ".venv")
    (tmp_path / "project").mkdir()
    assert find_python(tmp_path / "project", None, system).folder is None


def test_else_path_decides_and_only_if_it_has_none_comes_our_own_behind_it(
    project: Path, tmp_path: Path, system: dict[str, str]
) -> None:
    python = find_python(project, None, system)
    assert (python.folder, python.after_path) == (None, False)
    assert system["PATH"] in python.reason
    (tmp_path / "empty").mkdir()
    last = find_python(project, None, {"PATH": str(tmp_path / "empty")})
    assert (last.folder, last.after_path) == (Path(os.path.dirname(sys.executable)), True)
