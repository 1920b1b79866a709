"""`start()` as the last statement of a program: all that a run may need happens after the main thread has ended.

The first step of each pipeline waits until the main thread is on its way out.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.runs.conftest import eventually
from vhpipe.api import Run

PROGRAM = """
import os, sys, threading, time
from pathlib import Path
from vhpipe.api import Pipeline, run

OVER = Path({over!r})

def gate():
    while not OVER.exists():
        time.sleep(0.01)
    return 1

def told(*words):
    print(*words, flush=True)

def announce_the_end():
    OVER.touch()

"""
END = "\nthreading._register_atexit(announce_the_end)\n"
"""What Python does with the main thread still there, and before it ends the executors of the program."""


class Served(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def beginning(side: Any) -> str:
    return PROGRAM.format(over=str(side("over")))


def test_callbacks_caches_retries_large_outputs_and_inputs_work_then(made: Any, side: Any, url: str) -> None:
    (made.folder / "valohai.yaml").write_text(
        "- step:\n    name: read\n    image: none\n    command: cat $VH_INPUTS_DIR/data/*\n"
        f"    inputs: [{{name: data, default: {url}/data.txt}}]\n"
    )
    program = (
        beginning(side)
        + f"""
def large(x):
    tries = Path({str(side("tries"))!r})
    if not tries.exists():
        tries.touch()
        raise ValueError("not yet")
    return bytes(9 << 20)

def equal(x):
    return x

def before(pipeline, node, parameters):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        told(*executor.map("before {{}}".format, [node.name]))

pipeline = Pipeline("p")
pipeline.add_function_step("gate", gate, {{}}, "x")
pipeline.add_function_step("large", large, {{"x": "${{gate.x}}"}}, "y", retry_on_failure=1)
pipeline.add_function_step("equal", equal, {{"x": "${{gate.x}}"}}, "y", cache_executed_step=True)
pipeline.add_step("read", base_task_name="read", parents=["gate"],
    pre_execute_callback=before, post_execute_callback=lambda own, node: told("after", node.name),
    status_change_callback=lambda own, node, previous: told(node.name, previous, node.status))
pipeline.start()
"""
        + END
    )
    (made.folder / "program.py").write_text(program)
    assert "step `x`" not in made.program(program).stderr
    side("over").unlink()
    done = made.program(program)
    assert done.stdout.splitlines() == [
        "before read", "read created started", "read started complete", "after read"
    ]  # fmt: skip
    run = Run.open(made.folder)
    assert run.status == "complete"
    assert run.node("equal").is_reused
    assert run.node("read").executions[0].log == "content"


MODEL = [{"name": "model", "path": "model"}]


def test_hooks_deployments_timers_and_stops_work_then(made: Any, side: Any) -> None:
    (made.folder / "valohai.yaml").write_text(
        json.dumps(
            [
                step("gate", f"while [ ! -e {side('over')} ]; do sleep 0.01; done; echo model > $VH_OUTPUTS_DIR/m"),
                step("slow", "sleep 60", **{"time-limit": 1}),
                {"deployment": {"name": "digits", "defaults": {"target": "t"}}},
                {"endpoint": {"name": "predict", "image": "none", "wsgi": "a:b", "files": MODEL}},
                {
                    "pipeline": {
                        "name": "p",
                        "nodes": [
                            {"name": "gate", "type": "execution", "step": "gate"},
                            {"name": "slow", "type": "execution", "step": "slow", "on-error": "continue"},
                            {"name": "deploy", "type": "deployment", "deployment": "digits", "endpoints": ["predict"]},
                        ],
                        "edges": [
                            ["gate.dependency.*", "slow.dependency.*"],
                            ["gate.output.m", "deploy.file.predict.model"],
                        ],
                    }
                },
                {"vhpipe": {"pipeline": "p", "nodes": {"slow": {"hooks": {"pre": f"touch {side('hook')}"}}}}},
            ]
        )
    )
    made.program(beginning(side) + "run(pipeline='p', wait=False)\n" + END)
    run = Run.open(made.folder)
    assert run.status == "complete"
    assert {node.status for node in run.nodes.values()} == {"complete"}
    (slow,) = run.node("slow").executions
    assert "time-limit" in str(slow.because)
    assert side("hook").exists()


@pytest.mark.long
def test_a_search_proposes_then(made: Any, side: Any) -> None:
    """The first proposal imports Optuna, for a second."""
    parameters = [{"name": "x", "type": "float", "default": 0.5}]
    task = {
        "name": "tune", "step": "tune", "type": "bayesian_tpe", "execution-count": 2, "execution-batch-size": 1,
        "optimization-target-metric": "loss",
        "parameters": [{"name": "x", "style": "random", "rules": {"min": 0.0, "max": 1.0}}],
    }  # fmt: skip
    command = f"""while [ ! -e {side("over")} ]; do sleep 0.01; done; echo '{{"loss": 1}}'"""
    file = [step("tune", command, parameters=parameters), {"task": task}]
    (made.folder / "valohai.yaml").write_text(json.dumps(file))
    made.program(beginning(side) + "run(task='tune', goal='min', wait=False)\n" + END)
    run = Run.open(made.folder)
    assert (run.status, len(run.node("tune").executions)) == ("complete", 2)


def step(name: str, command: str, **more: Any) -> dict[str, Any]:
    return {"step": {"name": name, "image": "none", "command": command, **more}}


def test_a_callback_that_leaves_fails_its_step_and_not_the_run(made: Any) -> None:
    functions = made.module("def give():\n    return 1\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.give, pre_execute_callback=lambda *told: sys.exit("enough"))
    run = pipeline.start_locally(quiet=True, raise_on_failure=False)
    assert run.node("a").because == "its `pre` hook failed: SystemExit: enough"


def test_ctrl_c_stops_a_run_that_outlives_the_main_thread(made: Any, side: Any) -> None:
    (made.folder / "program.py").write_text(
        beginning(side)
        + f"""
def wait(x):
    Path({str(side("started"))!r}).touch()
    time.sleep(60)

pipeline = Pipeline("p")
pipeline.add_function_step("gate", gate, {{}}, "x")
pipeline.add_function_step("wait", wait, {{"x": "${{gate.x}}"}})
pipeline.start()
"""
        + END
    )
    program = subprocess.Popen(
        [sys.executable, "program.py"], cwd=made.folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    eventually(side("started").exists)
    program.send_signal(signal.SIGINT)
    said = program.communicate(timeout=20)[1]
    assert program.returncode == 130
    assert "Traceback" not in said
    assert Run.open(made.folder).status == "stopped"
