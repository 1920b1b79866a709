"""Only regular files are opened, at once, and no more of them is read than was allowed."""

import os
import socket
from pathlib import Path

import pytest

from vhpipe.errors import from_os_error
from vhpipe.regular_files import (
    UnfitFileError,
    open_regular,
    open_to_append,
    open_to_read,
    read_regular,
    read_start,
)

KINDS = ("a named pipe", "a device", "a folder", "a socket")


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    Path("zero").symlink_to("/dev/zero")
    return {kind: tmp_path / name for kind, name in zip(KINDS, ("pipe", "zero", "folder", "socket"), strict=True)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_named_and_not_waited_for(strange: dict[str, Path], kind: str) -> None:
    for read in (lambda: read_regular(strange[kind], 10), lambda: read_start(strange[kind], 10)):
        with pytest.raises(UnfitFileError, match=f"it is {kind}, not a file"):
            read()
    with pytest.raises(UnfitFileError, match="not a file"):
        open_to_append(strange[kind])


def test_the_message_of_an_unfit_file_says_what_to_do_and_no_number(strange: dict[str, Path]) -> None:
    with pytest.raises(UnfitFileError) as caught:
        open_regular(strange["a named pipe"])
    failure = from_os_error(caught.value, "cannot read")
    assert failure.message == f"cannot read `{strange['a named pipe']}`: it is a named pipe, not a file"
    assert failure.hint == "remove it, or name another file"


def test_a_link_is_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 100) == b"content"
    with pytest.raises(UnfitFileError, match="it is a symbolic link, not a file"):
        read_regular(tmp_path / "link", 100, follow=False)
    with pytest.raises(UnfitFileError, match="it is a symbolic link"):
        open_to_append(tmp_path / "link")


def test_a_file_is_read_to_its_end_or_refused_for_its_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size in (0, 1, 1 << 20, (1 << 20) + 1):
        path.write_bytes(b"x" * size)
        assert read_regular(path, 2 << 20) == b"x" * size
        assert read_start(path, 1 << 20) == b"x" * min(size, 1 << 20)
    os.truncate(path, 1 << 40)
    with pytest.raises(UnfitFileError, match="it is larger than 2 MiB"):
        read_regular(path, 2 << 20)
    with pytest.raises(UnfitFileError, match="it is larger than 2 MiB"):
        open_to_read(path, largest_bytes=2 << 20)


def test_a_file_without_a_size_is_read_as_well() -> None:
    assert read_regular("/proc/self/status", 1 << 20).startswith(b"Name:")


def test_a_pipe_that_the_shell_hands_over_is_what_the_user_typed() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x: 1\n")
    os.close(writing)
    assert read_regular(f"/dev/fd/{reading}", 100) == b"x: 1\n"
    os.close(reading)
