"""A worker: a process that performs attempts, one at a time, for an engine at the other end of a pipe.

    python -m vhpipe.attempt.worker SECRETS

SECRETS is the number of a descriptor with the attempts' secrets; see `messages` for what is said. The worker adopts
the orphans of its steps and leaves none behind; when the engine dies or closes the pipe, it ends with all of them.
"""

import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vhpipe.attempt.messages import (
    ORDERS,
    AnswerMessage,
    AttemptStart,
    MessageReader,
    OrderMessage,
    WorkerFailure,
    WorkerPlace,
    line_of,
)
from vhpipe.attempt.paths import OutsidePath
from vhpipe.attempt.perform import AbandonedError, EndRequest, perform_with
from vhpipe.attempt.prepare import AttemptTools
from vhpipe.attempt.process_tree import become_subreaper, die_with_parent, kill_descendants
from vhpipe.attempt.spec import AttemptSecrets
from vhpipe.code.run_copies import RunCopies
from vhpipe.errors import VhpipeError
from vhpipe.store.atomic import write_all
from vhpipe.store.blobs import Blobs
from vhpipe.store.snapshots import load_snapshot

PIECE = 1 << 16
SECRETS_LIMIT = 1 << 26
"""Bytes."""


class EnginePipe:
    """The engine at the other end of two descriptors."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders, self._answers = orders, answers
        self._reader = MessageReader(ORDERS)
        self._heard: list[OrderMessage] = []

    def tell(self, message: AnswerMessage) -> None:
        """Errors: `AbandonedError` where nobody listens any more."""
        try:
            write_all(self._answers, line_of(message))
        except BrokenPipeError as gone:
            raise AbandonedError from gone

    def next(self) -> OrderMessage:
        """The next order, waited for. Errors: `AbandonedError`."""
        while not self._heard:
            self._read_messages()
        return self._heard.pop(0)

    def fileno(self) -> int:
        return self._orders

    def take(self) -> Sequence[EndRequest]:
        """What is asked of the attempt under way. Errors: `AbandonedError`."""
        while select.select([self._orders], [], [], 0)[0]:
            self._read_messages()
        requests = [each for each in self._heard if isinstance(each, EndRequest)]
        self._heard = [each for each in self._heard if not isinstance(each, EndRequest)]
        return requests

    def _read_messages(self) -> None:
        content = os.read(self._orders, PIECE)
        if not content:
            raise AbandonedError
        self._heard.extend(self._reader.feed(content))


class _Workshop:
    """The place where this worker performs its attempts."""

    def __init__(self, place: WorkerPlace, secrets: AttemptSecrets) -> None:
        self._place, self._secrets = place, secrets
        self._blobs = Blobs(Path(place.blobs))
        self._code = _code_at(place, self._blobs)
        self._tools: AttemptTools | None = None

    def perform(self, start: AttemptStart, engine: EnginePipe) -> None:
        """All attempts of a worker are of one run."""
        if self._tools is None:
            self._tools = AttemptTools(start.spec.run, self._secrets, self._blobs, self._place.shared)
        folder, grace_s = OutsidePath(start.folder), self._place.grace_s
        code = self._code.at(start.spec.execution.step.commit_id)
        perform_with(self._tools, start.spec, folder, code, engine.tell, engine, grace_s)

    def close(self) -> None:
        self._code.close()


def _code_at(place: WorkerPlace, blobs: Blobs) -> RunCopies:
    snapshot = load_snapshot(Path(place.snapshot))
    return RunCopies(Path(place.slots), blobs, Path(place.project), snapshot, place.repository)


def serve(engine: EnginePipe, secrets: AttemptSecrets) -> None:
    """Perform what the engine orders until it goes away."""
    workshop = None
    try:
        while True:
            order = engine.next()
            if isinstance(order, WorkerPlace):
                workshop = _Workshop(order, secrets)
            elif isinstance(order, AttemptStart):
                assert workshop is not None, "the first message says where the worker works"
                workshop.perform(order, engine)
    except AbandonedError:
        pass
    except VhpipeError as failure:
        engine.tell(WorkerFailure(failure.message, failure.hint))
    finally:
        if workshop is not None:
            workshop.close()


def read_secrets(descriptor: int) -> AttemptSecrets:
    """The secrets in a file that all workers of a run share."""
    return msgspec.json.decode(os.pread(descriptor, SECRETS_LIMIT, 0), type=AttemptSecrets)


def main(arguments: Sequence[str]) -> int:
    die_with_parent()
    become_subreaper()
    secrets = read_secrets(int(arguments[0]))
    os.close(int(arguments[0]))
    try:
        serve(EnginePipe(sys.stdin.fileno(), sys.stdout.fileno()), secrets)
    finally:
        while not kill_descendants(os.getpid()):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
