"""One installer as a process: its output goes to a log without secrets, and it ends when nobody wants it any more."""

import os
import select
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from vhpipe.plan.redaction import redacted
from vhpipe.regular_files import open_to_append
from vhpipe.store.atomic import write_all
from vhpipe.store.long_work import go_on

SILENCE_S = 1200.0
"""An installer that prints nothing for so long is ended; so is one that takes longer than the next."""
TIME_LIMIT_S = 4 * 3600.0
LOOK_S = 0.2
SAY_EVERY_S = 10.0
SAY_AGAIN_S = 60.0
"""A line that was said already is said again after so long, with the time that the installer has taken."""
LOG_BYTES = 16 << 20
KEPT_LINES = 300
"""So many of the first lines of a call are at hand, and of the last."""
CALL = "$ "
"""Stands before the words of a call in the log."""


class OtherChildren(Protocol):
    """Children of this process that are no attempts: whoever looks for the remains of attempts leaves them alone."""

    lock: threading.Lock
    processes: set[int]


class InstallLog:
    """What installers print, appended to a file up to a bound; the last lines are at hand. `mask` hides secrets."""

    def __init__(self, path: Path, mask: Callable[[str], str]) -> None:
        self.path = path
        self._first: list[str] = []
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._mask = mask
        self._descriptor = open_to_append(path)
        self._size_bytes = 0

    def add(self, line: str) -> None:
        text = self._mask(redacted(line))
        if line.startswith(CALL):
            self._first.clear()
            self._lines.clear()
        elif len(self._first) < KEPT_LINES:
            self._first.append(text)
        else:
            self._lines.append(text)
        self._size_bytes += len(text) + 1
        if self._size_bytes <= LOG_BYTES:
            write_all(self._descriptor, f"{text}\n".encode("utf-8", "replace"))

    @property
    def last(self) -> str:
        """The last line that is not blank of the installer that was called last."""
        return next((line.strip() for line in reversed(self.of_last_call) if line.strip()), "")

    @property
    def of_last_call(self) -> list[str]:
        """The lines of the installer that was called last, without the middle where they are many."""
        return [*self._first, *self._lines]

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


def answer_of(
    argv: Sequence[str], folder: str, variables: Mapping[str, str], children: OtherChildren, patience_s: float
) -> tuple[bytes, bytes]:
    """What a short process prints on its two streams. Errors: OSError, `subprocess.TimeoutExpired`."""
    with children.lock:
        process = subprocess.Popen(
            argv, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        children.processes.add(process.pid)
    try:
        return process.communicate(timeout=patience_s)
    finally:
        process.kill()
        process.communicate()
        with children.lock:
            children.processes.discard(process.pid)


def run_installer(
    argv: Sequence[str],
    folder: str,
    variables: Mapping[str, str],
    log: InstallLog,
    children: OtherChildren,
    progress: Callable[[str], None],
) -> tuple[int, bytes]:
    """The exit code, and standard output where the installer answers in JSON; `progress` hears a line now and then.

    Errors: OSError where it cannot be started; `GivenUpError` when nobody wants the rest.
    """
    answers = "json" in argv
    log.add(f"{CALL}{redacted(' '.join(argv))}")
    with children.lock:
        process = subprocess.Popen(
            argv, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if answers else subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        children.processes.add(process.pid)
    try:
        return _follow(process, log, progress, answers)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        with children.lock:
            children.processes.discard(process.pid)


def _follow(
    process: "subprocess.Popen[bytes]", log: InstallLog, progress: Callable[[str], None], answers: bool
) -> tuple[int, bytes]:
    assert process.stdout is not None, "it is a pipe"
    text = process.stderr if answers else process.stdout
    assert text is not None, "it is a pipe"
    answer, rest = [b""], b""
    open_streams = {process.stdout.fileno(), text.fileno()}
    started = heard = said = time.monotonic()
    text_said = ""
    while open_streams:
        go_on()
        now = time.monotonic()
        if now - heard > SILENCE_S or now - started > TIME_LIMIT_S:
            log.add(f"error: ended by vhpipe: {'no output' if now - heard > SILENCE_S else 'not done'} for too long")
            return 1, b""
        ready, _, _ = select.select(list(open_streams), [], [], LOOK_S)
        for stream in ready:
            chunk = os.read(stream, 1 << 16)
            heard = now
            if not chunk:
                open_streams.discard(stream)
            elif answers and stream == process.stdout.fileno():
                answer.append(chunk)
            else:
                *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                for line in lines:
                    log.add(line.decode("utf-8", "replace"))
        if not ready and process.poll() is not None:
            break
        if now - said > (SAY_AGAIN_S if log.last == text_said else SAY_EVERY_S):
            is_again = log.last == text_said
            said, text_said = now, log.last
            progress(f"{text_said} ({(now - started) / 60:.0f} min so far)" if is_again else text_said)
    if rest:
        log.add(rest.decode("utf-8", "replace"))
    return process.wait(), b"".join(answer)
