"""Attempts in worker processes of this machine, one at a time in each: what a node of a cluster runs.

The engine's thread only passes messages; a worker prepares, runs and collects. Workers are started when there is no
idle one, and are used again. One that dies takes its attempt with it, which is then reported as crashed.
"""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from vhpipe.attempt.identifiers import attempt_identifier
from vhpipe.attempt.messages import (
    ANSWERS,
    AnswerMessage,
    AttemptStart,
    MessageReader,
    WorkerFailure,
    WorkerPlace,
    line_of,
)
from vhpipe.attempt.perform import EndRequest
from vhpipe.attempt.process_tree import kill_descendants, kill_marked
from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.capabilities import PLAIN_MACHINE
from vhpipe.plan.model import AttemptId
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import this_machine
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.terms import Status
from vhpipe.store.atomic import write_all

PIECE = 1 << 16


class WorkerRunner:
    """Workers of this machine: see `Runner`."""

    capabilities = PLAIN_MACHINE

    def __init__(self, parts: RunnerParts) -> None:
        self._parts = parts
        self._secrets = _kept_in_memory(msgspec.json.encode(parts.secrets))
        self._idle: list[_Worker] = []
        self._busy: dict[AttemptId, _Worker] = {}

    @property
    def capacity(self) -> Capacity:
        return this_machine()

    def are_idle(self) -> bool:
        return not self._busy

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        for order in orders:
            worker = self._idle.pop() if self._idle else self._new_worker()
            self._busy[order.attempt] = worker
            worker.start(order.attempt, AttemptStart(self._parts.spec_of(order), self._parts.folder_of(order)))

    def _new_worker(self) -> "_Worker":
        worker = _Worker(self._secrets, self._parts.selector, self._heard, self._died)
        worker.tell(place_of(self._parts))
        return worker

    def _heard(self, worker: "_Worker", message: AnswerMessage) -> None:
        if isinstance(message, WorkerFailure):
            raise EnvironmentFailure(message.message, message.hint)
        if isinstance(message, stimuli.AttemptReported):
            self._idle.append(self._busy.pop(message.attempt))
        self._parts.hear(message)

    def _died(self, worker: "_Worker", because: str) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
        attempt = worker.attempt
        if self._busy.get(attempt) is not worker:
            return
        del self._busy[attempt]
        kill_marked({f"VH_JOB_ID=exec-{attempt_identifier(self._parts.run.identifier, attempt)}"})
        self._parts.hear(stimuli.AttemptReported(attempt, Status.CRASHED, because=because))

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        if attempt in self._busy:
            self._busy[attempt].tell(EndRequest(because, completes))

    def kill(self) -> None:
        for worker in self._busy.values():
            worker.tell(EndRequest("killed", at_once=True))

    def abandon(self) -> None:
        for worker in (*self._busy.values(), *self._idle):
            worker.kill()
        self._busy.clear()
        self._idle.clear()

    def next_deadline(self) -> float | None:
        return None

    def keep_time(self, now: float) -> None:
        """The workers keep time themselves."""

    def close(self) -> None:
        for worker in self._idle:
            worker.dismiss()
        os.close(self._secrets)


class _Worker:
    """One worker process. `attempt` is the one that it was given last."""

    attempt: AttemptId

    def __init__(self, secrets: int, selector: selectors.BaseSelector, heard: "_OnMessage", died: "_OnDeath") -> None:
        self._selector, self._on_message, self._on_death = selector, heard, died
        command = (sys.executable, "-m", "vhpipe.attempt.worker", str(secrets))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(secrets,), start_new_session=True
        )
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        self._orders, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._reader = MessageReader(ANSWERS)
        selector.register(self._answers, selectors.EVENT_READ, self._read)

    def start(self, attempt: AttemptId, order: AttemptStart) -> None:
        self.attempt = attempt
        self.tell(order)

    def tell(self, message: WorkerPlace | AttemptStart | EndRequest) -> None:
        """Say something; a worker that has died is heard of soon."""
        with suppress(BrokenPipeError):
            write_all(self._orders, line_of(message))

    def _read(self) -> None:
        content = os.read(self._answers, PIECE)
        if not content:
            self._forget()
            self._on_death(self, f"the worker of the attempt has died: {_ending_of(self._process.wait())}")
            return
        for message in self._reader.feed(content):
            self._on_message(self, message)

    def _forget(self) -> None:
        self._selector.unregister(self._answers)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None, "it is a pipe"
            pipe.close()

    def kill(self) -> None:
        """End it with all that it has started. It stands still meanwhile: it must not take that for the step's end."""
        self._process.send_signal(signal.SIGSTOP)
        while not kill_descendants(self._process.pid):
            pass
        self._process.kill()
        self._forget()
        self._process.wait()

    def dismiss(self) -> None:
        """Let an idle worker go, and wait for it."""
        self._forget()
        self._process.wait()


_OnMessage = Callable[[_Worker, AnswerMessage], None]
_OnDeath = Callable[[_Worker, str], None]


def _ending_of(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def place_of(parts: RunnerParts) -> WorkerPlace:
    """What a worker of this machine learns first."""
    store, run = parts.store, parts.folder.path
    return WorkerPlace(
        blobs=str(store.blobs.folder),
        slots=str(store.slots),
        snapshot=str(run),
        project=str(store.project),
        repository=parts.repository,
        shared=str(parts.folder.shared_path),
        grace_s=parts.grace_s,
    )


def _kept_in_memory(content: bytes) -> int:
    """The descriptor of a file that has no name, and is no longer there when nobody has it open."""
    descriptor = os.memfd_create("secrets", os.MFD_CLOEXEC)
    write_all(descriptor, content)
    return descriptor
