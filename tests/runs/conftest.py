"""Whole runs: a folder with a valohai.yaml, and `vhpipe` as a user calls it, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

VHPIPE = (sys.executable, "-m", "vhpipe")


class Finished(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def node(self, name: str) -> Any:
        return self.json["nodes"][name]

    def statuses(self) -> dict[str, str]:
        return {name: node["status"] for name, node in self.json["nodes"].items()}


class Project:
    """A folder in which `vhpipe` runs."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.environment = environment

    def write(self, name: str, content: str) -> Path:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        return target

    def __call__(self, *arguments: str, cwd: Path | None = None, input: str | None = None) -> Finished:
        done = subprocess.run(
            [*VHPIPE, *arguments], cwd=cwd or self.path, env=self.environment, input=input or "",
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*VHPIPE, *arguments], cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, yaml: str, *arguments: str) -> Finished:
        """Write the yaml and run it with `--json`."""
        self.write("valohai.yaml", yaml)
        return self("run", *arguments, "--json")

    def output(self, run: int, node: str, name: str, index: int = 0) -> Path:
        found = [
            path for path in (self.path / ".vhpipe/runs" / str(run) / "work").glob(f"*/{index}.*/outputs/{name}")
            if path.parts[-4].startswith(node)
        ]  # fmt: skip
        assert found, f"no output {name} of {node}#{index}"
        return sorted(found)[-1]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    keys = tmp_path / "config"
    folder = tmp_path / "project"
    folder.mkdir()
    environment = {**os.environ, "XDG_CONFIG_HOME": str(keys), "NO_COLOR": "1"}
    return Project(folder, environment)


Run = Callable[..., Finished]
