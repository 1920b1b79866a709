"""Hooks as processes: a shell command, or a function called by the Python that steps see, in the project's folder.

A hook learns about the node from a JSON object on its standard input and from variables. Before the node starts it may
answer with a JSON object on its last line of output: `{"parameters": {…}}` changes these, `{"skip": true}` skips the
node, as exit code 3 does. All that hooks print is kept in the run's `hooks.log`.
Source: decision 87.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from vhpipe.attempt.masking import NOTHING, Masking
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.running_clock import RunningClock
from vhpipe.config.model import Value
from vhpipe.engine.hooks import HookCall
from vhpipe.plan.model import Hook, Hooks
from vhpipe.plan.typed_text import plain_value
from vhpipe.regular_files import open_to_append
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_all

TIME_LIMIT_S = 300.0
GRACE_S = 10.0
"""Between TERM and KILL."""
LOOK_S = 0.2
SKIP_CODE = 3
ANSWER_BYTES = 1 << 20
"""So much of the end of an output is looked at."""
STREAM_BYTES = 1 << 28
"""Where an output has taken more of the disk, its beginning is dropped."""
FUNCTION_CALLER = """\
import importlib, json, os, sys
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[1].partition(":")
answers, sys.stdout = sys.stdout, sys.stderr
function = importlib.import_module(module)
for part in name.split("."):
    function = getattr(function, part)
answer = function(json.load(sys.stdin))
print(json.dumps({"skip": True} if answer is False else {"parameters": answer} if isinstance(answer, dict) else {}),
      file=answers)
"""


class HookLog(NamedTuple):
    """A file to which all hooks of a run append what they print."""

    path: Path | None = None
    masking: Masking = NOTHING

    def add(self, head: str, *contents: bytes) -> None:
        text = b"".join(contents)
        if self.path is None or not text:
            return
        masked = self.masking.content(f"── {head}\n".encode() + text + (b"" if text.endswith(b"\n") else b"\n"))
        with suppress(OSError):  # no reason to end a run: a full disk is noticed soon enough
            descriptor = open_to_append(self.path)
            try:
                write_all(descriptor, masked)
            finally:
                os.close(descriptor)


class ProcessHooks:
    """Calls hooks in one thread; `stop` may be called in another."""

    def __init__(
        self,
        project: Path,
        environment: Mapping[str, str],
        shell: str,
        log: HookLog = HookLog(),  # noqa: B008 - a value
        time_limit_s: float = TIME_LIMIT_S,
        grace_s: float = GRACE_S,
        stream_bytes: int = STREAM_BYTES,
        children: OwnChildren | None = None,
    ) -> None:
        self._project, self._environment, self._shell = project, dict(environment), shell
        self._log, self._time_limit_s, self._grace_s = log, time_limit_s, grace_s
        self._stream_bytes = stream_bytes
        self._children = children or OwnChildren()
        self._lock = threading.Lock()
        self._clock = RunningClock()
        self._process: subprocess.Popen[bytes] | None = None
        self._kill_at: float | None = None
        self._left_s: float | None = None
        self._is_refusing = False

    def call(self, hooks: Hooks, call: HookCall) -> stimuli.HookAnswered:
        """The answer of all hooks of a moment together: the first that fails or skips ends the row."""
        values: dict[str, Value] = {}
        for hook in getattr(hooks, call.when):
            told = call._replace(parameters={**call.parameters, **values})
            answer = self._run(hook, told)
            if answer.because is not None or answer.skip:
                return stimuli.HookAnswered(call.node, call.when, skip=answer.skip, because=answer.because)
            values |= answer.values
        return stimuli.HookAnswered(call.node, call.when, values)

    def stop(self, at_once: bool) -> None:
        """End the hook that runs now, with a grace or at once; then no other is called any more.

        After a first stop those that are still to be called share one grace.
        """
        with self._lock:
            self._left_s = self._grace_s if self._left_s is None else self._left_s
            self._is_refusing = self._is_refusing or at_once
            if self._process is None:
                return
            if at_once:
                self._kill_at = self._clock.monotonic()
            elif self._kill_at is None:
                self._kill_at = self._clock.monotonic() + self._grace_s
                _signal_group(self._process, signal.SIGTERM)

    # ── one process ──────────────────────────────────────────────────────────────────────────────

    def _run(self, hook: Hook, call: HookCall) -> "_Answer":
        name = f"`{call.when}` hook `{hook.command or hook.function}`"
        with TemporaryFile() as told, TemporaryFile() as out, TemporaryFile() as err:
            told.write(_input_of(call))
            told.seek(0)
            try:
                process = self._start(hook, call, (told, out, err))
            except OSError as failure:
                return _Answer(because=f"{name} cannot be started: {failure}")
            if process is None:
                return _Answer(because=f"{name} was not called: the run is being stopped")
            in_time = self._wait_for_end(process, (out, err))
            printed, complaints = _end_of(out), _end_of(err)
        self._log.add(f"{call.when} hook of {call.node}", complaints, printed)
        if not in_time:
            return _Answer(because=f"{name} took longer than {self._time_limit_s:g} s")
        return _answer(process.returncode, call, name, printed, complaints)

    def _start(
        self, hook: Hook, call: HookCall, streams: tuple[IO[bytes], IO[bytes], IO[bytes]]
    ) -> "subprocess.Popen[bytes] | None":
        told, out, err = streams
        with self._lock:
            if self._is_refusing or (self._left_s is not None and self._left_s <= 0):
                return None
            self._kill_at = None if self._left_s is None else self._clock.monotonic() + self._left_s
            with self._children.lock:
                self._process = subprocess.Popen(
                    self._words(hook), cwd=self._project, env={**self._environment, **_variables(call)},
                    stdin=told, stdout=out, stderr=err, start_new_session=True,
                )  # fmt: skip
                self._children.processes.add(self._process.pid)
            return self._process

    def _wait_for_end(self, process: "subprocess.Popen[bytes]", streams: tuple[IO[bytes], ...]) -> bool:
        """Wait for the hook to end, and end what is left of it before its process id can be another's."""
        started = self._clock.monotonic()
        limit = started + self._time_limit_s
        ending = os.pidfd_open(process.pid)
        try:
            in_time = self._has_ended(ending, limit, streams) or self._clock.monotonic() < limit
        finally:
            os.close(ending)
        with self._lock:
            self._process = None
            if self._left_s is not None:
                self._left_s -= self._clock.monotonic() - started
            _signal_group(process, signal.SIGKILL)
        process.wait()
        with self._children.lock:
            self._children.processes.discard(process.pid)
        return in_time

    def _has_ended(self, ending: int, limit: float, streams: tuple[IO[bytes], ...]) -> bool:
        """Whether the process ends before its limit, or before it is to be killed."""
        while True:
            due = self._clock.monotonic() + LOOK_S
            if select([ending], (), (), LOOK_S)[0]:
                return True
            self._clock.woke(due)
            for stream in streams:
                self._drop_much(stream.fileno())
            if self._clock.monotonic() >= min(limit, self._kill_at or limit):
                return bool(select([ending], (), (), 0)[0])

    def _drop_much(self, stream: int) -> None:
        """Give the disk back what a flood of output has taken; what comes after it still counts."""
        if os.fstat(stream).st_blocks * 512 > self._stream_bytes:
            os.ftruncate(stream, 0)

    def _words(self, hook: Hook) -> tuple[str, ...]:
        if hook.command is not None:
            return (self._shell, "-c", hook.command)
        assert hook.function is not None, "a hook is a command or a function"
        return ("python", "-c", FUNCTION_CALLER, hook.function)


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end_of(stream: IO[bytes]) -> bytes:
    size_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size_bytes - ANSWER_BYTES))
    return stream.read(ANSWER_BYTES).lstrip(b"\0")  # zeros stand for what was dropped


