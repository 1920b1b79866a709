"""Whatever steps leave behind can be removed, and nothing outside is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vhpipe.store.removal import Trash, bytes_of


@pytest.fixture
def trash(tmp_path: Path) -> Trash:
    return Trash(tmp_path / "trash")


def deep_tree(folder: Path, depth: int) -> None:
    """Folders in folders, deeper than any path may be long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_a_tree_deeper_than_a_path_is_long_is_removed(tmp_path: Path, trash: Trash) -> None:
    (tmp_path / "tree").mkdir()
    deep_tree(tmp_path / "tree", 3000)
    assert trash.take(str(tmp_path / "tree"))
    freed_bytes, failures = trash.empty()
    assert failures == ()
    assert freed_bytes > 0
    assert os.listdir(tmp_path / "trash") == []


def test_odd_names_links_pipes_and_closed_folders_are_removed_and_links_not_followed(
    tmp_path: Path, trash: Trash
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    tree = tmp_path / "tree"
    (tree / "closed" / "inner").mkdir(parents=True)
    (tree / "closed" / "inner" / "file").touch()
    for name in (b"-rf", b"new\nline", b"\xff\xfe", b"*", b"x" * 255):
        os.close(os.open(os.path.join(os.fsencode(tree), name), os.O_CREAT, 0o000))
    (tree / "link").symlink_to(outside)
    (tree / "closed" / "up").symlink_to("/")
    os.link(outside / "precious", tree / "hard")
    os.mkfifo(tree / "pipe")
    (tree / "closed" / "inner").chmod(0o000)
    (tree / "closed").chmod(0o500)
    tree.chmod(0o000)
    assert trash.take(str(tree))
    assert trash.empty()[1] == ()
    assert os.listdir(tmp_path / "trash") == []
    assert (outside / "precious").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who is refused")
def test_folders_closed_to_their_owner_are_removed_by_a_plain_user(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from vhpipe.store.removal import Trash
os.setuid(65534)
root = Path(sys.argv[1])
tree = root / "tree"
(tree / "a" / "b").mkdir(parents=True)
(tree / "a" / "b" / "file").touch()
for closed in (tree / "a" / "b", tree / "a", tree):
    closed.chmod(0o000)
trash = Trash(root / "trash")
assert trash.take(str(tree))
assert trash.empty()[1] == (), trash.empty()
assert os.listdir(root / "trash") == []
"""
    room = tmp_path / "room"
    room.mkdir()
    room.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    done = subprocess.run([sys.executable, "-c", script, room], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_gone_already_is_not_taken(tmp_path: Path, trash: Trash) -> None:
    assert not trash.take(str(tmp_path / "nothing"))
    assert trash.empty() == (0, ())


def test_what_an_interrupted_removal_left_goes_with_the_next(tmp_path: Path, trash: Trash) -> None:
    (tmp_path / "trash" / "0123" / "work").mkdir(parents=True)
    (tmp_path / "trash" / "0123" / "work" / "log").write_text("x" * 10_000)
    freed_bytes, failures = trash.empty()
    assert (freed_bytes > 10_000, failures) == (True, ())
    assert os.listdir(tmp_path / "trash") == []


def test_what_cannot_be_removed_is_named_and_the_rest_goes(tmp_path: Path, trash: Trash) -> None:
    kept = tmp_path / "trash" / "kept"
    (kept / "mounted").mkdir(parents=True)
    (tmp_path / "trash" / "goes").mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", str(kept / "mounted")], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("this user may not mount")
    try:
        freed_bytes, failures = trash.empty()
    finally:
        subprocess.run(["umount", str(kept / "mounted")], check=True)
    assert os.listdir(tmp_path / "trash") == ["kept"]
    assert len(failures) == 1
    assert "kept" in failures[0]
    assert freed_bytes >= 0


def test_a_file_with_another_name_elsewhere_frees_nothing(tmp_path: Path, trash: Trash) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "a" / "file", tmp_path / "b" / "file")
    both = bytes_of([str(tmp_path / "a"), str(tmp_path / "b")])
    assert bytes_of([str(tmp_path / "a")]) < 100_000 <= both
    assert trash.take(str(tmp_path / "a"))
    assert trash.empty()[0] < 100_000
    assert trash.take(str(tmp_path / "b"))
    assert trash.empty()[0] >= 100_000
