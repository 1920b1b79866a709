"""Proofs use whole runs, as tests/runs does, and a library that has system calls fail."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pipelines import library, with_variables

from tests.runs.conftest import Project, eventually_fixture, mark, new_project, project

__all__ = ["eventually_fixture", "mark", "project"]


class Faults:
    """What `faults.c` can do to `vhpipe`."""

    def __init__(self, library: Path) -> None:
        self._library = library

    def variables(self, project: Any, at: int, do: str, calls: Sequence[str] = (), **more: str) -> dict[str, str]:
        """The environment in which call number `at` below `.vhpipe` is the one that fails or kills."""
        told = {"FAULT_ROOT": f"{project.path}/.vhpipe", "FAULT_AT": str(at), "FAULT_DO": do, **more}
        return {"LD_PRELOAD": str(self._library), **told, **({"FAULT_CALLS": ",".join(calls)} if calls else {})}

    def count(self, project: Any, words: Sequence[str], calls: Sequence[str] = ()) -> list[str]:
        """The calls that a run makes by which it changes files, in order: each its name and path."""
        log = project.side("calls")
        done = with_variables(project, self.variables(project, 0, "", calls, FAULT_LOG=str(log)))(*words)
        assert done.code == 0, done.err
        return [line.partition(" ")[2] for line in log.read_text().splitlines()]


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(library("faults.c", tmp_path_factory.mktemp("faults")))


@pytest.fixture
def new(tmp_path: Path) -> Callable[[], Project]:
    """A new project at every call."""
    return lambda: new_project(Path(tempfile.mkdtemp(dir=tmp_path)))


@pytest.fixture(scope="module")
def new_in_module(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    return lambda: new_project(tmp_path_factory.mktemp("module"))
