import multiprocessing
import os
import resource
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Status
from vhpipe.store.checksum_lines import line_of
from vhpipe.store.journal import JournalFollower, JournalWriter, read_journal

EVENTS: tuple[events.AnyEvent, ...] = (
    events.RunStarted(capacity=2),
    events.AttemptStarted(AttemptId(ExecutionId("train", 3))),
    events.Warned("train", "ünusual \udc80"),
    events.RunEnded(Status.COMPLETE),
)


def write(path: Path, history: tuple[events.AnyEvent, ...] = EVENTS) -> tuple[events.RecordedEvent, ...]:
    writer = JournalWriter.create(path)
    recorded = writer.append(history[:1], 1.5)
    recorded += tuple(record for event in history[1:] for record in writer.append((event,), 2.5))
    writer.sync()
    writer.close()
    return recorded


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    recorded = write(tmp_path / "journal")
    assert read_journal(tmp_path / "journal") == recorded
    assert [(record.sequence, record.at, record.event) for record in recorded] == [
        (0, 1.5, EVENTS[0]),
        *((position, 2.5, EVENTS[position]) for position in (1, 2, 3)),
    ]


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "journal") == ()


def test_a_second_writer_cannot_create_it(tmp_path: Path) -> None:
    write(tmp_path / "journal")
    with pytest.raises(EnvironmentFailure, match="cannot create"):
        JournalWriter.create(tmp_path / "journal")


def test_truncated_at_any_byte_it_is_a_valid_prefix(tmp_path: Path) -> None:
    recorded = write(tmp_path / "journal")
    content = (tmp_path / "journal").read_bytes()
    for length in range(len(content) + 1):
        (tmp_path / "cut").write_bytes(content[:length])
        assert read_journal(tmp_path / "cut") == recorded[: content[:length].count(b"\n")]


def test_with_any_bit_flipped_it_is_a_valid_prefix(tmp_path: Path) -> None:
    recorded = write(tmp_path / "journal")
    content = (tmp_path / "journal").read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            (tmp_path / "bad").write_bytes(flipped)
            assert read_journal(tmp_path / "bad") == recorded[: content[:position].count(b"\n")]


def test_what_was_decided_at_once_counts_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "journal")
    recorded = writer.append(EVENTS[:1], 1.5) + writer.append(EVENTS[1:], 2.5)
    writer.close()
    content = (tmp_path / "journal").read_bytes()
    first = content.index(b"\n") + 1
    for length in range(first, len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        reopened, past = JournalWriter.reopen(tmp_path / "cut")
        assert past == recorded[:1]
        assert (tmp_path / "cut").stat().st_size == first
        assert reopened.append(EVENTS[1:], 2.5) == recorded[1:]
        reopened.close()
        assert (tmp_path / "cut").read_bytes() == content


def test_a_line_out_of_order_ends_it(tmp_path: Path) -> None:
    recorded = write(tmp_path / "journal")
    lines = (tmp_path / "journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "bad").write_bytes(lines[0] + lines[2] + lines[1])
    assert read_journal(tmp_path / "bad") == recorded[:1]


@pytest.mark.parametrize(
    "json",
    [
        b'{"sequence":0,"at":0.0,"event":{"type":"RunStarted","capacity":1,"format":2}}',
        b'{"sequence":0,"at":0.0,"event":{"type":"RunStarted","new":{},"format":2}}',
        b'{"sequence":0,"at":0.0,"event":{"type":"MoonRose"}}',
    ],
)
def test_a_journal_of_another_version_is_refused(tmp_path: Path, json: bytes) -> None:
    (tmp_path / "journal").write_bytes(line_of(json))
    with pytest.raises(EnvironmentFailure, match="another version of vhpipe"):
        read_journal(tmp_path / "journal")


def test_a_follower_gets_each_record_once_and_no_half_line(tmp_path: Path) -> None:
    recorded = write(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    follower = JournalFollower(tmp_path / "growing")
    assert follower.poll() == ()
    seen: list[events.RecordedEvent] = []
    for length in range(1, len(content) + 1, 7):
        (tmp_path / "growing").write_bytes(content[:length])
        seen += follower.poll()
        assert tuple(seen) == recorded[: content[:length].count(b"\n")]
    (tmp_path / "growing").write_bytes(content)
    seen += follower.poll()
    assert tuple(seen) == recorded
    assert follower.poll() == ()


def _fill(path: Path, answers: "multiprocessing.Queue[tuple[str, int]]") -> None:
    """Append until the limit of the file's size says no, then once more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    writer = JournalWriter.create(path)
    good = 0
    for attempt in range(20):
        try:
            good += len(writer.append((events.Warned("n", "x" * 150), events.Warned("n", "y")), float(attempt)))
        except EnvironmentFailure as error:
            answers.put((str(error), good))
            return


def test_a_full_disk_is_named_and_leaves_a_valid_prefix(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    process = context.Process(target=_fill, args=(tmp_path / "journal", answers))
    process.start()
    message, good = answers.get(timeout=20)
    process.join()
    assert f"cannot write `{tmp_path}/journal`" in message
    assert "(errno 27)" in message
    content = (tmp_path / "journal").read_bytes()
    assert content.endswith(b"\n")
    assert len(read_journal(tmp_path / "journal")) == good == content.count(b"\n") > 0


def test_after_a_failed_sync_nothing_is_tried_again() -> None:
    reading, writing = os.pipe()
    writer = JournalWriter("a closed pipe cannot be synced", writing)
    writer.append(EVENTS, 1.0)
    os.close(writing)
    with pytest.raises(EnvironmentFailure, match="cannot sync `a closed pipe") as first:
        writer.sync()
    with pytest.raises(EnvironmentFailure) as second:
        writer.append(EVENTS, 2.0)
    assert second.value is first.value
    os.close(reading)
