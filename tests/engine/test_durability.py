"""What depends on a finished attempt starts when the end of that attempt is on disk, and not before."""

import json
import os
import selectors
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import run
from vhpipe.schedule import events
from vhpipe.store.journal import read_journal

PATIENCE_S = 20.0


class Disk:
    """What a loss of power would leave of the journal whenever a process is started. It is as slow as can be."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._copy = folder / "journal after a loss of power"
        self._copy.touch()
        self.ended_before: dict[str, set[str]] = {}
        """By the node that started: those of which an attempt had ended, as far as the disk knew."""
        self._sync, self._spawn, self._select = os.fdatasync, os.posix_spawn, selectors.DefaultSelector.select
        self._turned = threading.Condition()
        self._turns, self._engine = 0, 0
        monkeypatch.setattr(selectors.DefaultSelector, "select", lambda selector, timeout: self.turn(selector, timeout))
        monkeypatch.setattr(os, "fdatasync", self.sync)
        monkeypatch.setattr(os, "posix_spawn", self.spawn)

    def turn(self, selector: selectors.DefaultSelector, timeout: float | None) -> Any:
        """The engine has nothing to do: whatever did not wait for the disk has been started."""
        with self._turned:
            self._turns, self._engine = self._turns + 1, threading.get_ident()
            self._turned.notify_all()
        return self._select(selector, timeout)

    def sync(self, descriptor: int) -> None:
        """So slow, where the engine does not wait for it, that the engine is back in `select` before it ends."""
        if self._engine not in (0, threading.get_ident()):
            with self._turned:
                turns = self._turns
                self._turned.wait_for(lambda: self._turns > turns, PATIENCE_S)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        content = path.read_bytes()
        self._sync(descriptor)
        if path.name.startswith("journal"):
            self._copy.write_bytes(content)

    def spawn(self, program: str, words: tuple[str, ...], environment: dict[str, str], **how: Any) -> int:
        outputs = environment.get("VH_HOST_OUTPUTS_DIR") or environment["VH_OUTPUTS_DIR"]
        node = Path(outputs).parts[-3].rpartition("-")[0]
        history = [recorded.event for recorded in read_journal(self._copy)]
        self.ended_before[node] = {
            each.attempt.execution.node for each in history if isinstance(each, events.AttemptEnded)
        }
        return self._spawn(program, words, environment, **how)


def pipeline(folder: Path, commands: dict[str, str]) -> Path:
    """A file with a node for each command; `second` follows `first`."""
    steps = [{"step": {"name": name, "image": "none", "command": command}} for name, command in commands.items()]
    nodes = [{"name": name, "type": "execution", "step": name} for name in commands]
    edges = [["first.dependency.*", "second.dependency.*"]]
    path = folder / "valohai.yaml"
    path.write_text(json.dumps([*steps, {"pipeline": {"name": "p", "nodes": nodes, "edges": edges}}]))
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "project").mkdir()
    return lambda commands: pipeline(tmp_path / "project", commands)


def test_a_node_starts_when_the_end_before_it_is_on_disk(
    project: Callable[[dict[str, str]], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project({"first": "true", "second": "true"})
    disk = Disk(tmp_path, monkeypatch)
    assert run(path, quiet=True).status == "complete"
    assert disk.ended_before == {"first": set(), "second": {"first"}}


def test_a_node_waits_for_the_disk_while_others_run(
    project: Callable[[dict[str, str]], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = project({"first": "true", "second": f"echo go > '{pipe}'", "side": f"read line < '{pipe}'"})
    disk = Disk(tmp_path, monkeypatch)
    assert run(path, quiet=True, jobs=2).status == "complete"
    assert disk.ended_before["second"] == {"first"}
