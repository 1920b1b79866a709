"""A small process beside an interpreter that runs a pipeline: when that is killed, it kills what the run has started.

It waits for the end of the interpreter, or for a word that all is well. What the run has started carries a marker in
its environment.
"""

import os
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from vhpipe.attempt.process_tree import kill_marked

VARIABLE = "VHPIPE_RUN_BY"
NOT_OURS = {"VH_JOB_ID": "watchdog"}
"""A marker of no attempt: nobody takes the watchdog for what is left of one."""
PROGRAM = """\
import sys
sys.path.append(sys.argv[1])
from vhpipe.api.watchdog_process import watch
watch(int(sys.argv[2]), sys.argv[3])
"""


class Watchdog:
    """`variables` are for all that the run starts; `dismiss` at its end kills what is left of that."""

    def __init__(self) -> None:
        marker = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.variables = {VARIABLE: marker}
        package_root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", PROGRAM, package_root, str(os.getpid()), f"{VARIABLE}={marker}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=NOT_OURS, cwd="/", start_new_session=True,
        )  # fmt: skip

    def dismiss(self) -> None:
        kill_marked([f"{VARIABLE}={self.variables[VARIABLE]}"])
        with suppress(OSError):
            self._process.communicate(b".")
