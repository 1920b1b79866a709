"""What may be an output, and how an end becomes a status."""

import os
import socket
from pathlib import Path

import pytest

from vhpipe.attempt.outputs import UnacceptableOutputError, found_outputs, kept_outputs, outcome_of
from vhpipe.store.blobs import Blobs


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    folder.mkdir()
    return folder


def test_files_in_folders_are_found_by_their_relative_paths(outputs: Path) -> None:
    (outputs / "b").mkdir()
    (outputs / "b" / "model.pkl").write_bytes(b"m")
    (outputs / "a.txt").write_bytes(b"")
    (outputs / "empty").mkdir()
    assert [each.name for each in found_outputs(str(outputs))] == ["a.txt", "b/model.pkl"]


def test_a_link_to_a_file_inside_is_kept_as_that_file(outputs: Path, tmp_path: Path) -> None:
    (outputs / "epoch-9.pkl").write_bytes(b"weights")
    (outputs / "latest.pkl").symlink_to("epoch-9.pkl")
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    assert [(datum.name, datum.size_bytes) for datum in kept] == [("epoch-9.pkl", 7), ("latest.pkl", 7)]
    assert kept[0].blob == kept[1].blob


def make_outside_link(folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")


def make_relative_escape(folder: Path) -> None:
    (folder.parent / "secret").write_text("s")
    (folder / "secret").symlink_to("../secret")


def make_broken_link(folder: Path) -> None:
    (folder / "gone").symlink_to("nothing")


def make_folder_link(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "link").symlink_to("d")


def make_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def make_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        before = os.getcwd()
        os.chdir(folder)
        made.bind("socket")
        os.chdir(before)


def make_bytes_name(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.txt")).write_text("x")


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (make_outside_link, "/etc/passwd"),
        (make_relative_escape, "`secret`"),
        (make_broken_link, "`gone`"),
        (make_folder_link, "`link`"),
        (make_pipe, "a named pipe"),
        (make_socket, "a socket"),
        (make_bytes_name, "not UTF-8"),
    ],
)
def test_anything_else_is_refused_by_name(outputs: Path, make: object, named: str) -> None:
    assert callable(make)
    make(outputs)
    with pytest.raises(UnacceptableOutputError, match=named):
        found_outputs(str(outputs))


def test_sidecars_attach_their_properties(outputs: Path, tmp_path: Path) -> None:
    (outputs / "model.pkl").write_bytes(b"m")
    (outputs / "model.pkl.metadata.json").write_text('{"valohai.alias":\n "best"}')
    (outputs / "valohai.metadata.jsonl").write_text('{"file": "model.pkl", "metadata": {"k": 1}}\nnonsense\n')
    kept = {datum.name: datum for datum in kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))}
    assert kept["model.pkl"].properties == ({"valohai.alias": "best"}, {"k": 1})


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ((0, None, False), ("complete", None)),
        ((3, None, False), ("error", "exit code 3")),
        ((-9, None, False), ("error", "killed by SIGKILL: often because memory ran out")),
        ((-10, None, False), ("error", "killed by SIGUSR1")),
        (
            (137, None, False),
            ("error", "exit code 137: a command was killed by SIGKILL, often because memory ran out"),
        ),
        ((143, None, False), ("error", "exit code 143: a command was killed by SIGTERM")),
        ((128, None, False), ("error", "exit code 128")),
        ((255, None, False), ("error", "exit code 255")),
        ((0, "time-limit of 5 s reached", False), ("error", "time-limit of 5 s reached")),
        ((-15, "received SIGINT", True), ("stopped", "received SIGINT")),
    ],
)
def test_an_end_becomes_a_status(end: tuple[int, str | None, bool], expected: tuple[str, str | None]) -> None:
    assert outcome_of(*end) == expected
