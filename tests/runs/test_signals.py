"""Ctrl-C, TERM, kill -9: what ends a run from outside, how it is recorded, and that no process of it is left."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

TREE = """
sleep {mark} &
setsid sleep {mark} &
(setsid bash -c 'sleep {mark} & sleep {mark}' &)
env -i setsid sleep {mark} &
(setsid env -i setsid sleep {mark} > /dev/null 2>&1 &)
touch {ready}
wait
sleep {mark}
"""
STUBBORN = "trap '' TERM INT HUP; . ./tree.sh"
SLEEPERS = 6


@pytest.fixture(autouse=True)
def hangup_is_heard() -> Iterator[None]:
    """Also where the tests themselves were started with `nohup`, which every run would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


class Tree:
    """A run whose one step has made a tree of sleeping processes."""

    def __init__(self, project: Any, mark: Any, eventually: Any, command: str = ". ./tree.sh") -> None:
        self.mark, self.eventually, self.project = mark, eventually, project
        project.write("tree.sh", TREE.format(mark=mark, ready=project.side("ready")))
        never = {"command": "echo", "inputs": [{"name": "x"}]}
        nodes = {"first": "echo early > $VH_OUTPUTS_DIR/early", "grow": command, "never": never}
        project.pipeline(nodes, [["grow.output.*", "never.input.x"]])
        self.process = project.start("run", "-j", "1", "--json")
        eventually(lambda: project.side("ready").exists() and len(mark.alive()) >= SLEEPERS)

    @property
    def engine(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=30)
        assert "Traceback" not in err
        return self.process.returncode, out, err


@pytest.fixture
def tree(project: Any, mark: Any, eventually: Any) -> Tree:
    return Tree(project, mark, eventually)


def assert_stopped(tree: Tree, number: int) -> None:
    code, _, err = tree.end()
    assert code == 128 + number, err
    assert tree.mark.alive() == []
    shown = tree.project("show", "--json")
    assert shown.json["status"] == "stopped"
    assert shown.statuses() == {"first": "complete", "grow": "stopped", "never": "skipped"}
    assert signal.Signals(number).name in shown.json["because"]
    assert tree.project("wait", "latest").code == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_to_the_process_stops_the_run_and_all_it_started(tree: Tree, number: int) -> None:
    os.kill(tree.process.pid, number)
    assert_stopped(tree, number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_to_the_process_group_stops_the_run(tree: Tree, number: int) -> None:
    os.killpg(tree.process.pid, number)
    assert_stopped(tree, number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_to_the_process_group_leaves_the_grace(project: Any, eventually: Any, number: int) -> None:
    ready, said = project.side("ready"), project.side("said")
    slowly = f"trap 'sleep 0.5; echo bye > {said}; exit' TERM"
    project.pipeline({"a": [slowly, f"touch {ready}; while :; do sleep 0.05; done"]})
    process = project.start("run", "--json")
    eventually(ready.exists)
    os.killpg(process.pid, number)
    process.communicate(timeout=20)
    assert said.exists()


def test_a_second_ctrl_c_does_not_wait_for_steps_that_do_not_end(project: Any, mark: Any, eventually: Any) -> None:
    tree = Tree(project, mark, eventually, STUBBORN)
    os.kill(tree.process.pid, signal.SIGINT)
    stopping = tree.project.path / ".vhpipe/runs/1/journal"
    eventually(lambda: "RunStopping" in stopping.read_text())
    os.kill(tree.process.pid, signal.SIGINT)
    assert_stopped(tree, signal.SIGINT)


@pytest.mark.long
@pytest.mark.parametrize("ends_by_itself", [True, False], ids=["complete", "stopped"])
def test_a_second_ctrl_c_does_not_wait_for_large_outputs(project: Any, eventually: Any, ends_by_itself: bool) -> None:
    waits = "" if ends_by_itself else "; sleep 60"
    project.pipeline({"a": f"truncate -s 200G $VH_OUTPUTS_DIR/large; touch {project.side('ready')}{waits}"})
    process = project.start("run", "--json")
    eventually(project.side("ready").exists)
    journal = project.path / ".vhpipe/runs/1/journal"
    os.kill(process.pid, signal.SIGINT)
    eventually(lambda: "RunStopping" in journal.read_text())
    time.sleep(0.6)  # one that comes sooner is taken for the first
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "outputs are not stored, for the run was asked to end at once: they are in" in err
    (left,) = project.path.glob(".vhpipe/runs/1/work/*/0.1/outputs/large")
    assert left.stat().st_size == 200 << 30


@pytest.mark.long
def test_ctrl_c_does_not_wait_for_the_verification_of_large_results(project: Any, eventually: Any) -> None:
    project.pipeline({"a": "truncate -s 2G $VH_OUTPUTS_DIR/large"})
    assert project("run", "--reuse").code == 0
    (blob,) = (path for path in project.path.glob(".vhpipe/blobs/*/*") if path.stat().st_size == 2 << 30)
    os.truncate(blob, 200 << 30)
    process = project.start("run", "--reuse", "--json")
    journal = project.path / ".vhpipe/runs/2/journal"
    eventually(lambda: journal.exists() and "RunStarted" in journal.read_text())
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert blob.exists()


@pytest.mark.long
def test_what_ignores_a_signal_is_killed_after_the_grace(project: Any, mark: Any, eventually: Any) -> None:
    tree = Tree(project, mark, eventually, STUBBORN)
    os.kill(tree.process.pid, signal.SIGTERM)
    assert_stopped(tree, signal.SIGTERM)


def test_ctrl_c_at_a_terminal_stops_the_run(project: Any, mark: Any, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"a": f"touch {ready}; sleep {mark}"})
    terminal = project.terminal("run")
    eventually(ready.exists)
    terminal.send("\x03")
    assert terminal.wait() == 130
    assert mark.alive() == []
    assert "stopped" in terminal.text
    assert project("show", "--json").json["status"] == "stopped"


def test_a_closed_terminal_stops_the_run(project: Any, mark: Any, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"a": f"touch {ready}; sleep {mark}"})
    terminal = project.terminal("run")
    eventually(ready.exists)
    terminal.hang_up()
    eventually(lambda: project("show", "--json").json["status"] == "stopped")
    eventually(lambda: not mark.alive())


