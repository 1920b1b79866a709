"""Work on many bytes that nobody wants any more: it ends, leaves nothing, and says nothing about the bytes."""

from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from vhpipe.store.blobs import SMALL_BYTES, Blobs
from vhpipe.store.long_work import GivenUpError, given_up_when

LARGE = bytes(3 * SMALL_BYTES)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("keep", [Blobs.keep, Blobs.copy_in])
def test_a_file_whose_storing_is_given_up_stays_where_it_is(
    tmp_path: Path, file: Path, keep: Callable[[Blobs, Path], object]
) -> None:
    with given_up_when(lambda: True), pytest.raises(GivenUpError):
        keep(Blobs(tmp_path / "blobs"), file)
    assert file.read_bytes() == LARGE
    assert files_below(tmp_path / "blobs") == set()


def test_a_blob_whose_hashing_is_given_up_is_not_taken_for_damaged(tmp_path: Path, file: Path) -> None:
    blob, _ = Blobs(tmp_path / "first").copy_in(file)
    (tmp_path / "first").rename(tmp_path / "blobs")
    blobs = Blobs(tmp_path / "blobs")
    for look in (blobs.verify, blobs.is_intact, lambda each: blobs.copy_to(each, tmp_path / "copy", 0o600)):
        with given_up_when(lambda: True), pytest.raises(GivenUpError):
            look(blob)
    assert files_below(tmp_path / "blobs") == {blobs.path(blob)}
    assert not (tmp_path / "copy").exists()
    assert blobs.verify(blob)


def test_a_copy_that_is_given_up_on_the_way_is_removed(tmp_path: Path, file: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    blob, _ = blobs.copy_in(file)
    assert blobs.verify(blob)
    with given_up_when(lambda: True), pytest.raises(GivenUpError):
        blobs.copy_to(blob, tmp_path / "copy", 0o600)
    assert not (tmp_path / "copy").exists()


def test_small_files_are_never_given_up(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"small")
    with given_up_when(lambda: True):
        assert Blobs(tmp_path / "blobs").keep(tmp_path / "small")[1] == 5


def test_what_is_wanted_within_ends_when_the_outer_work_is_not_wanted(tmp_path: Path, file: Path) -> None:
    wishes = chain([False, False], repeat(True))
    with given_up_when(lambda: next(wishes)), given_up_when(lambda: False), pytest.raises(GivenUpError):
        Blobs(tmp_path / "blobs").keep(file)
    assert Blobs(tmp_path / "blobs").keep(file)[1] == len(LARGE)
