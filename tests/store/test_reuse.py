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


def attempt(folder: Path, outcome: Status = Status.COMPLETE, fingerprint: str = FINGERPRINT, run: int = 1) -> Path:
    """The folder of an attempt that has ended."""
    path = folder / f"{run}"
    path.mkdir()
    manifest = Manifest(AttemptId(ExecutionId("train")), outcome, run=run, fingerprint=fingerprint)
    write_manifest(path, manifest)
    return path


def test_the_newest_result_of_the_same_work_is_found(entries: ReuseEntries, tmp_path: Path) -> None:
    for run in (1, 2):
        entries.record(FINGERPRINT, attempt(tmp_path, run=run))
    found = entries.find(FINGERPRINT)
    assert found is not None
    assert found.run == 2
    assert entries.find(OTHER) is None


@pytest.mark.parametrize("outcome", [Status.ERROR, Status.CRASHED, Status.STOPPED])
def test_an_entry_of_an_attempt_that_is_not_complete_is_no_result(
    entries: ReuseEntries, tmp_path: Path, outcome: Status
) -> None:
    entries.record(FINGERPRINT, attempt(tmp_path, outcome))
    assert entries.fingerprints() == (FINGERPRINT,)
    assert entries.find(FINGERPRINT) is None


def test_an_entry_of_other_work_is_no_result(entries: ReuseEntries, tmp_path: Path) -> None:
    entries.record(FINGERPRINT, attempt(tmp_path, fingerprint=OTHER))
    assert entries.find(FINGERPRINT) is None


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
