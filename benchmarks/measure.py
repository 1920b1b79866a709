"""One run of a command, measured from outside: time, CPU and memory of its whole process tree."""

import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.tools import Argv


class Measurement(NamedTuple):
    """`wall_s` has start-up in it; `cpu_s` all processes that were waited for; `peak_mib` the largest single one.

    `peak_mib` cannot be less than what this benchmark itself takes (20 to 30 MiB): a child begins as a copy of it.
    `disk_mib` is what the folder takes on disk afterwards, each file once however many names it has.
    `fault` says what was wrong with the run, None when it did all it should.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    fault: str | None = None
    disk_mib: float = 0.0


def measure(argv: Argv, folder: Path, log: Path, timeout_s: float) -> Measurement:
    """The command's figures; a command that takes longer than `timeout_s` is killed with all of its group."""
    before = _cpu_of_children_s()
    with log.open("ab") as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=_environment(log.parent),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        guard = threading.Timer(timeout_s, os.killpg, (process.pid, signal.SIGKILL))
        guard.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        guard.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    fault = None
    if process.returncode:
        fault = f"over {timeout_s:.0f} s" if wall_s >= timeout_s else f"exit code {process.returncode}, see {log}"
    return Measurement(wall_s, _cpu_of_children_s() - before, usage.ru_maxrss / 1024, fault, _disk_mib(folder))


def _disk_mib(folder: Path) -> float:
    seen: dict[int, int] = {}
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(f"{path}/{name}")
            seen[status.st_ino] = status.st_blocks
    return sum(seen.values()) * 512 / (1 << 20)


def _environment(home: Path) -> dict[str, str]:
    """The environment of this process without what would change which Python and which packages a tool uses."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "VH_", "VHPIPE"))}
    return {**kept, "HOME": str(home)}


def _cpu_of_children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
