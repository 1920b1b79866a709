"""Worker processes: what holds of them beyond the contract of runners."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.contracts.conftest import SECRET, Bench, order_of
from tests.contracts.steps import Exit, Hang, Leave, OnTerm, Publish
from vhpipe.attempt.messages import AttemptStart, line_of
from vhpipe.attempt.news import MetricsPublished
from vhpipe.errors import EnvironmentFailure
from vhpipe.runners.worker import WorkerRunner, place_of
from vhpipe.schedule.terms import Status


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, WorkerRunner)
    yield made
    made.close()


def workers() -> list[psutil.Process]:
    living = (each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE)
    return [each for each in living if "vhpipe.attempt.worker" in each.cmdline()]


def alive_with(argument: int) -> bool:
    words = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    return any(str(argument) in each for each in words)


def test_a_worker_that_dies_takes_its_attempt_with_it_and_the_next_one_works(bench: Bench) -> None:
    attempt = bench.start(OnTerm(None), Publish("up", 1), Hang(4801))
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    os.kill(workers()[0].pid, signal.SIGKILL)
    report = bench.report(attempt)
    assert (report.outcome, report.because) == (Status.CRASHED, "the worker of the attempt has died: signal 9")
    bench.until(lambda: not alive_with(4801))
    assert bench.report(bench.start(Exit(0), node="next")).outcome is Status.COMPLETE


def test_what_fails_a_worker_for_all_attempts_ends_the_run(bench: Bench) -> None:
    (bench.run.path / "snapshot.json").unlink()
    attempt = bench.start(Exit(0))
    with pytest.raises(EnvironmentFailure, match=r"snapshot\.json"):
        bench.report(attempt)


def test_attempts_one_after_the_other_share_a_worker(bench: Bench) -> None:
    used = set()
    for index in range(3):
        bench.report(bench.start(Exit(0), index=index))
        used |= {worker.pid for worker in workers()}
    assert len(used) == 1


def test_no_secret_is_in_what_others_may_see_of_a_worker(bench: Bench) -> None:
    attempt = bench.start(Publish("up", 1), Hang())
    bench.until(lambda: bool(bench.heard(MetricsPublished, attempt)))
    [worker] = workers()
    assert SECRET not in " ".join(worker.cmdline())
    assert SECRET not in worker.environ().values()


def test_a_worker_leaves_nothing_when_its_engine_goes_away(bench: Bench) -> None:
    """The pipe is closed while a step runs that does not want to end."""
    order = order_of(Leave(4802), OnTerm(None), Publish("up", 1), Hang(4802), variables={})
    start = AttemptStart(bench.parts.spec_of(order), bench.parts.folder_of(order))
    with open(bench.run.path / "secrets", "w+b") as secrets:
        secrets.write(b'{"variables": {"PATH": "/usr/bin:/bin"}}')
        secrets.flush()
        command = (sys.executable, "-m", "vhpipe.attempt.worker", str(secrets.fileno()))
        pipe = subprocess.PIPE
        worker = subprocess.Popen(command, stdin=pipe, stdout=pipe, pass_fds=(secrets.fileno(),))
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(line_of(place_of(bench.parts)) + line_of(start))
    worker.stdin.flush()
    lines = [worker.stdout.readline() for _ in range(2)]
    assert [line[:9] for line in lines] == [b'["started', b'["metrics']
    worker.stdin.close()
    assert worker.wait(30) == 0
    assert worker.stdout.read() == b""
    worker.stdout.close()
    assert not alive_with(4802)
