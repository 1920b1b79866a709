"""`kill -9` of engine, supervisor or both while containers run: nothing of them stays, and the run ends as ever."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from tests.places.conftest import ContainerProject, assert_nothing_is_left

VICTIMS = ("engine", "supervisor", "both")
ENDS = (0, 4, -9)
WORK = "echo {name} >> $VH_OUTPUTS_DIR/{name}.txt; cat $VH_INPUTS_DIR/*/* >> $VH_OUTPUTS_DIR/{name}.txt; sleep 0.2"


def seven(project: ContainerProject) -> None:
    """Two chains of three, side by side, and one that joins them."""
    nodes = {
        name: {"command": WORK.format(name=name), "inputs": [{"name": "data", "optional": True}]}
        for name in ("a1", "a2", "a3", "b1", "b2", "b3", "z")
    }
    pairs = (("a1", "a2"), ("a2", "a3"), ("b1", "b2"), ("b2", "b3"), ("a3", "z"), ("b3", "z"))
    project.pipeline(nodes, [[f"{one}.output.*", f"{two}.input.data"] for one, two in pairs])


def outputs(project: ContainerProject, run: int) -> dict[str, str]:
    listed = project("outputs", str(run), "--json").json["outputs"]
    return {each["name"]: each["sha256"] for each in listed}


def kill(process: "subprocess.Popen[str]", victim: str) -> None:
    with suppress(psutil.Error, ProcessLookupError):
        engines = psutil.Process(process.pid).children()
        if victim == "both":
            os.killpg(process.pid, signal.SIGKILL)
        elif victim == "supervisor" or not engines:
            process.kill()
        else:
            engines[0].kill()


def once(project: ContainerProject, words: tuple[str, ...], victim: str | None, moment_s: float) -> int:
    process = project.start(*words)
    if victim is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment_s)
        if process.poll() is None:
            kill(process, victim)
    _, told = process.communicate(timeout=90)
    assert process.returncode in ENDS, told
    assert "Traceback" not in told, told
    return process.returncode


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_run_that_is_killed_now_and_then_ends_as_if_nothing_had_been(project: ContainerProject, victim: str) -> None:
    seven(project)
    begun = time.monotonic()
    undisturbed = project.in_containers()
    usual_s = time.monotonic() - begun
    assert undisturbed.code == 0, undisturbed.err
    expected = outputs(project, 1)
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    draw, kills, words, latest = random.Random(seed), 0, ("run", "--in", project.tool), 1
    while True:
        wants_kill = kills < 4
        code = once(project, words, victim if wants_kill else None, draw.uniform(0.3, usual_s))
        kills += wants_kill
        assert_nothing_is_left(project)
        latest = max(int(path.name) for path in project.path.glob(".vhpipe/runs/*"))
        if latest > 1 and (project.path / f".vhpipe/runs/{latest}/journal").exists():
            words = ("resume", str(latest))
        if code == 0 and latest > 1:
            break
    assert outputs(project, latest) == expected


@pytest.mark.parametrize("way", ["stopped", "cleaned"])
def test_a_run_whose_keeper_was_killed_too_leaves_nothing_when_it_is_stopped_or_cleaned(
    project: ContainerProject, mark: Any, eventually: Any, way: str
) -> None:
    project.pipeline({"a": f"sleep {mark}"})
    process = project.start("run", "--in", project.tool)
    eventually(mark.alive)
    for keeper in psutil.process_iter(["cmdline"]):
        if "vhpipe.runners.container_keeper" in (keeper.info["cmdline"] or ()):
            parents = {parent.pid for parent in keeper.parents()}
            if process.pid in parents:
                keeper.kill()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(mark.alive()) >= 1
    done = project("clean") if way == "cleaned" else project("stop", "latest")
    assert done.code == 0, done.err
    assert mark.alive() == []
