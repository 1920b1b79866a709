"""`kill -9` of engine, supervisor or both at random instants: nothing is lost, nothing complete is done again."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest
from pipelines import (
    assert_each_completed_once,
    assert_never_twice_at_once,
    assert_no_process_survives,
    assert_store_is_intact,
    ended_well,
    fifty,
    has_begun,
    outputs,
    run_numbers,
    started,
)

VICTIMS = ("engine", "supervisor", "both")
ENDS = (0, 4, -9)
"""Nobody was killed in time, the engine was, or the supervisor."""


class Campaign:
    """Runs of one pipeline, each killed and resumed until it ends, until there were enough kills."""

    def __init__(self, project: Any, seed: int, usual_s: float) -> None:
        self.project, self.random, self.usual_s = project, random.Random(seed), usual_s
        self.words = fifty(project)
        self.kills = self.runs = self.resumes = 0
        self.last = 1

    def until(self, kills: int, expected: dict[Any, str]) -> None:
        while self.kills < kills:
            number = self._run_through(kills)
            assert outputs(self.project, number) == expected
            assert_each_completed_once(self.project, number)
            assert_never_twice_at_once(self.project)
            self.runs, self.last = self.runs + 1, number
        assert_store_is_intact(self.project)
        assert_no_process_survives(self.project)

    def _run_through(self, kills: int) -> int:
        """The number of a run that was killed a few times and has ended well."""
        words = self.words
        for _ in range(100):
            code, told = self._once(words, self._moment() if self.kills < kills else None)
            assert code in ENDS, told
            assert "Traceback" not in told, told
            latest = max(run_numbers(self.project))
            if latest == self.last or not has_begun(self.project, latest):
                self.last = latest
                continue  # killed before there was a run
            if ended_well(self.project, latest):
                return latest
            words = ("resume", str(latest))
            self.resumes += 1
        raise AssertionError(told)

    def _moment(self) -> float:
        """Seconds after the start, rather early than late."""
        return min(self.random.uniform(0.0, self.usual_s), self.random.uniform(0.2, self.usual_s))

    def _once(self, words: tuple[str, ...], kill_after_s: float | None) -> tuple[int, str]:
        process = self.project.start(*words)
        if kill_after_s is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(kill_after_s)
            if process.poll() is None:
                self.kills += 1
                kill(process, self.random.choice(VICTIMS))
        _, told = process.communicate(timeout=60)
        return process.returncode, told


def kill(process: "subprocess.Popen[str]", victim: str) -> None:
    """Kill the engine, the supervisor, or both at once."""
    with suppress(psutil.Error, ProcessLookupError):
        engines = psutil.Process(process.pid).children()
        if victim == "both":
            os.killpg(process.pid, signal.SIGKILL)
        elif victim == "supervisor" or not engines:
            process.kill()
        else:
            engines[0].kill()


def campaign(project: Any, kills: int) -> None:
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    words, begun = fifty(project), time.monotonic()
    undisturbed = project(*words)
    usual_s = time.monotonic() - begun
    assert undisturbed.code == 0, undisturbed.err
    expected = outputs(project, 1)
    assert len(expected) == len(started(project)) == 50
    made = Campaign(project, seed, usual_s)
    made.until(kills, expected)
    print(f"{made.kills} kills of {made.runs} runs, resumed {made.resumes} times")


def test_a_run_that_is_killed_now_and_then_ends_as_if_nothing_had_been(project: Any) -> None:
    campaign(project, 4)


@pytest.mark.long
@pytest.mark.parametrize("half", ["the first", "the second"])
def test_two_hundred_kills_lose_nothing(project: Any, half: str) -> None:
    campaign(project, 100)
