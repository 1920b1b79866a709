"""Whole runs: a folder with a valohai.yaml, and `vhpipe` as a user calls it, in a process of its own."""

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.warm import vhpipe

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
        done = vhpipe.run(arguments, cwd or self.path, self.environment, input or "")
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A process in a session of its own; its text is read with `communicate`."""
        return subprocess.Popen(
            [*VHPIPE, *arguments], cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def terminal(self, *arguments: str, **environment: str) -> "Terminal":
        """The same at a terminal of 100 columns; a variable that is empty is not set."""
        return self.at_terminal([*VHPIPE, *arguments], environment)

    def at_terminal(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> "Terminal":
        variables = {**self.environment, "TERM": "xterm", **(environment or {})}
        return Terminal(list(words), self.path, {name: text for name, text in variables.items() if text})

    def pipeline(self, nodes: Mapping[str, Any], edges: Sequence[Any] = (), more: Sequence[Any] = ()) -> Path:
        """Write a valohai.yaml with one pipeline `p` and a step for each of its nodes.

        A node is its command, or a dict with `command`, any other properties of its step, and `node` for
        properties of the node itself.
        """
        items: list[Any] = []
        listed: list[Any] = []
        for name, given in nodes.items():
            step = dict(given) if isinstance(given, dict) else {"command": given}
            node = {"name": name, "type": "execution", "step": name, **step.pop("node", {})}
            listed.append(node)
            if node["type"] == "deployment":
                del node["step"]
            else:
                items.append({"step": {"name": name, "image": "none", **step}})
        items += [*more, {"pipeline": {"name": "p", "nodes": listed, "edges": list(edges)}}]
        return self.write("valohai.yaml", json.dumps(items, indent=1))

    def side(self, name: str) -> Path:
        """A file outside of the project, by which a step tells a test something."""
        return self.path.parent / name

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

    def seen(self, node: str, index: int = 0, run: int = 1) -> Any:
        """What a step wrote into its output `seen.json`."""
        return json.loads(self.output(run, node, "seen.json", index).read_text())

    def plain(self, yaml: str, *arguments: str) -> Finished:
        """Run with `--json` and with the Python of the tests for the steps: it has valohai-utils."""
        return self.run(yaml, "--python", sys.executable, *arguments)


@pytest.fixture
def log_of() -> "Callable[..., str]":
    return _log_of


def _log_of(done: Finished, node: str, index: int = 0) -> str:
    """All that the last attempt of an execution printed; a silent one may have no log at all."""
    log = Path(done.node(node)["executions"][index]["attempts"][-1]["log"])
    return log.read_text() if log.exists() else ""


class Terminal:
    """A process with a controlling terminal; what it has written there stands in `text`."""

    def __init__(self, words: list[str], cwd: Path, environment: dict[str, str]) -> None:
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            termios.tcsetwinsize(0, (40, 100))
            os.execve(words[0], words, environment)
        self.text = ""

    def read_until(self, wanted: str, timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"no `{wanted}` in {self.text!r}"
            assert self._read(0.2), f"it ended without `{wanted}`: {self.text!r}"

    def send(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self._descriptor)

    def wait(self, timeout_s: float = 20.0) -> int:
        """The exit code; everything that was written has been read by then."""
        deadline = time.monotonic() + timeout_s
        while self._read(0.2):
            assert time.monotonic() < deadline, f"it goes on: {self.text!r}"
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, patience_s: float) -> bool:
        """False when nobody has the terminal any more."""
        if not select.select([self._descriptor], [], [], patience_s)[0]:
            return True
        try:
            content = os.read(self._descriptor, 1 << 16)
        except OSError:
            return False
        self.text += content.decode(errors="replace")
        return bool(content)


def eventually(fact: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """The first true value of `fact`, which is asked until then."""
    deadline = time.monotonic() + timeout_s
    while not (found := fact()):
        assert time.monotonic() < deadline, f"it never came true: {fact}"
        time.sleep(0.01)
    return found


class Mark:
    """A number of seconds that no other process sleeps: `sleep {mark}` is found again, whatever became of it."""

    def __init__(self) -> None:
        self.text = f"86400.{time.time_ns()}{os.getpid()}"

    def __str__(self) -> str:
        return self.text

    def alive(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._sleeps(process)]

    def _sleeps(self, process: psutil.Process) -> bool:
        try:
            return self.text in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@pytest.fixture
def mark() -> Iterator[Mark]:
    made = Mark()
    yield made
    for process in made.alive():
        process.kill()


def new_project(folder: Path) -> Project:
    project = folder / "project"
    project.mkdir()
    return Project(project, {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "NO_COLOR": "1"})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One folder for a module whose tests look at the same run."""
    return new_project(tmp_path_factory.mktemp("shared"))


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


Run = Callable[..., Finished]
