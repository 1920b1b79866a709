import os
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from vhpipe.code.file_times import LONG_AGO_NS
from vhpipe.code.reflinks import can_reflink
from vhpipe.code.snapshot import take_snapshot
from vhpipe.code.working_copies import WorkingCopies, WorkingCopy
from vhpipe.errors import EnvironmentFailure
from vhpipe.store.blobs import Blobs

FILES = {"train.py": "print(1)", "lib/a.py": "a = 1", "lib/deep/b.py": "", "run.sh": "#!/bin/sh\n"}


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "run.sh").chmod(0o755)
    (folder / "link.py").symlink_to("lib/a.py")
    return folder


def copies_of(project: Path, blobs: Blobs, mode: str = "copy") -> WorkingCopies:
    return WorkingCopies(project.parent / "slots", blobs, take_snapshot(project, blobs), mode)  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that is below: folders by mode, files by mode and content, links by target."""
    found: dict[str, tuple[object, ...]] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        status = path.lstat()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_dir():
            found[name] = ("folder", oct(status.st_mode))
        else:
            found[name] = ("file", oct(status.st_mode & 0o777), path.read_text())
    return found


def identities(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_ino, path.lstat().st_ctime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("mode", ["copy", "link"])
def test_a_copy_has_the_code_and_nothing_else(project: Path, blobs: Blobs, mode: str) -> None:
    copy = copies_of(project, blobs, mode).take()
    assert copy.path == project.parent / "slots" / "0" / "repository"
    plain, executable = ("0o644", "0o755") if mode == "copy" else ("0o444", "0o555")
    assert tree(copy.path) == {
        "lib": ("folder", "0o40755"),
        "lib/deep": ("folder", "0o40755"),
        "lib/a.py": ("file", plain, "a = 1"),
        "lib/deep/b.py": ("file", plain, ""),
        "link.py": ("link", "lib/a.py"),
        "run.sh": ("file", executable, "#!/bin/sh\n"),
        "train.py": ("file", plain, "print(1)"),
    }


def test_restoring_what_nobody_touched_writes_nothing(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    before = identities(copy.path)
    copy.restore()
    assert identities(copy.path) == before


DAMAGES = {
    "new files": "mkdir -p new/er; touch new/er/x new.txt lib/new.pyc",
    "changed": "echo 'print(2)' > train.py",
    "changed to the same size at once": "printf 'print(2)' > train.py",
    "removed": "rm -r lib train.py",
    "another mode": "chmod 0777 train.py; chmod 0700 lib",
    "closed folders": "mkdir x x/y; touch x/y/z; chmod 0 x/y x; chmod 0500 lib/deep lib",
    "closed root": "chmod 0555 .",
    "a folder for a file": "rm train.py; mkdir train.py; touch train.py/x",
    "a file for a folder": "rm -r lib; touch lib",
    "a link for a folder": "mv lib ../lib; ln -s ../lib lib",
    "a link for a file": "mv train.py ../train.py; ln -s ../train.py train.py",
    "another link": "ln -sf train.py link.py",
    "pipes": "mkfifo pipe lib/pipe",
    "links to outside": "ln -s / root; ln -s /etc/passwd lib/passwd",
    "a hidden change of time": "touch -r train.py ../stamp; printf 'print(3)' > train.py; touch -r ../stamp train.py",
    "all gone": "rm -rf ../repository",
    "a link in its own place": "cd ..; mv repository elsewhere; ln -s elsewhere repository",
    "a file in its own place": "cd ..; rm -r repository; touch repository",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_whatever_a_step_leaves_is_put_back(project: Path, blobs: Blobs, damage: str) -> None:
    copy = copies_of(project, blobs).take()
    before = tree(copy.path)
    subprocess.run(["sh", "-c", damage], cwd=copy.path, check=True)
    copy.restore()
    assert copy.path.is_dir()
    assert not copy.path.is_symlink()
    assert tree(copy.path) == before
    assert oct(copy.path.stat().st_mode) == "0o40755"


def test_restoring_never_deletes_through_a_link(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    mine = project.parent / "mine"
    (mine / "lib").mkdir(parents=True)
    (mine / "lib" / "precious").write_text("x")
    damage = "rm -r lib; ln -s ../../../mine/lib lib; ln -s ../../../mine new"
    subprocess.run(["sh", "-c", damage], cwd=copy.path, check=True)
    copy.restore()
    shutil.rmtree(copy.path)
    copy.path.symlink_to(mine)
    copy.restore()
    assert (mine / "lib" / "precious").read_text() == "x"


def test_folders_of_any_depth_are_removed(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    before = tree(copy.path)
    script = "import os\nfor _ in range(1500):\n os.mkdir('d' * 9)\n os.chdir('d' * 9)"
    subprocess.run(["python3", "-c", script], cwd=copy.path, check=True)
    copy.restore()
    assert tree(copy.path) == before


@pytest.mark.parametrize("mode", ["copy", "link"])
def test_projects_of_any_depth_have_working_copies_again_and_again(deep_folder: Path, blobs: Blobs, mode: str) -> None:
    copy = copies_of(deep_folder, blobs, mode).take()
    (copy.path / "new").write_text("by a step")
    copy.restore()
    copy.release()
    again = copies_of(deep_folder, blobs, mode).take()
    assert [path.name for path in again.path.iterdir()] == ["d"]
    found = subprocess.run(["find", ".", "-name", "deepest"], cwd=again.path, capture_output=True, check=True)
    assert found.stdout.count(b"\n") == 1
    again.release()


def test_slots_in_use_are_passed_over_and_come_back(project: Path, blobs: Blobs) -> None:
    first = copies_of(project, blobs).take()
    second = copies_of(project, blobs).take()
    assert [copy.path.parent.name for copy in (first, second)] == ["0", "1"]
    first.release()
    first.release()
    assert copies_of(project, blobs).take().path == first.path


def test_the_next_run_writes_only_what_differs(project: Path, blobs: Blobs) -> None:
    copy: WorkingCopy = copies_of(project, blobs).take()
    before = identities(copy.path)
    copy.release()
    (project / "train.py").write_text("print(2)")
    (project / "lib" / "a.py").unlink()
    again = copies_of(project, blobs).take()
    after = identities(again.path)
    assert (again.path / "train.py").read_text() == "print(2)"
    assert not (again.path / "lib" / "a.py").exists()
    kept = {name for name, identity in after.items() if before.get(name) == identity}
    assert {os.path.basename(name) for name in kept} == {"b.py", "deep", "link.py", "run.sh"}


def test_a_slot_without_a_record_is_written_anew(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    before = tree(copy.path)
    (copy.path / "train.py").write_text("left by a killed engine")
    os.close(copy._lock)
    assert tree(copies_of(project, blobs).take().path) == before


TIMES = {
    "train.py": 3_000_000_007, "lib/a.py": 5_000_000_000, "run.sh": 3_000_000_007, "link.py": 4_000_000_000, "lib": 9,
}  # fmt: skip


def set_times(project: Path) -> None:
    for name, modified_ns in TIMES.items():
        os.utime(project / name, ns=(modified_ns, modified_ns), follow_symlinks=False)


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).lstat().st_mtime_ns for name in TIMES}


@pytest.mark.parametrize("mode", ["copy", "link"])
def test_files_links_and_folders_have_the_times_of_the_project(project: Path, blobs: Blobs, mode: str) -> None:
    set_times(project)
    copy = copies_of(project, blobs, mode).take()
    assert times(copy.path) == TIMES
    damage = "touch train.py; touch -h link.py; touch lib/new; rm run.sh"
    subprocess.run(["sh", "-c", damage], cwd=copy.path, check=True)
    copy.restore()
    assert times(copy.path) == TIMES


def test_a_touch_between_runs_changes_times_and_writes_nothing(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    inodes = {name: (copy.path / name).lstat().st_ino for name in TIMES}
    copy.release()
    set_times(project)
    again = copies_of(project, blobs).take()
    assert times(again.path) == TIMES
    assert {name: (again.path / name).lstat().st_ino for name in TIMES} == inodes


def test_code_that_was_kept_without_times_gets_one_time_for_all(project: Path, blobs: Blobs) -> None:
    now = take_snapshot(project, blobs)
    entries = tuple(replace(entry, modified_ns=None) for entry in now.entries)
    copy = WorkingCopies(project.parent / "slots", blobs, replace(now, entries=entries, folders={})).take()
    assert set(times(copy.path).values()) == {LONG_AGO_NS}


def test_a_copy_is_moved_away_and_a_fresh_one_made(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    before = tree(copy.path)
    (copy.path / "core").write_text("dumped")
    kept = project.parent / "kept" / "0"
    copy.keep_as(kept)
    assert tree(kept) == {**before, "core": ("file", "0o644", "dumped")}
    copy.restore()
    assert tree(copy.path) == before
    assert not os.path.samefile(copy.path / "train.py", kept / "train.py")


def test_a_copy_that_a_step_replaced_is_not_kept(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs).take()
    shutil.rmtree(copy.path)
    copy.keep_as(project.parent / "kept")
    copy.path.symlink_to("/")
    copy.keep_as(project.parent / "kept")
    assert not (project.parent / "kept").exists()
    copy.restore()
    assert (copy.path / "train.py").read_text() == "print(1)"


WRITES = {
    "plain": "chmod u+w train.py; printf 'print(9)' > train.py",
    "hidden": "touch -r train.py x; chmod 644 train.py; printf 'print(9)' > train.py; chmod 444 train.py;"
    "touch -r x train.py; rm x",
    "and gone": "chmod u+w train.py; echo >> train.py; rm train.py",
    "and replaced": "chmod u+w train.py; echo >> train.py; echo 1 > x; mv -f x train.py",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writing_into_a_shared_file_is_noticed_by_all_who_share_it(project: Path, blobs: Blobs, write: str) -> None:
    """It never reaches the stored bytes, and who takes a copy later gets what was there before."""
    copies = copies_of(project, blobs, "link")
    guilty, victim = copies.take(), copies.take()
    subprocess.run(["sh", "-c", write], cwd=guilty.path, check=True)
    (victim.path / "train.py").unlink()
    for copy in (victim, guilty):
        with pytest.raises(EnvironmentFailure, match=r"wrote into `train\.py`.*\n.*cp train\.py mine"):
            copy.verify()
    for copy in (guilty, victim, copies.take()):
        copy.restore()
        copy.verify()
        assert (copy.path / "train.py").read_text() == "print(1)"
        assert (copy.path / "train.py").stat().st_mtime_ns == (project / "train.py").stat().st_mtime_ns
    entry = next(entry for entry in take_snapshot(project, blobs).entries if entry.path == "train.py")
    assert blobs.path(entry.blob).read_text() == "print(1)"


def test_what_a_step_puts_in_the_place_of_a_shared_file_is_its_own(project: Path, blobs: Blobs) -> None:
    copies = copies_of(project, blobs, "link")
    copy, other = copies.take(), copies.take()
    subprocess.run(["sh", "-c", "cp train.py x; mv -f x train.py; echo x >> train.py"], cwd=copy.path, check=True)
    copy.verify()
    other.verify()
    assert (other.path / "train.py").read_text() == "print(1)"


def test_a_shared_file_that_was_damaged_between_runs_is_not_handed_on(project: Path, blobs: Blobs) -> None:
    copy = copies_of(project, blobs, "link").take()
    copy.release()
    shared = next(each for each in (project.parent / "slots/shared").iterdir() if each.read_text() == "print(1)")
    time_ns = shared.stat().st_mtime_ns
    shared.write_text("print(9)")
    os.utime(shared, ns=(time_ns, time_ns))
    assert (copies_of(project, blobs, "link").take().path / "train.py").read_text() == "print(1)"


LARGE_BYTES = 64 << 20


def test_copies_share_the_bytes_of_large_files(project: Path, blobs: Blobs) -> None:
    with open(project / "large.bin", "wb") as file:
        file.truncate(LARGE_BYTES)
    (project / "large.bin").chmod(0o755)
    os.utime(project / "large.bin", ns=(7, 7))
    copies = copies_of(project, blobs)
    first, second = copies.take(), copies.take()
    statuses = [(copy.path / "large.bin").stat() for copy in (first, second)]
    if can_reflink(project.parent):
        pytest.skip("here copies share bytes without links")
    assert len({status.st_ino for status in statuses}) == 1
    assert (statuses[0].st_mode & 0o777, statuses[0].st_mtime_ns) == (0o555, 7)
    assert {(copy.path / "train.py").stat().st_mode & 0o777 for copy in (first, second)} == {0o644}
    for copy in (first, second):
        copy.release()
    (project / "large.bin").unlink()
    later = copies_of(project, blobs)
    for copy in (later.take(), later.take()):
        copy.release()
    later.close()
    assert os.listdir(project.parent / "slots/shared") == []


TOUCHES = (
    "touch new",
    "touch lib/deep/new",
    "rm train.py",
    "mkdir -p lib/new",
    "cp train.py x && mv x lib/a.py",
    "chmod 600 lib/a.py",
    "chmod 700 lib/deep",
    "echo >> lib/deep/b.py",
    "ln lib/a.py other && echo x >> other && rm other",
    "cp -a lib/a.py x && echo b = 1 > x && touch -r lib/a.py x && cat x > lib/a.py && touch -r x lib/a.py && rm x",
    "ln -sf train.py link.py",
)


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_copy_that_was_often_left_alone_is_put_back_all_the_same(project: Path, blobs: Blobs, touch: str) -> None:
    copy = copies_of(project, blobs).take()
    wanted = tree(copy.path)
    for _ in range(3):
        subprocess.run(["sh", "-c", touch], cwd=copy.path, check=True)
        copy.restore()
        assert tree(copy.path) == wanted
        untouched = identities(copy.path)
        copy.restore()
        assert identities(copy.path) == untouched
    copy.release()