def test_a_killed_engine_leaves_nothing_and_is_told_of(tree: Tree) -> None:
    tree.engine.kill()
    code, out, err = tree.end()
    assert (code, out) == (4, "")
    assert "the engine was killed by SIGKILL" in err.splitlines()[-1]
    assert tree.mark.alive() == []
    assert_crashed_and_usable(tree.project)


def test_a_killed_supervisor_takes_the_run_with_it(tree: Tree) -> None:
    engine = tree.engine
    tree.process.kill()
    tree.process.wait()
    tree.eventually(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE)
    assert tree.mark.alive() == []
    assert_crashed_and_usable(tree.project)


def assert_crashed_and_usable(project: Any) -> None:
    shown = project("show", "--json")
    assert shown.json["status"] == "crashed"
    assert shown.statuses()["first"] == "complete"
    assert shown.statuses()["grow"] == "crashed"
    assert project("wait", "1").code == 4
    assert "crashed" in project("runs").out
    assert project("stop", "1").code == 0
    assert "stopped" in project("runs").out
    project.pipeline({"first": "echo again"})
    assert project("run", "--json").json["run"] == 2


def test_both_killed_and_what_is_left_does_not_hinder_the_next_run(tree: Tree) -> None:
    engine = tree.engine
    os.kill(tree.process.pid, signal.SIGSTOP)
    engine.kill()
    tree.process.kill()
    tree.process.wait()
    assert_crashed_and_usable(tree.project)


def test_a_step_gets_a_chance_to_end_well(project: Any, eventually: Any) -> None:
    ready, said = project.side("ready"), project.side("said")
    project.pipeline({"a": f"trap 'echo bye > {said}; exit 3' TERM; touch {ready}; while :; do sleep 0.05; done"})
    process = project.start("run", "--json")
    eventually(ready.exists)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, said.read_text()) == (143, "bye\n")
    assert '"exit_code": 3' in out


def test_a_signal_before_anything_has_started_ends_at_once(project: Any, eventually: Any) -> None:
    project.write("valohai.yaml", "")
    fifo = project.path / "pipe.yaml"
    os.mkfifo(fifo)
    process = project.start("run", str(fifo))
    children = eventually(lambda: psutil.Process(process.pid).children())
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not any(child.is_running() for child in children)
