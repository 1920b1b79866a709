"""What whoever starts vhpipe has it ignore stays ignored: `nohup vhpipe run &` goes on after a hangup."""

import os
import signal
import subprocess
from typing import Any

import pytest

from tests.runs.conftest import VHPIPE, Project

WAIT = "touch {ready}; until test -e {go}; do sleep 0.02; done; echo made > $VH_OUTPUTS_DIR/made"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_at_the_start_does_not_end_the_run(
    project: Project, eventually: Any, number: int
) -> None:
    ready, go = project.side("ready"), project.side("go")
    project.pipeline({"wait": WAIT.format(ready=ready, go=go)})
    process = started(project, number)
    eventually(ready.exists)
    os.killpg(process.pid, number)
    go.touch()
    assert process.wait(timeout=30) == 0
    assert project("show", "--json").json["status"] == "complete"


@pytest.mark.long
def test_a_signal_that_is_not_ignored_ends_it_beside_one_that_is(project: Project, eventually: Any) -> None:
    ready = project.side("ready")
    project.pipeline({"wait": WAIT.format(ready=ready, go=project.side("never"))})
    process = started(project, signal.SIGHUP)
    eventually(ready.exists)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert project("show", "--json").json["status"] == "stopped"


@pytest.mark.long
def test_a_run_ends_where_the_end_of_children_is_ignored(project: Project) -> None:
    project.pipeline({"make": "echo made > $VH_OUTPUTS_DIR/made"})
    assert started(project, signal.SIGCHLD).wait(timeout=30) == 0


def started(project: Project, ignored: int) -> "subprocess.Popen[bytes]":
    """A run in a process group of its own, begun by a shell that ignores a signal."""
    name = signal.Signals(ignored).name.removeprefix("SIG")
    words = ["sh", "-c", f"trap '' {name}; exec \"$@\"", "sh", *VHPIPE, "run", "-q"]
    return subprocess.Popen(
        words, cwd=project.path, env=project.environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
