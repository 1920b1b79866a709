"""What a step does to the files that it is given: the store keeps its bytes, and it is noticed."""

import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vhpipe.attempt.lent_copies import CHEAP_BYTES, LentCopies, Loan
from vhpipe.store.blobs import Blobs, DamagedBlobError

CONTENT = b"good bytes " * 600
LARGE = b"x" * (CHEAP_BYTES + 4096)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def copies(blobs: Blobs, tmp_path: Path) -> LentCopies:
    return LentCopies(blobs, str(tmp_path / "shared"))


def given(copies: LentCopies, blobs: Blobs, place: Path, content: bytes = CONTENT) -> tuple[Loan, int]:
    """A file at a place, and the moment from which the step may write."""
    loan = copies.lend(blobs.write(content)[0], str(place))
    return loan, copies.settle((loan,))


def spoil(path: Path) -> None:
    """Write into a file although it is read-only, as its owner can."""
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.write(b"BAD")


def times_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_atime_ns, status.st_mtime_ns


def write_and_move(path: Path) -> None:
    spoil(path)
    path.rename(path.with_name("elsewhere"))


def write_and_remove(path: Path) -> None:
    spoil(path)
    path.unlink()


def write_and_replace(path: Path) -> None:
    spoil(path)
    path.unlink()
    path.write_bytes(CONTENT)


def write_and_keep_the_times(path: Path) -> None:
    before = times_of(path)
    spoil(path)
    os.utime(path, ns=before)


def write_keep_the_times_and_move(path: Path) -> None:
    write_and_keep_the_times(path)
    path.rename(path.with_name("elsewhere"))


def truncate(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, 5)


def append(path: Path) -> None:
    path.chmod(0o644)
    with open(path, "ab") as file:
        file.write(b"more")


def write_by_mapping(path: Path) -> None:
    path.chmod(0o644)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0:1] = b"B" if mapped[0:1] == b"g" else b"C"
    path.chmod(0o444)


def write_through_another_link(path: Path) -> None:
    other = path.with_name("other")
    os.link(path, other)
    path.unlink()
    spoil(other)


def write_at_once_and_keep_the_times(path: Path) -> None:
    """Within the tick in which it was given, where times alone do not tell."""
    before = times_of(path)
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, b"BAD", 0)
    os.utime(descriptor, ns=before)
    os.close(descriptor)


WRITING = [
    spoil, write_and_move, write_and_remove, write_and_replace, write_and_keep_the_times, write_keep_the_times_and_move,
    truncate, append, write_by_mapping, write_through_another_link,
]  # fmt: skip


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("do", WRITING, ids=[each.__name__ for each in WRITING])
def test_writing_into_what_is_given_is_noticed_and_harms_neither_store_nor_the_next(
    blobs: Blobs, copies: LentCopies, tmp_path: Path, do: Callable[[Path], None], content: bytes
) -> None:
    loan, started = given(copies, blobs, tmp_path / "input", content)
    do(tmp_path / "input")
    assert copies.verdict(loan, started) == "written"
    copies.lend(loan.file.blob, str(tmp_path / "next"))
    assert (tmp_path / "next").read_bytes() == content
    assert Blobs(tmp_path / "blobs").read(loan.file.blob) == content


def test_writing_within_a_tick_of_the_clock_is_noticed(blobs: Blobs, copies: LentCopies, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root writes into a file without changing its mode")
    for number in range(20):
        loan, started = given(copies, blobs, tmp_path / f"input-{number}")
        write_at_once_and_keep_the_times(tmp_path / f"input-{number}")
        assert copies.verdict(loan, started) == "written"


def test_who_shares_a_file_that_was_written_into_hears_of_it_and_who_comes_later_does_not(
    blobs: Blobs, copies: LentCopies, tmp_path: Path
) -> None:
    culprit, started = given(copies, blobs, tmp_path / "one")
    other, others_start = given(copies, blobs, tmp_path / "two")
    write_and_keep_the_times(tmp_path / "one")
    later, later_start = given(copies, blobs, tmp_path / "three")
    found = [copies.verdict(*each) for each in ((culprit, started), (other, others_start), (later, later_start))]
    assert found == ["written", "written", "intact"]


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def change_the_mode(path: Path) -> None:
    path.chmod(0o600)


@pytest.mark.parametrize("do", [move, Path.unlink, change_the_mode], ids=["move", "remove", "change the mode"])
def test_what_harms_nobody_is_told_apart(
    blobs: Blobs, copies: LentCopies, tmp_path: Path, do: Callable[[Path], None]
) -> None:
    loan, started = given(copies, blobs, tmp_path / "input")
    while time.clock_gettime_ns(5) <= started:
        pass
    do(tmp_path / "input")
    assert copies.verdict(loan, started) == "touched"
    next_loan, next_start = given(copies, blobs, tmp_path / "next")
    assert copies.verdict(next_loan, next_start) == "intact"
    assert next_loan.file is loan.file
    assert (tmp_path / "next").stat().st_mode & 0o777 == 0o444


def test_reading_is_no_reason_to_hash(blobs: Blobs, copies: LentCopies, tmp_path: Path) -> None:
    before = blobs.hashed_bytes
    loans = [given(copies, blobs, tmp_path / f"input-{number}", LARGE) for number in range(5)]
    assert all((tmp_path / f"input-{number}").read_bytes() == LARGE for number in range(5))
    assert {copies.verdict(*each) for each in loans} == {"intact"}
    assert blobs.hashed_bytes == before
    assert len({each.file.path for each, _ in loans}) == 1


def test_a_damaged_blob_is_not_lent(blobs: Blobs, copies: LentCopies, tmp_path: Path) -> None:
    blob, _ = blobs.write(CONTENT)
    spoil(blobs.path(blob))
    with pytest.raises(DamagedBlobError, match=blob[:16]):
        copies.lend(blob, str(tmp_path / "input"))
    assert not (tmp_path / "input").exists()
