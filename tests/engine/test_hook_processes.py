"""One hook as a process: what it is told, what its answers mean, and how it ends."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from vhpipe.attempt.masking import Masking
from vhpipe.engine.hook_processes import HookLog, ProcessHooks
from vhpipe.engine.hooks import HookCall
from vhpipe.plan.model import Hook, Hooks
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status

CALL = HookCall(7, "train", "pre", Status.CREATED, None, None, {"rate": 0.5, "names": ("a", "b")})


@pytest.fixture
def processes(tmp_path: Path) -> Callable[..., ProcessHooks]:
    def make(**more: Any) -> ProcessHooks:
        return ProcessHooks(tmp_path, {"PATH": os.environ["PATH"]}, "/bin/sh", **more)

    return make


def answer(hooks: ProcessHooks, *commands: str, call: HookCall = CALL) -> stimuli.HookAnswered:
    row = tuple(Hook(command=command) for command in commands)
    return hooks.call(Hooks(**{call.when: row}), call)


def test_a_hook_is_told_of_its_node_by_its_input_and_by_variables(processes: Any, tmp_path: Path) -> None:
    answer(processes(), "cat > told; echo $VHPIPE_RUN $VHPIPE_NODE $VHPIPE_HOOK $VHPIPE_STATUS > variables")
    assert json.loads((tmp_path / "told").read_text()) == {
        "run": 7, "node": "train", "when": "pre", "status": "created", "previous": None, "because": None,
        "parameters": {"rate": 0.5, "names": ["a", "b"]},
    }  # fmt: skip
    assert (tmp_path / "variables").read_text() == "7 train pre created\n"


@pytest.mark.parametrize(
    ("command", "values", "skip"),
    [
        ("true", {}, False),
        ("exit 3", {}, True),
        ("echo '{\"skip\": true}'", {}, True),
        ('echo talk; echo \'{"parameters": {"rate": 1, "names": ["c"]}}\'', {"rate": 1, "names": ("c",)}, False),
        ('echo \'{"parameters": {"rate": 1}}\'; echo talk', {}, False),
        ('echo \'{"parameters": {"rate": null}}\'', {"rate": None}, False),
        ("echo '{broken'", {}, False),
        ('echo talk >&2; echo \'{"skip": "no"}\'', {}, False),
    ],
)
def test_what_a_hook_prints_last_is_its_answer(processes: Any, command: str, values: Any, skip: bool) -> None:
    assert answer(processes(), command) == stimuli.HookAnswered("train", "pre", values, skip)


@pytest.mark.parametrize(
    ("command", "because"),
    [
        ("exit 1", "`pre` hook `exit 1` ended with exit code 1"),
        ("echo why >&2; exit 4", "ended with exit code 4: why"),
        ("kill -9 $$", "was killed by signal 9"),
        ("echo '{\"parameters\": [1]}'", "`parameters` that are not a mapping"),
        ('echo \'{"parameters": {"rate": {}}}\'', "sets `rate` to something that is neither a plain value nor a list"),
    ],
)
def test_a_hook_that_fails_says_why(processes: Any, command: str, because: str) -> None:
    assert because in (answer(processes(), command).because or "")


def test_exit_code_3_is_a_failure_after_the_node(processes: Any) -> None:
    after = CALL._replace(when="post", status=Status.COMPLETE)
    assert "exit code 3" in (answer(processes(), "exit 3", call=after).because or "")


def test_of_several_hooks_the_later_are_told_what_the_earlier_changed(processes: Any, tmp_path: Path) -> None:
    found = answer(processes(), 'echo \'{"parameters": {"rate": 1}}\'', "cat > told")
    assert found.values == {"rate": 1}
    assert json.loads((tmp_path / "told").read_text())["parameters"]["rate"] == 1
    assert answer(processes(), "exit 3", "touch never").skip
    assert not (tmp_path / "never").exists()


def test_a_function_is_called_and_what_it_prints_is_no_answer(processes: Any, tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(
        "def change(told):\n    print('{\"skip\": true}', end='')\n"
        "    return {'rate': told['parameters']['rate'] * 2}\n"
        "def skip(told):\n    return False\n"
        "def fail(told):\n    raise ValueError('no rate')\n"
    )
    hooks = processes()
    rows = {name: Hooks(pre=(Hook(function=f"hooks:{name}"),)) for name in ("change", "skip", "fail")}
    found = {name: hooks.call(row, CALL) for name, row in rows.items()}
    assert (found["change"].values, found["change"].skip) == ({"rate": 1.0}, False)
    assert found["skip"].skip
    assert (found["fail"].because or "").endswith("exit code 1: ValueError: no rate")


def test_a_hook_that_takes_too_long_ends_with_all_it_has_started(processes: Any, tmp_path: Path) -> None:
    found = answer(processes(time_limit_s=0.5), "sleep 600 & echo $! > child; wait")
    assert (found.because or "").endswith("took longer than 0.5 s")
    assert has_gone(int((tmp_path / "child").read_text()))


def test_nobody_waits_for_what_a_hook_leaves_in_the_background(processes: Any, tmp_path: Path) -> None:
    begun = time.monotonic()
    assert answer(processes(), "sleep 600 & echo $! > child").because is None
    assert time.monotonic() - begun < 20
    assert has_gone(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("at_once", [False, True])
def test_a_hook_can_be_ended(processes: Any, tmp_path: Path, at_once: bool) -> None:
    hooks = processes()
    found: list[stimuli.HookAnswered] = []
    thread = threading.Thread(target=lambda: found.append(answer(hooks, "touch begun; exec sleep 600")))
    thread.start()
    deadline = time.monotonic() + 20
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
    hooks.stop(at_once)
    thread.join(20)
    assert "was killed by signal" in (found[0].because or "")
    refused = answer(hooks, "true").because
    assert (refused is not None) == at_once


def test_hooks_that_are_called_when_the_run_was_stopped_share_one_grace(processes: Any) -> None:
    hooks = processes(grace_s=0.3)
    hooks.stop(at_once=False)
    assert answer(hooks, "exit 3").skip
    assert "was killed by signal 9" in (answer(hooks, "trap '' TERM; sleep 60").because or "")
    assert "was not called: the run is being stopped" in (answer(hooks, "exit 3").because or "")


def test_a_flood_of_output_does_not_fill_the_disk_and_the_answer_counts(processes: Any, tmp_path: Path) -> None:
    hooks = processes(log=HookLog(tmp_path / "log"), stream_bytes=1 << 16)
    assert answer(hooks, "yes | head -c 3000000; sleep 0.5; echo; echo '{\"skip\": true}'").skip
    assert (tmp_path / "log").read_text() == '── pre hook of train\n\n{"skip": true}\n'


def test_what_hooks_print_is_kept_without_secrets(processes: Any, tmp_path: Path) -> None:
    log = tmp_path / "hooks.log"
    hooks = processes(log=HookLog(log, Masking(["very-secret"])))
    answer(hooks, "echo a very-secret word; echo complaint >&2")
    answer(hooks, "printf more")
    assert log.read_text() == ("── pre hook of train\ncomplaint\na *** word\n── pre hook of train\nmore\n")


def has_gone(process: int) -> bool:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
    return True
