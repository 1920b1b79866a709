"""What goes through the pipe between an engine and a worker, both ways."""

import json

import msgspec
import pytest

from vhpipe.attempt.messages import (
    ANSWERS,
    ORDERS,
    AnswerMessage,
    AttemptStart,
    MessageReader,
    OrderMessage,
    WorkerFailure,
    WorkerPlace,
    line_of,
)
from vhpipe.attempt.news import MetadataFound, MetricsPublished, ProcessStarted
from vhpipe.attempt.perform import EndRequest
from vhpipe.attempt.spec import AttemptSpec, RunFacts
from vhpipe.plan.model import AttemptId, Datum, DatumPath, ExecutionId, ExecutionSpec, InputFile, Secret, StepSpec
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status

NODE = ExecutionId("n\udc80")  # a name that is not UTF-8
ATTEMPT = AttemptId(NODE, 2)
SPEC = AttemptSpec(
    ATTEMPT,
    ExecutionSpec(
        NODE,
        "execution",
        StepSpec("step", "image", ("echo {parameters}",)),
        {"many": ("a", "b"), "none": None, "real": 0.1},
        (("data", (InputFile("x", datum=Datum("1", "x", "ab" * 32, 3)),)),),
        {"TOKEN": Secret("TOKEN", "mac")},
        deferred=(DatumPath("x", "ab" * 32),),
    ),
    RunFacts(number=3, identifier="id", pipeline="p", tags=("a",)),
    reports_metadata=True,
)

ORDER_EXAMPLES: tuple[OrderMessage, ...] = (
    WorkerPlace("/blobs", "/slots", "/run", "/project", "link", "/shared", 10.0),
    AttemptStart(SPEC, "/folder"),
    EndRequest("enough", completes=True),
    EndRequest("killed", at_once=True),
)
ANSWER_EXAMPLES: tuple[AnswerMessage, ...] = (
    ProcessStarted(ATTEMPT),
    MetadataFound(ATTEMPT, [{"loss": 1.5, "texts": ["a"]}]),
    MetricsPublished(ATTEMPT, [(1.0, {"loss": 1})]),
    stimuli.StopConditionMet(ATTEMPT, "metadata.loss < 1", of_task=True),
    stimuli.AttemptReported(ATTEMPT, Status.ERROR, 3, "exit code 3", metadata={"a": [1]}, warnings=("w",)),
    WorkerFailure("the disk is full", "make room"),
)


@pytest.mark.parametrize("message", ORDER_EXAMPLES)
def test_an_order_arrives_as_it_was_sent(message: OrderMessage) -> None:
    [arrived] = MessageReader(ORDERS).feed(line_of(message))
    assert line_of(arrived) == line_of(message)
    assert type(arrived) is type(message)


@pytest.mark.parametrize("message", ANSWER_EXAMPLES)
def test_an_answer_arrives_as_it_was_sent(message: AnswerMessage) -> None:
    [arrived] = MessageReader(ANSWERS).feed(line_of(message))
    assert line_of(arrived) == line_of(message)
    assert type(arrived) is type(message)


def test_every_message_is_one_line_of_json() -> None:
    for message in (*ORDER_EXAMPLES, *ANSWER_EXAMPLES):
        line = line_of(message)
        kind, _ = json.loads(line)
        assert kind in {**ORDERS, **ANSWERS}
        assert line.index(b"\n") == len(line) - 1


def test_messages_may_come_in_any_pieces() -> None:
    content = b"".join(map(line_of, ORDER_EXAMPLES))
    for size in (1, 7, 64, len(content)):
        reader = MessageReader(ORDERS)
        arrived = [
            each for place in range(0, len(content), size) for each in reader.feed(content[place : place + size])
        ]
        assert b"".join(map(line_of, arrived)) == content


@pytest.mark.parametrize("line", [b"nonsense\n", b'["report",{}]\n', b'["dance",{}]\n', b'["start",{"folder":1}]\n'])
def test_what_is_no_order_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        MessageReader(ORDERS).feed(line)
