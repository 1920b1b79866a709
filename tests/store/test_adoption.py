"""A state folder that is not one's own is taken over only after a thorough look."""

import os
import shutil
from pathlib import Path

import pytest

from vhpipe.errors import RefusedError
from vhpipe.store.adoption import adopt
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import write_request
from vhpipe.store.run_folder import RunFolder, RunInfo


@pytest.fixture
def foreign(store: ProjectStore) -> Path:
    """A copy of a project with one run."""
    run: RunFolder = store.new_run()
    run.write_info(RunInfo(number=1, pipeline="p", file="valohai.yaml", version="0"))
    run.acquire()
    run.release()
    write_request(run, "stop")
    os.mkfifo(run.path / "wake")
    for content in (b"good", b"bad"):
        store.blobs.write(content)
    (store.root / "reuse").mkdir()
    (store.root / "reuse" / ("a" * 64 + ".json")).write_text("{}")
    (store.slots / "0" / "repository").mkdir(parents=True)
    (store.root / "index.sqlite").write_text("planted")
    copy = store.project.parent / "copy"
    shutil.copytree(store.project, copy, symlinks=True, ignore=shutil.ignore_patterns("wake"))
    os.mkfifo(copy / ".vhpipe/runs/1/wake")
    return copy


def test_what_is_good_is_verified_and_kept_and_what_acts_is_dropped(foreign: Path) -> None:
    store = ProjectStore(foreign)
    bad = next(path for path in foreign.glob(".vhpipe/blobs/??/*") if path.read_bytes() == b"bad")
    bad.chmod(0o644)
    bad.write_bytes(b"BAD")
    (foreign / ".vhpipe").chmod(0o777)
    adopted = adopt(foreign, os.environ)
    assert (adopted.runs, adopted.blobs, adopted.size_bytes) == (1, 1, 4)
    assert adopted.damaged == (bad.name,)
    assert (adopted.reuse_entries, adopted.requests) == (1, 1)
    assert [path for name in ("reuse", "slots", "index.sqlite", "runs/1/requests") for path in
            store.root.glob(f"{name}/*")] == []  # fmt: skip
    assert not (store.root / "index.sqlite").exists()
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert ProjectStore.open(foreign).run("1").info().pipeline == "p"


def refused(project: Path, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        adopt(project, os.environ)
    with pytest.raises(RefusedError):
        ProjectStore.open(project)


@pytest.mark.parametrize(
    "place", ["owner", "registry", "runs/2", "runs/1/journal", "runs/1/work/a/0.1/log", "blobs/ab", "trash", "counter"]
)
def test_links_are_refused_wherever_vhpipe_would_follow_them(foreign: Path, place: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = foreign / ".vhpipe" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    refused(foreign, "vhpipe never made")
    assert os.listdir(outside) == []


def test_pipes_are_refused_where_a_file_is_read(foreign: Path) -> None:
    os.mkfifo(foreign / ".vhpipe/runs/1/journal")
    refused(foreign, "journal")


def test_links_among_what_steps_made_are_none_of_its_business(foreign: Path) -> None:
    outputs = foreign / ".vhpipe/runs/1/work/a/0.1/outputs"
    outputs.mkdir(parents=True)
    (outputs / "link").symlink_to("/etc/passwd")
    assert adopt(foreign, os.environ).runs == 1


def test_a_linked_folder_cannot_be_taken_over(foreign: Path, tmp_path: Path) -> None:
    (foreign / ".vhpipe").rename(tmp_path / "elsewhere")
    (foreign / ".vhpipe").symlink_to(tmp_path / "elsewhere")
    refused(foreign, "symbolic link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_refused(foreign: Path) -> None:
    os.chown(foreign / ".vhpipe/runs/1/run.json", 12345, -1)
    refused(foreign, "run.json")


def test_a_folder_of_another_kind_is_never_taken_over_and_keeps_its_files(tmp_path: Path) -> None:
    other = tmp_path / ".vhpipe"
    (other / "slots").mkdir(parents=True)
    (other / "slots" / "work.txt").write_text("mine")
    (other / ".gitignore").write_text("*.pyc\n")
    refused(tmp_path, "not made by vhpipe")
    assert (other / ".gitignore").read_text() == "*.pyc\n"
    assert (other / "slots" / "work.txt").read_text() == "mine"
