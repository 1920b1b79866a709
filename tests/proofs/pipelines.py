"""Pipelines whose outputs say what went into them, and what must be true of their runs however they came about."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest

from vhpipe.schedule import events
from vhpipe.schedule.terms import Status
from vhpipe.store.journal import read_journal

CHANGING = ("create", "write", "fsync", "fdatasync", "ftruncate", "rename", "link", "unlink", "mkdir", "rmdir")
"""The calls by which a run changes files, as `faults.c` names them."""

WORK = """\
exec 9>> {side}.{id}.lock
flock -n 9 || echo {id} >> {side}.overlaps
echo {id} >> {side}.started
cat $VH_INPUTS_DIR/*/* > all 2> nothing
echo {id} >> all
{pause}sha256sum < all > $VH_OUTPUTS_DIR/{id}.txt
"""
"""Whoever has descriptor 9 holds the lock: two attempts of one execution that live at once are noticed."""


def work(side: Path, name: str, pause_s: float = 0.0) -> str:
    return WORK.format(side=side, id=name, pause=f"sleep {pause_s}\n" if pause_s else "")


def step(side: Path, name: str, *inputs: str, pause_s: float = 0.0) -> dict[str, Any]:
    return {"command": work(side, name, pause_s), "inputs": [{"name": each, "optional": True} for each in inputs]}


def sweep(side: Path, name: str, *inputs: str, pause_s: float = 0.0) -> dict[str, Any]:
    """A task node whose children are `name0`, `name1` and so on, for each value of `n`."""
    made = step(side, f"{name}{{parameter-value:n}}", *inputs, pause_s=pause_s)
    return {**made, "parameters": [{"name": "n", "type": "integer", "default": 0}], "node": {"type": "task"}}


def fifty(project: Any, pause_s: float = 0.01) -> tuple[str, ...]:
    """A chain of ten, then a task of thirty beside nine nodes, then one that joins them: the words that run it."""
    side = project.side("side")
    nodes: dict[str, Any] = {f"c{n}": step(side, f"c{n}", "data", pause_s=pause_s) for n in range(10)}
    edges: list[Any] = [[f"c{n}.output.*", f"c{n + 1}.input.data"] for n in range(9)]
    nodes["fan"] = sweep(side, "fan", "data", pause_s=pause_s)
    nodes |= {f"f{n}": step(side, f"f{n}", "data", pause_s=pause_s) for n in range(9)}
    nodes["join"] = step(side, "join", "data")
    after = ["fan", *(f"f{n}" for n in range(9))]
    edges += [["c9.output.*", f"{name}.input.data"] for name in after]
    edges += [[f"{name}.output.*", "join.input.data"] for name in after]
    project.pipeline(nodes, edges)
    return ("run", "-p", f"fan.n={list(range(30))}")


def four(project: Any) -> tuple[str, ...]:
    """One node, two children of a task, and one that joins them: the words that run it."""
    side = project.side("side")
    nodes = {"a": step(side, "a"), "fan": sweep(side, "fan", "data"), "z": step(side, "z", "data")}
    project.pipeline(nodes, [["a.output.*", "fan.input.data"], ["fan.output.*", "z.input.data"]])
    return ("run", "-p", "fan.n=[0, 1]")


def library(source: str, folder: Path) -> Path:
    """A library for LD_PRELOAD, made from a file beside this one; without a compiler the test is skipped."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("calls of the system are changed by a library, which takes a C compiler and Linux")
    made = folder / Path(source).with_suffix(".so")
    words = [compiler, "-shared", "-fPIC", "-O2", "-o", made, Path(__file__).with_name(source), "-ldl"]
    subprocess.run(words, check=True)
    return made


def with_variables(project: Any, variables: Mapping[str, str]) -> Any:
    """The same project, called with more variables in the environment."""
    return type(project)(project.path, {**project.environment, **variables})


# ── what is true of a run ────────────────────────────────────────────────────────────────────────


def outputs(project: Any, run: int) -> dict[tuple[str, int, str], str]:
    """The hash of every output that a user is shown."""
    listed = project("outputs", str(run), "--json").json["outputs"]
    return {(each["node"], each["index"], each["name"]): each["sha256"] for each in listed}


def kept_outputs(project: Any, run: int) -> dict[tuple[str, int, str], str]:
    """The hash of every output that the journal of a run names."""
    return {
        (event["attempt"]["execution"]["node"], event["attempt"]["execution"]["index"], output["name"]): output["blob"]
        for event in journal_of(project, run) if event["type"] == "AttemptEnded"
        for output in event["outputs"]
    }  # fmt: skip


def run_numbers(project: Any) -> list[int]:
    return [int(path.name) for path in project.path.glob(".vhpipe/runs/*")]


def has_begun(project: Any, run: int) -> bool:
    """Whether anything stands in the journal of a run; if not, nothing was done that could go on."""
    path = project.path / f".vhpipe/runs/{run}/journal"
    return path.exists() and path.stat().st_size > 0


def ended_well(project: Any, run: int) -> bool:
    """Whether the journal of a run says, in a line that is whole, that it is complete."""
    records = read_journal(project.path / f".vhpipe/runs/{run}/journal")
    return bool(records) and records[-1].event == events.RunEnded(Status.COMPLETE)


def journal_of(project: Any, run: int) -> list[dict[str, Any]]:
    content = (project.path / f".vhpipe/runs/{run}/journal").read_text()
    return [json.loads(line[9:])["event"] for line in content.splitlines()]


def assert_each_completed_once(project: Any, run: int) -> None:
    """Every execution has one complete attempt in the journal, and none was started after it."""
    complete: Counter[str] = Counter()
    for event in journal_of(project, run):
        execution = json.dumps(event.get("attempt", {}).get("execution"))
        if event["type"] == "AttemptStarted":
            assert not complete[execution], f"{execution} started again"
        if event["type"] == "AttemptEnded" and event["outcome"] == "complete":
            complete[execution] += 1
    assert set(complete.values()) == {1}, complete


def assert_store_is_intact(project: Any) -> None:
    """What has the name of a blob is that blob; every manifest can be read and names blobs that are there."""
    blobs = project.path / ".vhpipe/blobs"
    for blob in blobs.glob("*/*"):
        if len(blob.name) == 64:
            assert sha256(blob.read_bytes()).hexdigest() == blob.name
    for manifest in project.path.glob(".vhpipe/runs/*/work/*/*/manifest.json"):
        for output in json.loads(manifest.read_bytes())["outputs"]:
            assert (blobs / output["blob"][:2] / output["blob"]).exists(), manifest


def assert_never_twice_at_once(project: Any) -> None:
    overlaps = project.side("side.overlaps")
    assert not overlaps.exists(), overlaps.read_text()


def started(project: Any) -> Counter[str]:
    """How often the command of each execution has begun."""
    path = project.side("side.started")
    return Counter(path.read_text().split()) if path.exists() else Counter()


def processes_in(folder: Path) -> Iterator[psutil.Process]:
    """Every living process that works below the folder."""
    for process in psutil.process_iter():
        try:
            inside = str(folder) in process.cwd() or any(str(folder) in word for word in process.cmdline())
            if inside and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                yield process
        except (psutil.Error, OSError):
            continue


def assert_no_process_survives(project: Any, patience_s: float = 2.0) -> None:
    deadline = time.monotonic() + patience_s
    while left := list(processes_in(project.path)):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
