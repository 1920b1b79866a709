"""Whole runs in containers, with the tools that are here. All of it is long; `make test-places` runs it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.places import container_tools
from tests.runs.conftest import Finished, Project, eventually, eventually_fixture, mark

__all__ = ["eventually_fixture", "mark"]

HERE = os.path.dirname(__file__)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(HERE) and "tool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


class ContainerProject(Project):
    """A project whose runs are in containers of `tool`."""

    tool: str

    def pipeline(self, nodes: Mapping[str, Any], edges: Sequence[Any] = (), more: Sequence[Any] = ()) -> Path:
        named = {
            name: {"image": container_tools.IMAGE, **(dict(given) if isinstance(given, dict) else {"command": given})}
            for name, given in nodes.items()
        }
        return super().pipeline(named, edges, more)

    def in_containers(self, *words: str) -> Finished:
        """`vhpipe run --in TOOL --json` with these words."""
        return self("run", "--in", self.tool, "--json", *words)

    def journal(self) -> list[dict[str, Any]]:
        """The events of the first run."""
        content = (self.path / ".vhpipe/runs/1/journal").read_text()
        return [json.loads(line[9:])["event"] for line in content.splitlines()]

    def kept(self, name: str) -> str:
        """The content of the only output of that name."""
        (found,) = self.path.glob(f".vhpipe/runs/*/work/*/*/outputs/{name}")
        return found.read_text()

    def log(self, done: Finished, node: str, index: int = 0) -> str:
        path = Path(done.node(node)["executions"][index]["attempts"][-1]["log"])
        return path.read_text() if path.exists() else ""


@pytest.fixture(params=tuple(container_tools.TOOLS))
def tool(request: pytest.FixtureRequest) -> str:
    container_tools.need(str(request.param))
    return str(request.param)


@pytest.fixture
def project(tool: str, tmp_path: Path) -> Iterator[ContainerProject]:
    """Nothing of its runs is left at the end, however they were ended."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = ContainerProject(folder, {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "NO_COLOR": "1"})
    made.tool = tool
    yield made
    assert_nothing_is_left(made)


def assert_nothing_is_left(project: ContainerProject) -> None:
    """No container, monitor, client or mount of runs of this project; what ends of itself is given a moment."""
    label = f"vhpipe.folder={project.path}"
    eventually(lambda: not _containers(project), timeout_s=30)
    eventually(lambda: not list(_helpers(project)), timeout_s=30)
    assert str(project.path) not in Path("/proc/self/mountinfo").read_text(), label


def _containers(project: ContainerProject) -> list[str]:
    words = [project.tool, "ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Labels}}"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if str(project.path) in line]


def _helpers(project: ContainerProject) -> Iterator[psutil.Process]:
    """Living processes of a tool or of vhpipe that name the folder or a container, or that work in the folder."""
    runs = [json.loads(path.read_bytes())["identifier"][:8] for path in project.path.glob(".vhpipe/runs/*/run.json")]
    folder = str(project.path)
    names = (folder, *(f"-{run}" for run in runs))
    for process in psutil.process_iter():
        try:
            inside = folder in process.cwd() or any(name in word for word in process.cmdline() for name in names)
            if inside and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                yield process
        except (psutil.Error, OSError):
            continue
