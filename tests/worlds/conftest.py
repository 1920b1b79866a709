"""Whole runs on poorer file systems, which a library plays, and on real ones in namespaces of mounts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.conftest import Project, eventually_fixture, new_project, project

__all__ = ["eventually_fixture", "project"]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`worlds.c` for LD_PRELOAD."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("calls of the system are changed by a library, which takes a C compiler and Linux")
    made = tmp_path_factory.mktemp("worlds") / "worlds.so"
    source = Path(__file__).with_name("worlds.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", made, source, "-ldl"], check=True)
    return made


class World:
    """A project on a file system that lacks something."""

    def __init__(self, project: Project, library: Path) -> None:
        self.project, self._library = project, library

    def poorer(self, *lacks: str, device: int = 0, number: int = 0) -> Project:
        """The project below which these are lacking; see `worlds.c`. They fail with `number`, if one is given."""
        told = {"LD_PRELOAD": str(self._library), "WORLD_ROOT": f"{self.project.path}", "WORLD_LACKS": ",".join(lacks),
                "WORLD_DEVICE": str(device), **({"WORLD_ERRNO": str(number)} if number else {})}  # fmt: skip
        return Project(self.project.path, {**self.project.environment, **told})


@pytest.fixture
def world(project: Project, library: Path) -> World:
    demo(project)
    return World(project, library)


def demo(project: Project) -> None:
    """Two nodes with an edge between them, and a script that must be executable."""
    project.write("make.sh", "#!/bin/sh\necho made $1 > $VH_OUTPUTS_DIR/sub/made.txt\n").chmod(0o755)
    make = {"command": "mkdir $VH_OUTPUTS_DIR/sub; sh ./make.sh {parameter-value:n}",
            "parameters": [{"name": "n", "type": "integer", "default": 1}]}  # fmt: skip
    use = {"command": "cat $VH_INPUTS_DIR/x/* > $VH_OUTPUTS_DIR/used.txt", "inputs": [{"name": "x"}]}
    project.pipeline({"make": make, "use": use}, [["make.output.*", "use.input.x"]])


@pytest.fixture
def mounts() -> None:
    """Skips where this user may not mount anything, not even for one process."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("mounting takes root and `unshare`")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let processes have mounts of their own")


@pytest.fixture
def new(tmp_path: Path) -> Project:
    return new_project(tmp_path)
