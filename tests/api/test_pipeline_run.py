"""A pipeline under way: waiting, stopping, being killed, and what its program exits with."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import psutil
import pytest

from vhpipe.api import Pipeline, Run
from vhpipe.errors import UsageError

CHAIN = """
from vhpipe.api import Pipeline

def first(start: int) -> int:
    return start

def add_one(value: int) -> int:
    return value + 1

pipeline = Pipeline("chain")
pipeline.add_parameter("start", 0)
pipeline.add_function_step("step_0", first, {"start": "${pipeline.start}"}, "value")
for number in range(1, 20):
    pipeline.add_function_step(f"step_{number}", add_one, {"value": f"${{step_{number - 1}.value}}"}, "value")
"""

SLEEPER = """
import subprocess, sys, time
from pathlib import Path
from vhpipe.api import Pipeline

def sleep():
    Path({side!r}).write_text("started")
    subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
    time.sleep({mark})

pipeline = Pipeline("sleeper")
pipeline.add_function_step("a", sleep)
"""


def eventually(fact: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := fact()):
        assert time.monotonic() < deadline, f"it never came true: {fact}"
        time.sleep(0.01)
    return found


def test_it_runs_in_the_background_and_can_be_waited_for(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    assert (pipeline.elapsed(), pipeline.is_running(), pipeline.is_successful(), pipeline.wait()) == (
        -1,
        False,
        False,
        True,
    )
    pipeline.add_function_step("a", arithmetic.give, {}, "y")
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y")
    run = pipeline.start(quiet=True)
    assert pipeline.is_running()
    with pytest.raises(UsageError, match="is already running"):
        pipeline.start()
    assert pipeline.wait()
    assert not pipeline.is_running()
    assert pipeline.is_successful()
    assert 0 < pipeline.elapsed() < 1
    assert pipeline.id == str(run.number)
    assert [node.name for node in pipeline.get_processed_nodes()] == ["a", "b"]
    assert pipeline.get_running_nodes() == []


def test_waiting_has_an_end(made: Any) -> None:
    functions = made.module("import time\ndef sleep():\n    time.sleep(60)\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.sleep)
    pipeline.start(quiet=True)
    eventually(pipeline.get_running_nodes)
    assert not pipeline.wait(timeout=0.001)
    pipeline.stop(timeout=1)
    assert pipeline.run is not None
    assert pipeline.run.status == "stopped"
    assert not pipeline.is_successful()


def test_the_graph_names_the_parents(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y")
    pipeline.add_function_step("b", arithmetic.give, {}, "y")
    pipeline.add_function_step("c", arithmetic.add, {"x": "${a.y}"}, "y", parents=["b"])
    assert {name: node.parents for name, node in pipeline.get_pipeline_dag().items()} == {
        "a": (), "b": (), "c": ("b", "a"),
    }  # fmt: skip


def test_steps_run_beside_each_other(made: Any) -> None:
    functions = made.module(
        "import time\ndef sleep():\n    began = time.time()\n    time.sleep(0.5)\n    return [began, time.time()]\n"
    )
    pipeline = made.pipeline()
    for name in "ab":
        pipeline.add_function_step(name, functions.sleep, {}, "y")
    run = pipeline.start_locally(jobs=2, quiet=True)
    (a_began, a_ended), (b_began, b_ended) = (run.node(name).result("y") for name in "ab")
    assert a_began < b_ended
    assert b_began < a_ended


def test_the_folder_of_the_program_stays_while_steps_start(made: Any, arithmetic: ModuleType) -> None:
    seen = set()
    pipeline = made.pipeline()
    for number in range(6):
        pipeline.add_function_step(f"a{number}", arithmetic.give, {}, "y")
    before = os.getcwd()
    run = pipeline.start(quiet=True)
    while run.is_running():
        seen.add(os.getcwd())
    assert seen == {before}


def test_other_children_of_the_program_are_left_alone(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    others: list[subprocess.Popen[bytes]] = []
    note = lambda *told: others.append(subprocess.Popen(["sleep", "60"]))  # noqa: E731
    pipeline.add_function_step("a", arithmetic.give, {}, "y", pre_execute_callback=note)
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y", status_change_callback=note)
    pipeline.start_locally(quiet=True)
    assert len(others) == 3
    assert [other.poll() for other in others] == [None, None, None]
    for other in others:
        other.kill()
        other.wait()


def test_what_a_step_leaves_behind_dies_with_it(made: Any, side: Any) -> None:
    functions = made.module(
        """
        import subprocess

        def leave():
            return subprocess.Popen(["sleep", "86399"], start_new_session=True).pid
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.leave, {}, "pid")
    run = pipeline.start_locally(quiet=True)
    pid = run.node("a").result("pid")
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_can_be_opened_again(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_parameter("x", 3)
    pipeline.set_parameters(x=4)
    pipeline.add_function_step("a", arithmetic.add, {"x": "${pipeline.x}"}, "y")
    pipeline.start_locally(quiet=True)
    run = Run.open(made.folder)
    assert (run.number, run.pipeline, run.status, run.exit_code) == (1, "p", "complete", 0)
    assert run.parameters == {"x": 4}
    assert run.node("a").result("y") == 5
    assert run.metadata == {"a": {"y": 5}}
    assert list(run.outputs["a"]) == ["y.json"]
    assert run.wait(1)
    assert run.is_successful()


def test_the_commands_see_the_run(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.show, {"x": 1}, "y")
    pipeline.start_locally(quiet=True)
    assert "got 1 None" in made.vhpipe("logs", "1", "a").stdout
    assert '"status": "complete"' in made.vhpipe("show", "latest", "--json").stdout
    assert "p" in made.vhpipe("runs").stdout


# ── whole programs ───────────────────────────────────────────────────────────────────────────────


def test_a_failed_pipeline_fails_its_program(made: Any) -> None:
    done = made.program(
        """
        from vhpipe.api import Pipeline

        def fail():
            raise ValueError("no")

        pipeline = Pipeline("p")
        pipeline.add_function_step("a", fail)
        pipeline.start_locally()
        """,
        code=1,
    )
    assert "PipelineFailed: run 1 of `p` failed" in done.stderr
    assert "ValueError: no" in done.stderr


@pytest.mark.parametrize(("waiting", "code"), [("", 1), ("pipeline.wait()", 0), ("pipeline.run.raise_for_status()", 1)])
def test_a_failure_that_nobody_waited_for_fails_the_program_all_the_same(made: Any, waiting: str, code: int) -> None:
    made.program(
        f"""
        from vhpipe.api import Pipeline

        def fail():
            raise ValueError("no")

        if __name__ == "__main__":
            pipeline = Pipeline("p")
            pipeline.add_function_step("a", fail)
            pipeline.start()
            if {waiting!r}:
                pipeline.wait()
            {waiting}
        """,
        code=code,
    )


def test_no_process_outlives_a_program_that_was_killed(made: Any, side: Any) -> None:
    mark = f"86400.{time.time_ns()}"
    (made.folder / "program.py").write_text(
        SLEEPER.format(side=str(side("started")), mark=mark) + "pipeline.start_locally()\n"
    )
    program = subprocess.Popen([sys.executable, "program.py"], cwd=made.folder, stderr=subprocess.DEVNULL)
    eventually(side("started").exists)
    assert eventually(lambda: of_run(made.folder))
    program.send_signal(signal.SIGKILL)
    program.wait()
    eventually(lambda: not of_run(made.folder) and not sleepers(mark))
    assert Run.open(made.folder).status == "crashed"


def test_ctrl_c_stops_the_run(made: Any, side: Any) -> None:
    mark = f"86400.{time.time_ns()}"
    (made.folder / "program.py").write_text(
        SLEEPER.format(side=str(side("started")), mark=mark) + "pipeline.start_locally()\n"
    )
    program = subprocess.Popen(
        [sys.executable, "program.py"], cwd=made.folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    eventually(side("started").exists)
    program.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in program.communicate(timeout=20)[1]
    assert program.returncode != 0
    assert Run.open(made.folder).status == "stopped"
    assert not sleepers(mark)


def of_run(folder: Any) -> list[psutil.Process]:
    """The processes that work in the run's folders."""
    return [process for process in psutil.process_iter() if _works_in(process, str(folder / ".vhpipe"))]


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.environ().get("VH_HOST_REPOSITORY_DIR", "").startswith(folder)
    except (psutil.Error, OSError):
        return False


def sleepers(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if mark in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_killed_run_can_be_resumed(made: Any, side: Any) -> None:
    (made.folder / "program.py").write_text(
        f"""
import time
from pathlib import Path
from vhpipe.api import Pipeline

def first():
    return 20

def second(x):
    if not Path({str(side("go"))!r}).exists():
        Path({str(side("started"))!r}).write_text("")
        time.sleep(60)
    return x + 1

pipeline = Pipeline("p")
pipeline.add_function_step("first", first, {{}}, "x")
pipeline.add_function_step("second", second, {{"x": "${{first.x}}"}}, "y")
pipeline.start_locally()
"""
    )
    program = subprocess.Popen([sys.executable, "program.py"], cwd=made.folder, stderr=subprocess.DEVNULL)
    eventually(side("started").exists)
    program.kill()
    program.wait()
    side("go").write_text("")
    made.vhpipe("resume", "1")
    run = Run.open(made.folder)
    assert run.node("second").result("y") == 21
    assert run.node("first").executions[0].attempts == 1


@pytest.mark.long
def test_twenty_steps_in_a_chain_take_seconds(made: Any) -> None:
    began = time.monotonic()
    made.program(
        CHAIN + "\nrun = pipeline.start_locally(quiet=True)\nassert run.node('step_19').result('value') == 19\n"
    )
    assert time.monotonic() - began < 20, "2 s are wanted of a machine that does nothing else"


def test_pipelines_are_found_in_modules_of_packages(made: Any) -> None:
    package = made.folder / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "steps.py").write_text(
        "SCALE = 2\n\ndef helper(x):\n    return x * SCALE\n\ndef double(x):\n    return helper(x)\n"
    )
    (package / "train.py").write_text(
        "from vhpipe.api import Pipeline\nfrom package.steps import double\n\n"
        "def local(x):\n    return double(x) + 1\n\n"
        "pipeline = Pipeline('p')\npipeline.add_function_step('a', double, {'x': 2}, 'y')\n"
        "pipeline.add_function_step('b', local, {'x': '${a.y}'}, 'y')\n"
        "run = pipeline.start_locally()\nassert run.node('b').result('y') == 9\n"
        "from pathlib import Path\nassert pipeline.folder == Path.cwd(), pipeline.folder\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "package.train"], cwd=made.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_pipeline_is_the_controller_by_another_name() -> None:
    from vhpipe.api import PipelineController

    assert PipelineController is Pipeline


def test_a_failed_run_goes_on_when_its_code_is_fixed(made: Any, side: Any) -> None:
    program = f"""
from pathlib import Path
from vhpipe.api import Pipeline

def first(x):
    with open({str(side("calls"))!r}, "a") as calls:
        calls.write("x")
    return x

def second(x):
    raise ValueError("to be fixed")

if __name__ == "__main__":
    pipeline = Pipeline("p")
    pipeline.add_parameter("x", 20)
    pipeline.set_parameters(x=30)
    pipeline.add_function_step("first", first, {{"x": "${{pipeline.x}}"}}, "x")
    pipeline.add_function_step("second", second, {{"x": "${{first.x}}"}}, "y")
    pipeline.start_locally()
"""
    made.program(program, code=1)
    (made.folder / "program.py").write_text(program.replace('raise ValueError("to be fixed")', "return x + 1"))
    made.vhpipe("resume", "1", "--with-changes")
    run = Run.open(made.folder)
    assert (run.number, run.status, run.node("second").result("y")) == (2, "complete", 31)
    assert side("calls").read_text() == "x"


def test_two_pipelines_run_beside_each_other(made: Any, arithmetic: ModuleType) -> None:
    runs = []
    for name in ("one", "two"):
        pipeline = Pipeline(name, folder=made.folder)
        pipeline.add_function_step("a", arithmetic.give, {"x": name}, "y")
        pipeline.add_function_step("b", arithmetic.show, {"x": "${a.y}"}, "y")
        runs.append(pipeline.start(quiet=True))
    assert all(run.wait() for run in runs)
    assert [run.node("b").result("y") for run in runs] == [["one", None], ["two", None]]
