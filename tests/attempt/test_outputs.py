"""What may be an output, and how an end becomes a status."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from vhpipe.attempt.found_outputs import NAMED, UnacceptableOutputError, found_outputs
from vhpipe.attempt.output_links import LINKED_NAMES
from vhpipe.attempt.outputs import kept_outputs, outcome_of
from vhpipe.store.blobs import Blobs
from vhpipe.store.long_paths import make_folders, reachable


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
    assert [each.name for each in found_outputs(str(outputs)).files] == ["a.txt", "b/model.pkl"]


def test_a_link_to_a_file_inside_is_kept_as_that_file(outputs: Path, tmp_path: Path) -> None:
    (outputs / "epoch-9.pkl").write_bytes(b"weights")
    (outputs / "latest.pkl").symlink_to("epoch-9.pkl")
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs")).data
    assert [(datum.name, datum.size_bytes) for datum in kept] == [("epoch-9.pkl", 7), ("latest.pkl", 7)]
    assert kept[0].blob == kept[1].blob


def make_outside_link(folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")


def make_relative_escape(folder: Path) -> None:
    (folder.parent / "secret").write_text("s")
    (folder / "secret").symlink_to("../secret")


def make_broken_link(folder: Path) -> None:
    (folder / "gone").symlink_to("nothing")


def make_circle(folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")


def make_link_to_a_device(folder: Path) -> None:
    (folder / "zero").symlink_to("/dev/zero")


def make_link_to_a_folder_outside(folder: Path) -> None:
    (folder / "all").symlink_to("/")


def make_link_to_its_own_folder(folder: Path) -> None:
    (folder / "again").symlink_to(".")


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
        (make_outside_link, "`passwd` is left out: it is a link to `/etc/passwd`"),
        (make_relative_escape, "`secret` is left out: it is a link to `../secret`"),
        (make_broken_link, "`gone` is left out: it is a link to `nothing`, which cannot be opened"),
        (make_circle, "`one` is left out: it is a link to `two`, which cannot be opened"),
        (make_link_to_a_device, "`zero` is left out: it is a link to `/dev/zero`"),
        (make_link_to_a_folder_outside, "`all` is left out: it is a link to `/`"),
        (make_link_to_its_own_folder, "`again` is left out: it is a link to `.`, a folder that it is in itself"),
        (make_pipe, "`pipe` is left out: it is a named pipe"),
        (make_socket, "`socket` is left out: it is a socket"),
        (make_bytes_name, r"`\xff.txt` is left out: its name is not UTF-8"),
    ],
)
def test_an_odd_entry_costs_that_entry(outputs: Path, tmp_path: Path, make: object, named: str) -> None:
    assert callable(make)
    (outputs / "model").write_text("m")
    make(outputs)
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    assert [each.name for each in kept.data] == ["model"]
    assert named in kept.warnings[0]


def test_a_link_to_a_folder_inside_is_followed(outputs: Path, tmp_path: Path) -> None:
    (outputs / "wandb/run-1/media").mkdir(parents=True)
    (outputs / "wandb/run-1/media/a.png").write_text("a")
    (outputs / "wandb/run-1/top").symlink_to("../..")
    (outputs / "wandb/latest-run").symlink_to("run-1")
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    assert [each.name for each in kept.data] == ["wandb/latest-run/media/a.png", "wandb/run-1/media/a.png"]
    assert len({each.blob for each in kept.data}) == 1
    assert [warning.split(":")[0] for warning in kept.warnings] == [
        "output `wandb/latest-run/top` is left out",
        "output `wandb/run-1/top` is left out",
    ]


def test_links_that_lead_to_each_other_make_a_bounded_number_of_names(outputs: Path) -> None:
    for level in range(40):
        (outputs / f"d{level}").mkdir()
        (outputs / f"d{level}" / "file").write_text("x")
        for name in ("one", "two"):
            (outputs / f"d{level}" / name).symlink_to(f"../d{level + 1}")
    found = found_outputs(str(outputs))
    assert len(found.files) <= LINKED_NAMES + 40
    assert {f"d{level}/file" for level in range(40)} <= {each.name for each in found.files}
    assert any("more than" in each.reason for each in found.left_out)


def test_what_cannot_be_read_costs_that_entry(outputs: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("to root nothing is unreadable")
    (outputs / "model").write_text("m")
    (outputs / "closed.txt").write_text("x")
    (outputs / "closed.txt").chmod(0)
    (outputs / "folder").mkdir(0)
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    assert [each.name for each in kept.data] == ["model"]
    assert ["`folder` is" in kept.warnings[0], "`closed.txt` is" in kept.warnings[1]] == [True, True]


def test_a_file_that_vanishes_costs_that_file(outputs: Path, tmp_path: Path) -> None:
    (outputs / "a").write_text("a")
    (outputs / "b").write_text("b")
    found = found_outputs(str(outputs))
    (outputs / "a").unlink()
    kept = kept_outputs(found, Blobs(tmp_path / "blobs"))
    assert [each.name for each in kept.data] == ["b"]
    assert kept.warnings == ("output `a` is left out: it vanished while it was collected",)


def test_of_many_odd_entries_the_first_are_named_and_the_others_counted(outputs: Path, tmp_path: Path) -> None:
    for number in range(NAMED + 5):
        os.mkfifo(outputs / f"pipe-{number}")
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    assert len(kept.warnings) == NAMED + 1
    assert kept.warnings[-1] == "5 more entries of the outputs are left out"


def test_folders_may_be_deeper_than_a_path_is_long(outputs: Path, tmp_path: Path) -> None:
    deep = "/".join(["folder-" + "x" * 90] * 100)
    make_folders(f"{outputs}/{deep}")
    with reachable(f"{outputs}/{deep}/model") as path:
        Path(path).write_text("m")
    with reachable(f"{outputs}/{deep}/link") as path:
        Path(path).symlink_to("model")
    kept = kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs"))
    subprocess.run(["rm", "-rf", str(outputs)], check=True)  # pytest cannot remove it
    assert [(each.name, each.size_bytes) for each in kept.data] == [(f"{deep}/link", 1), (f"{deep}/model", 1)]
    assert kept.warnings == ()


def test_outputs_that_were_replaced_by_a_link_are_an_error(outputs: Path) -> None:
    outputs.rmdir()
    outputs.symlink_to("/tmp")
    with pytest.raises(UnacceptableOutputError, match="replaced by a link"):
        found_outputs(str(outputs))


def test_sidecars_attach_their_properties(outputs: Path, tmp_path: Path) -> None:
    (outputs / "model.pkl").write_bytes(b"m")
    (outputs / "model.pkl.metadata.json").write_text('{"valohai.alias":\n "best"}')
    (outputs / "valohai.metadata.jsonl").write_text('{"file": "model.pkl", "metadata": {"k": 1}}\nnonsense\n')
    kept = {datum.name: datum for datum in kept_outputs(found_outputs(str(outputs)), Blobs(tmp_path / "blobs")).data}
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
