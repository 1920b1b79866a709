"""When what is written to the journal is safe on disk."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vhpipe.attempt.running_clock import RunningClock
from vhpipe.engine.recorder import UNAWAITED_S, Recorder
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule import events
from vhpipe.schedule.terms import Status
from vhpipe.store.journal import JournalWriter, read_journal

ATTEMPT = AttemptId(ExecutionId("a"))
ENDED = events.AttemptEnded(ATTEMPT, Status.COMPLETE)
PATIENCE_S = 10.0


class Counted(JournalWriter):
    """A journal that tells how often it was synced."""

    syncs = 0

    def sync(self) -> None:
        super().sync()
        self.syncs += 1


class Seen:
    def __init__(self) -> None:
        self.events: list[object] = []

    def observe(self, recorded: events.RecordedEvent) -> None:
        self.events.append(recorded.event)

    def tick(self) -> None:
        pass


@pytest.fixture
def journal(tmp_path: Path) -> Counted:
    journal = Counted.create(tmp_path / "journal")
    assert isinstance(journal, Counted)
    return journal


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def recorder(journal: Counted, seen: Seen) -> Iterator[Recorder]:
    recorder = Recorder(journal, [seen], RunningClock())
    recorder.start(lambda: None)
    yield recorder
    recorder.close()


def _wait_until_safe(recorder: Recorder) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not recorder.is_safe():
        assert time.monotonic() < deadline, "never safe"
        time.sleep(0.001)


def test_events_are_readable_and_observed_at_once(recorder: Recorder, seen: Seen, tmp_path: Path) -> None:
    recorder.append([events.AttemptStarted(ATTEMPT), ENDED])
    assert [recorded.event for recorded in read_journal(tmp_path / "journal")] == seen.events
    assert seen.events == [events.AttemptStarted(ATTEMPT), ENDED]


def test_an_end_that_somebody_asks_for_is_synced_without_its_deadline(recorder: Recorder) -> None:
    recorder.append([ENDED])
    assert not recorder.is_safe()
    assert recorder.next_deadline() is None
    _wait_until_safe(recorder)


def test_an_end_that_nobody_waits_for_is_due_soon_and_synced_then(recorder: Recorder, journal: Counted) -> None:
    before = time.monotonic()
    recorder.append([ENDED])
    due = recorder.next_deadline()
    assert due is not None
    assert before < due <= time.monotonic() + UNAWAITED_S
    recorder.keep_time(due - UNAWAITED_S / 2)
    assert (recorder.next_deadline(), journal.syncs) == (due, 0)
    recorder.keep_time(due)
    _wait_until_safe(recorder)
    assert journal.syncs == 1


def test_one_sync_serves_all_that_came_meanwhile(recorder: Recorder, journal: Counted) -> None:
    for _ in range(100):
        recorder.append([ENDED])
    due = recorder.next_deadline()
    assert due is not None
    recorder.keep_time(due)
    _wait_until_safe(recorder)
    assert journal.syncs == 1


def test_what_commits_no_work_needs_no_sync(recorder: Recorder) -> None:
    recorder.append([events.AttemptStarted(ATTEMPT)])
    assert recorder.next_deadline() is None
    assert recorder.is_safe()


def test_making_safe_syncs_before_it_returns(recorder: Recorder, journal: Counted) -> None:
    recorder.append([ENDED])
    recorder.make_safe()
    assert (recorder.is_safe(), journal.syncs, recorder.next_deadline()) == (True, 1, None)
    recorder.make_safe()
    assert journal.syncs == 1


def test_closing_makes_everything_safe(journal: Counted) -> None:
    recorder = Recorder(journal, [], RunningClock())
    recorder.start(lambda: None)
    recorder.append([ENDED])
    recorder.close()
    assert journal.syncs == 1
