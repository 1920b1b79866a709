"""An engine that is stopped for a while (Ctrl-Z, a closed lid) holds its steps to no limit for that time."""

import os
import signal
import time
from typing import Any

import psutil

LIMIT_S = 2


def test_time_in_which_the_engine_was_stopped_counts_for_nobody(project: Any, eventually: Any) -> None:
    wait = "touch {0}-ready; until [ -e {0}-go ]; do sleep 0.02; done; touch {0}-done"
    steps = {
        name: {"command": f"cd {project.side('')}; " + wait.format(name), "time-limit": LIMIT_S} for name in ("a", "b")
    }
    project.pipeline(steps)
    process = project.start("run", "-j", "2", "--json")
    eventually(lambda: project.side("a-ready").exists() and project.side("b-ready").exists())
    engine = psutil.Process(process.pid).children()[0].pid
    os.kill(engine, signal.SIGSTOP)
    stopped_at = time.monotonic()
    project.side("a-go").touch()
    eventually(lambda: project.side("a-done").exists() and time.monotonic() > stopped_at + LIMIT_S + 0.5)
    os.kill(engine, signal.SIGCONT)
    project.side("b-go").touch()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
