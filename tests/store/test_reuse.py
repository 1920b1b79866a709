"""Which entries name work that is done, and who may do the work that is not."""

from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest, write_manifest
from vhpipe.store.reuse import ReuseEntries

FINGERPRINT = sha256(b"work").hexdigest()
OTHER = sha256(b"other work").hexdigest()


@pytest.fixture
def entries(tmp_path: Path) -> ReuseEntries:
    return ReuseEntries(tmp_path / "reuse")


TRAIN, TEST = ExecutionId("train"), ExecutionId("test")


def attempt(
    folder: Path,
    outcome: Status = Status.COMPLETE,
    fingerprint: str = FINGERPRINT,
    run: int = 1,
    execution: ExecutionId = TRAIN,
) -> Path:
    """The folder of an attempt that has ended."""
    path = folder / f"{run}{execution.node}"
    path.mkdir()
    manifest = Manifest(AttemptId(execution), outcome, run=run, fingerprint=fingerprint)
    write_manifest(path, manifest)
    return path


def test_the_newest_result_of_the_same_work_is_found(entries: ReuseEntries, tmp_path: Path) -> None:
    for run in (1, 2):
        entries.record(FINGERPRINT, TRAIN, attempt(tmp_path, run=run))
    assert runs_of(entries) == [(2, "train")]
    assert list(entries.candidates(OTHER, TRAIN)) == []


def runs_of(entries: ReuseEntries, execution: ExecutionId = TRAIN) -> list[tuple[int, str]]:
    """Run and node of each result, in the order in which the execution would take them."""
    found = entries.candidates(FINGERPRINT, execution)
    return [(each.manifest.run, each.manifest.attempt.execution.node) for each in found]


def test_each_execution_keeps_a_result_and_its_own_comes_first(entries: ReuseEntries, tmp_path: Path) -> None:
    for run, execution in ((1, TRAIN), (1, TEST), (2, TEST), (3, ExecutionId("judge"))):
        entries.record(FINGERPRINT, execution, attempt(tmp_path, run=run, execution=execution))
    assert runs_of(entries, TRAIN) == [(1, "train"), (3, "judge"), (2, "test")]
    assert runs_of(entries, TEST) == [(2, "test"), (3, "judge"), (1, "train")]
    assert runs_of(entries, ExecutionId("new")) == [(3, "judge"), (2, "test"), (1, "train")]
    assert entries.fingerprints() == (FINGERPRINT,)


def test_a_result_that_is_forgotten_leaves_the_others(entries: ReuseEntries, tmp_path: Path) -> None:
    for execution in (TRAIN, TEST):
        entries.record(FINGERPRINT, execution, attempt(tmp_path, execution=execution))
    entries.forget(next(entries.candidates(FINGERPRINT, TRAIN)))
    assert runs_of(entries) == [(1, "test")]


def test_results_of_another_format_are_no_longer_found_and_that_is_known(entries: ReuseEntries, tmp_path: Path) -> None:
    assert not entries.is_of_older_format(), "nothing is there"
    entries.record(FINGERPRINT, TRAIN, attempt(tmp_path))
    assert not ReuseEntries(tmp_path / "reuse").is_of_older_format()
    (tmp_path / "reuse/format").unlink()
    assert entries.is_of_older_format()
    entries.adopt_format()
    assert not entries.is_of_older_format()


@pytest.mark.parametrize("outcome", [Status.ERROR, Status.CRASHED, Status.STOPPED])
def test_an_entry_of_an_attempt_that_is_not_complete_is_no_result(
    entries: ReuseEntries, tmp_path: Path, outcome: Status
) -> None:
    entries.record(FINGERPRINT, TRAIN, attempt(tmp_path, outcome))
    assert entries.fingerprints() == (FINGERPRINT,)
    assert runs_of(entries) == []


def test_an_entry_of_other_work_is_no_result(entries: ReuseEntries, tmp_path: Path) -> None:
    entries.record(FINGERPRINT, TRAIN, attempt(tmp_path, fingerprint=OTHER))
    assert runs_of(entries) == []


def test_one_at_a_time_may_do_a_piece_of_work(entries: ReuseEntries) -> None:
    lock = entries.lock(FINGERPRINT)
    assert lock is not None
    assert entries.lock(FINGERPRINT) is None
    other = entries.lock(OTHER)
    assert other is not None
    entries.unlock(OTHER, other)
    entries.unlock(FINGERPRINT, lock)
    again = entries.lock(FINGERPRINT)
    assert again is not None
    entries.unlock(FINGERPRINT, again)
