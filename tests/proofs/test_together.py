"""Many runs at once in one project while somebody looks: nothing is lost, and identical work is done once."""

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pipelines import (
    assert_each_completed_once,
    assert_no_process_survives,
    assert_store_is_intact,
    ended_well,
    kept_outputs,
    run_numbers,
    started,
    step,
    sweep,
)

from tests.runs.conftest import VHPIPE

RUNS = 8


def six(project: Any) -> tuple[str, ...]:
    """One node, four children of a task, and one that joins them."""
    side = project.side("side")
    nodes = {"a": step(side, "a"), "fan": sweep(side, "fan", "data"), "z": step(side, "z", "data")}
    project.pipeline(nodes, [["a.output.*", "fan.input.data"], ["fan.output.*", "z.input.data"]])
    return ("run", "-p", "fan.n=[0, 1, 2, 3]", "-j", "2")


def all_at_once(project: Any, words: tuple[str, ...], runs: int = RUNS) -> None:
    """Start them together; every one ends well."""
    processes = [project.start(*words) for _ in range(runs)]
    for process in processes:
        _, told = process.communicate(timeout=110)
        assert process.returncode == 0, told
        assert "Traceback" not in told


@contextmanager
def somebody_looking(project: Any) -> Iterator[Counter[str]]:
    """Lists, shows and fetches without a pause; what it saw is counted by exit code."""
    seen: Counter[str] = Counter()
    is_over = threading.Event()
    failures: list[str] = []

    def look() -> None:
        while not is_over.is_set():
            for words in (("runs", "--json"), ("show", "--json"), ("outputs", "latest", "--json")):
                done = subprocess.run([*VHPIPE, *words], cwd=project.path, env=project.environment,
                                      capture_output=True, text=True)  # fmt: skip
                seen[words[0]] += 1
                if "Traceback" in done.stderr or "locked" in done.stderr or done.returncode not in (0, 1):
                    failures.append(f"{words}: {done.returncode} {done.stderr}")

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield seen
    finally:
        is_over.set()
        looker.join()
    assert not failures, failures[:3]


def assert_all_ended_well(project: Any, runs: int) -> None:
    assert sorted(run_numbers(project)) == list(range(1, runs + 1))
    outputs = [kept_outputs(project, number) for number in range(1, runs + 1)]
    assert all(each == outputs[0] for each in outputs)
    for number in range(1, runs + 1):
        assert ended_well(project, number)
        assert_each_completed_once(project, number)
    listed = project("runs", "--json").json["runs"]
    assert sorted((run["run"], run["status"]) for run in listed) == [(n, "complete") for n in range(1, runs + 1)]
    assert_store_is_intact(project)
    assert_no_process_survives(project)


@pytest.mark.parametrize("runs", [4, pytest.param(RUNS, marks=pytest.mark.long)])
def test_runs_at_once_each_have_a_number_and_lose_nothing(project: Any, runs: int) -> None:
    words = six(project)
    assert project(*words).code == 0  # so that the reader has something to see from the start
    with somebody_looking(project) as seen:
        all_at_once(project, words, runs - 1)
    assert_all_ended_well(project, runs)
    assert min(seen.values()) > 0
    assert set(started(project).values()) == {runs}


@pytest.mark.parametrize("runs", [4, pytest.param(RUNS, marks=pytest.mark.long)])
def test_identical_work_of_runs_at_once_is_done_once(project: Any, runs: int) -> None:
    all_at_once(project, (*six(project), "--reuse"), runs)
    assert_all_ended_well(project, runs)
    assert started(project) == Counter(["a", "fan0", "fan1", "fan2", "fan3", "z"])


def test_a_killed_run_does_not_keep_others_from_the_work_it_had_begun(project: Any, eventually: Any) -> None:
    side = project.side("side")
    work = f"echo a >> {side}.started; test -e {side}.free || sleep 600; echo done > $VH_OUTPUTS_DIR/a"
    project.pipeline({"a": work})
    first = project.start("run", "--reuse")
    eventually(lambda: started(project)["a"] == 1)
    second = project.start("run", "--reuse")
    journal = project.path / ".vhpipe/runs/2/journal"
    eventually(lambda: journal.exists() and "ReuseAwaited" in journal.read_text())
    side.with_name("side.free").touch()
    first.kill()
    _, told = second.communicate(timeout=30)
    assert second.returncode == 0, told
    first.communicate()
    assert started(project)["a"] == 2
