"""What an engine and a worker say to each other: JSON lines `["KIND", CONTENT]`.

To the worker, on its standard input:

    open     `WorkerPlace`    once, first: where its blobs, its code and its attempts are
    start    `AttemptStart`   perform this attempt; one at a time
    end      `EndRequest`     end the attempt under way: with a grace, or at once
    (end of file)             abandon the attempt under way, and end

From the worker, on its standard output, in this order for every attempt:

    started          `ProcessStarted`     not for one that cannot start
    metadata         `MetadataFound`      as the step prints it, if the spec asks for it
    metrics          `MetricsPublished`   as the step publishes them
    stop-condition   `StopConditionMet`   the worker has begun to end the attempt
    report           `AttemptReported`    the last of an attempt; the next may be started
    failed           `WorkerFailure`      the world fails, for all attempts; the worker ends

Secrets are in none of these: the worker reads `AttemptSecrets` as JSON from a descriptor that it is started with.
"""

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

import msgspec

from vhpipe.attempt.news import AttemptNews, MetadataFound, MetricsPublished, ProcessStarted
from vhpipe.attempt.perform import EndRequest
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.schedule import stimuli
from vhpipe.store.json_codec import decode, encode


class WorkerPlace(msgspec.Struct, frozen=True):
    """Where a worker finds what it needs, as absolute paths. `snapshot` is the folder that has the snapshot's file.

    With `repository` in-place steps work in `project`; else in working copies below `slots`.
    """

    blobs: str
    slots: str
    snapshot: str
    project: str
    repository: Literal["copy", "link", "in-place"]
    shared: str
    grace_s: float


class AttemptStart(msgspec.Struct, frozen=True):
    """`folder` becomes the attempt's."""

    spec: AttemptSpec
    folder: str


class WorkerFailure(msgspec.Struct, frozen=True):
    """A `VhpipeError` that ends the run."""

    message: str
    hint: str | None = None


OrderMessage = WorkerPlace | AttemptStart | EndRequest
AnswerMessage = AttemptNews | WorkerFailure

ORDERS: dict[str, type[OrderMessage]] = {"open": WorkerPlace, "start": AttemptStart, "end": EndRequest}
ANSWERS: dict[str, type[AnswerMessage]] = {
    "started": ProcessStarted,
    "metadata": MetadataFound,
    "metrics": MetricsPublished,
    "stop-condition": stimuli.StopConditionMet,
    "report": stimuli.AttemptReported,
    "failed": WorkerFailure,
}
_kinds = {content: kind for kind, content in (*ORDERS.items(), *ANSWERS.items())}
_line = msgspec.json.Decoder(tuple[str, object])

Message = TypeVar("Message")


def line_of(message: OrderMessage | AnswerMessage) -> bytes:
    """The message as one line."""
    return b'["%s",%s]\n' % (_kinds[type(message)].encode(), encode(message))


class MessageReader(Generic[Message]):
    """Cuts what comes through a pipe into messages of one direction, `ORDERS` or `ANSWERS`."""

    def __init__(self, kinds: Mapping[str, type[Message]]) -> None:
        self._kinds = kinds
        self._partial: list[bytes] = []

    def feed(self, content: bytes) -> list[Message]:
        """The messages that are complete now. Errors: `msgspec.DecodeError` for what is none."""
        *lines, partial = content.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._partial, lines[0]))
            self._partial.clear()
        self._partial.append(partial)
        return [self._message_of(line) for line in lines]

    def _message_of(self, line: bytes) -> Message:
        kind, content = decode(line, _line)
        if kind not in self._kinds:
            raise msgspec.DecodeError(f"no message is called `{kind}`")
        return msgspec.convert(content, self._kinds[kind])