# ── what is asked, and what is answered ───────────────────────────────────────────────────────────


class _Answer(NamedTuple):
    values: Mapping[str, Value] = {}
    skip: bool = False
    because: str | None = None


def _input_of(call: HookCall) -> bytes:
    told: dict[str, Json] = {
        "run": call.run, "node": call.node, "when": call.when, "status": call.status, "previous": call.previous,
        "because": call.because, "parameters": {name: _plain(value) for name, value in call.parameters.items()},
    }  # fmt: skip
    return json.dumps(told).encode()


def _plain(value: Value) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _variables(call: HookCall) -> dict[str, str]:
    return {
        "VH_JOB_ID": f"hook-{call.run}",  # else it would pass for what an attempt that ends meanwhile has left
        "VHPIPE_RUN": str(call.run),
        "VHPIPE_NODE": call.node,
        "VHPIPE_HOOK": call.when,
        "VHPIPE_STATUS": str(call.status),
    }


def _answer(code: int, call: HookCall, name: str, printed: bytes, complaints: bytes) -> _Answer:
    if code == SKIP_CODE and call.when == "pre":
        return _Answer(skip=True)
    if code != 0:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = complaints.decode("utf-8", "replace").rstrip().rpartition("\n")[2].strip()
        return _Answer(because=f"{name} {how}" + (f": {last}" if last else ""))
    return _read_answer(printed.decode("utf-8", "replace"), name) if call.when == "pre" else _Answer()


def _read_answer(output: str, name: str) -> _Answer:
    """What the last line says, if it is a JSON object with something to say."""
    last = output.rstrip().rpartition("\n")[2]
    try:
        answer = json.loads(last, parse_constant=str) if last.startswith("{") else {}
    except (ValueError, RecursionError):
        return _Answer()
    if answer.get("skip") is True:
        return _Answer(skip=True)
    parameters = answer.get("parameters", {})
    if not isinstance(parameters, dict):
        return _Answer(because=f"{name} answers with `parameters` that are not a mapping of names to values")
    values = {key: plain_value(value) for key, value in parameters.items()}
    wrong = next((key for key, value in values.items() if value is None and parameters[key] is not None), None)
    if wrong is not None:
        return _Answer(because=f"{name} sets `{wrong}` to something that is neither a plain value nor a list of them")
    return _Answer(values)
