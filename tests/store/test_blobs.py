import os
import threading
from hashlib import md5, sha1, sha256
from pathlib import Path

import pytest

from vhpipe.errors import EnvironmentFailure
from vhpipe.store.blobs import SMALL_BYTES, Blobs, DamagedBlobError

SIZES = [0, 1, 5000, SMALL_BYTES - 1, SMALL_BYTES, 2 * SMALL_BYTES + 17]


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def content_of(size_bytes: int) -> bytes:
    return (b"0123456789" * (size_bytes // 10 + 1))[:size_bytes]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_kept_file_is_the_blob_itself_and_read_only(blobs: Blobs, tmp_path: Path, size_bytes: int) -> None:
    content = content_of(size_bytes)
    (tmp_path / "output").write_bytes(content)
    assert blobs.keep(tmp_path / "output") == (sha256(content).hexdigest(), size_bytes)
    blob = blobs.path(sha256(content).hexdigest())
    assert blob.parent.name == blob.name[:2]
    assert blob.samefile(tmp_path / "output")
    assert blob.stat().st_mode & 0o777 == 0o444


def test_a_kept_file_with_other_links_is_copied(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"x")
    os.link(tmp_path / "output", tmp_path / "elsewhere")
    blob, _ = blobs.keep(tmp_path / "output")
    (tmp_path / "elsewhere").write_bytes(b"changed later")
    assert blobs.path(blob).read_bytes() == b"x"


def test_bytes_that_are_there_are_not_stored_twice(blobs: Blobs, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
    first = blobs.keep(tmp_path / "a")
    assert blobs.keep(tmp_path / "b") == first == blobs.copy_in(tmp_path / "b") == blobs.write(b"same")
    assert files_in(tmp_path / "blobs") == [blobs.path(first[0])]


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\0\0\0\0"])
@pytest.mark.parametrize("store", ["keep", "copy_in", "write"])
def test_a_blob_damaged_by_a_crash_is_stored_again(blobs: Blobs, tmp_path: Path, store: str, damage: bytes) -> None:
    blob, _ = blobs.write(b"content")
    blobs.path(blob).chmod(0o644)
    blobs.path(blob).write_bytes(damage)
    (tmp_path / "output").write_bytes(b"content")
    if store == "write":
        blobs.write(b"content")
    else:
        getattr(blobs, store)(tmp_path / "output")
    assert blobs.path(blob).read_bytes() == b"content"


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_file_of_the_user_is_copied_and_left_as_it_is(blobs: Blobs, tmp_path: Path, size_bytes: int) -> None:
    content = content_of(size_bytes)
    (tmp_path / "mine").write_bytes(content)
    before = (tmp_path / "mine").stat()
    blob, size = blobs.copy_in(tmp_path / "mine")
    assert (blob, size) == (sha256(content).hexdigest(), size_bytes)
    assert blobs.path(blob).read_bytes() == content
    assert not blobs.path(blob).samefile(tmp_path / "mine")
    assert (tmp_path / "mine").stat().st_mode == before.st_mode
    assert len(files_in(tmp_path / "blobs")) == 1


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_blob_is_copied_out_with_a_mode_and_linked_out_without_a_copy(
    blobs: Blobs, tmp_path: Path, size_bytes: int
) -> None:
    blob, _ = blobs.write(content_of(size_bytes))
    blobs.copy_to(blob, tmp_path / "copy", 0o751)
    blobs.link_to(blob, tmp_path / "link")
    assert (tmp_path / "copy").read_bytes() == content_of(size_bytes)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o751
    assert (tmp_path / "link").samefile(blobs.path(blob))


def test_only_regular_files_are_stored(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo", "."):
        with pytest.raises(EnvironmentFailure):
            blobs.keep(tmp_path / name)


def test_chunks_that_end_with_an_error_leave_nothing(blobs: Blobs, tmp_path: Path) -> None:
    def chunks():  # type: ignore[no-untyped-def]
        yield b"a part"
        raise EnvironmentFailure("the line went dead")

    with pytest.raises(EnvironmentFailure, match="the line went dead"):
        blobs.receive(chunks())
    assert files_in(tmp_path / "blobs") == []


def test_a_missing_blob_is_named(blobs: Blobs, tmp_path: Path) -> None:
    assert not blobs.has("ab" * 32)
    with pytest.raises(EnvironmentFailure, match="abab"):
        blobs.copy_to("ab" * 32, tmp_path / "x", 0o644)
    with pytest.raises(EnvironmentFailure, match="abab"):
        blobs.link_to("ab" * 32, tmp_path / "x")


def test_a_file_that_is_still_written_to_is_copied_as_it_was_read(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "growing"
    source.write_bytes(b"x" * (8 << 20))
    is_kept = threading.Event()

    def write_on() -> None:
        with open(source, "ab", buffering=0) as file:
            while not is_kept.is_set():
                file.write(b"more")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        blob, size_bytes = blobs.keep(source)
    finally:
        is_kept.set()
        writer.join()
    assert not blobs.path(blob).samefile(source)
    content = blobs.path(blob).read_bytes()
    assert (sha256(content).hexdigest(), len(content)) == (blob, size_bytes)


def test_a_blob_is_hashed_once_and_again_when_its_file_has_changed(blobs: Blobs, tmp_path: Path) -> None:
    blob, _ = blobs.write(b"content")
    assert blobs.hashed_bytes == 0
    blobs.path(blob).touch()
    assert [blobs.is_intact(blob) for _ in range(3)] == [True, True, True]
    assert blobs.hashed_bytes == len(b"content")
    for number in range(3):
        blobs.copy_to(blob, tmp_path / f"copy-{number}", 0o600)
        blobs.link_to(blob, tmp_path / f"link-{number}")
    assert blobs.hashed_bytes == len(b"content")
    blobs.path(blob).chmod(0o600)
    blobs.path(blob).write_bytes(b"CONTENT!")
    with pytest.raises(DamagedBlobError):
        blobs.copy_to(blob, tmp_path / "copy", 0o600)
    assert not (tmp_path / "copy").exists()


def stored_by(way: str, blobs: Blobs, source: Path) -> str:
    content = source.read_bytes()
    if way == "keep":
        return blobs.keep(source)[0]
    if way == "copy_in":
        return blobs.copy_in(source)[0]
    return blobs.receive(content[at : at + 4096] for at in range(0, len(content), 4096))[0]


@pytest.mark.parametrize("size_bytes", [0, 5000, 2 * SMALL_BYTES + 17])
@pytest.mark.parametrize("way", ["keep", "copy_in", "receive"])
def test_checksums_cost_one_reading_at_most(blobs: Blobs, tmp_path: Path, way: str, size_bytes: int) -> None:
    content = content_of(size_bytes)
    (tmp_path / "source").write_bytes(content)
    blob = stored_by(way, blobs, tmp_path / "source")
    for _ in range(3):
        assert blobs.checksums(blob) == (md5(content).hexdigest(), sha1(content).hexdigest(), blob)
    is_taken_when_stored = way == "receive" or size_bytes > SMALL_BYTES if way != "keep" else size_bytes <= SMALL_BYTES
    assert blobs.hashed_bytes == (0 if is_taken_when_stored else size_bytes)


def test_checksums_of_a_blob_from_before_are_taken_as_it_is_verified(blobs: Blobs, tmp_path: Path) -> None:
    blob, _ = blobs.write(b"content")
    blobs.path(blob).touch()
    assert blobs.checksums(blob).md5 == md5(b"content").hexdigest()
    blobs.copy_to(blob, tmp_path / "copy", 0o600)
    assert blobs.hashed_bytes == len(b"content")


def test_damaged_bytes_have_no_checksums(blobs: Blobs) -> None:
    blob, _ = blobs.write(b"content")
    assert blobs.checksums(blob).sha256 == blob
    blobs.path(blob).chmod(0o600)
    blobs.path(blob).write_bytes(b"CONTENT")
    with pytest.raises(DamagedBlobError):
        blobs.checksums(blob)
    blobs.remove(blob)
    with pytest.raises(DamagedBlobError):
        blobs.checksums(blob)
