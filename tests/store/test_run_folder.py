import multiprocessing
import threading
from pathlib import Path

import pytest

from vhpipe.config.model import EdgeKind, Parameter
from vhpipe.errors import EnvironmentFailure, RefusedError
from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedEdge, PlannedExecution, StepSpec
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo

SPEC = StepSpec("train", "python:3.11", ("train",), (Parameter("lr", default=1.0, at=("step", 3)),), {"lr": 1.0})
PLAN = Plan(
    "training",
    (PlannedExecution("a", SPEC), PlannedExecution("b", SPEC)),
    (PlannedEdge(0, "a", EdgeKind.OUTPUT, "*", "b", EdgeKind.INPUT, "in"),),
    seed=7,
)


@pytest.fixture
def run(store: ProjectStore) -> RunFolder:
    return store.new_run()


def test_plan_and_info_are_read_as_they_were_written(run: RunFolder) -> None:
    info = RunInfo(number=1, pipeline="training", file="a.yaml", title="t", tags=("x",), version="0.1.0")
    run.write_info(info)
    run.write_plan(PLAN)
    assert run.info() == info
    assert run.plan() == PLAN


def test_a_plan_of_another_format_is_refused_by_name(run: RunFolder) -> None:
    (run.path / "plan.json").write_text('{"format": 99, "pipeline": {"new": "shape"}}')
    with pytest.raises(EnvironmentFailure, match="the plan of run 1 has format 99"):
        run.plan()


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}', "[]"])
def test_a_damaged_plan_is_named(run: RunFolder, content: str) -> None:
    (run.path / "plan.json").write_text(content)
    with pytest.raises(EnvironmentFailure):
        run.plan()


def test_a_missing_plan_is_named(run: RunFolder) -> None:
    with pytest.raises(EnvironmentFailure, match=r"plan\.json"):
        run.plan()


def _hold(path: Path, held: "multiprocessing.Queue[bool]", done: "multiprocessing.Queue[bool]") -> None:
    RunFolder(1, path).acquire()
    held.put(True)
    done.get()


def test_a_run_is_alive_as_long_as_a_process_holds_it_and_refused_to_others(run: RunFolder) -> None:
    assert not run.is_alive()
    context = multiprocessing.get_context("fork")
    held: multiprocessing.Queue[bool] = context.Queue()
    done: multiprocessing.Queue[bool] = context.Queue()
    process = context.Process(target=_hold, args=(run.path, held, done))
    process.start()
    held.get(timeout=20)
    assert run.is_alive()
    with pytest.raises(RefusedError, match="run 1 is being run by another process"):
        run.acquire()
    assert run.is_alive()
    process.kill()
    process.join()
    assert not run.is_alive()
    run.acquire()
    assert RunFolder(1, run.path).is_alive()
    run.release()
    assert not run.is_alive()


def test_readers_that_look_all_the_time_do_not_keep_an_engine_out(run: RunFolder) -> None:
    run.acquire()
    run.release()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            RunFolder(1, run.path).is_alive()

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(20):
            run.acquire()
            run.release()
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_attempt_folders_are_readable_safe_and_different(run: RunFolder) -> None:
    names = ["train", "Train", "train!", "../../etc", "ü", "", "x" * 300, "a/b"]
    folders = [run.attempt_folder(AttemptId(ExecutionId(name, 2), 3)) for name in names]
    assert folders[0].relative_to(run.path).parts[0] == "work"
    assert folders[0].parts[-2].startswith("train-")
    assert folders[0].name == "2.3"
    assert len({folder.parent for folder in folders}) == len(names)
    for folder in folders:
        assert folder.parent.parent == run.path / "work"
        assert len(folder.parent.name) < 60
