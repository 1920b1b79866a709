"""Snapshots of commits whose trees no program of git would make."""

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from vhpipe.code.commit_snapshot import commit_snapshot
from vhpipe.errors import EnvironmentFailure
from vhpipe.history.preview import HashingKeeper

pytestmark = pytest.mark.long


class Objects:
    """A repository that is written object by object."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git("init", "-q", str(folder))

    def _git(self, *words: str, given: bytes = b"") -> str:
        command = ("git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@b", *words)
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self._git("hash-object", "-w", "--stdin", given=content)

    def tree(self, *entries: tuple[str, str, str]) -> str:
        content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(of) for mode, name, of in entries)
        return self._git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=content)

    def commit(self, *entries: tuple[str, str, str]) -> str:
        return self._git("commit-tree", "-m", "x", self.tree(*entries))


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def test_paths_that_would_lead_out_of_a_working_copy_are_refused(objects: Objects) -> None:
    inner = objects.tree(("100644", "x", objects.blob(b"x")))
    link = objects.blob(b"/etc")
    for entries in (
        [("40000", "..", inner)],
        [("40000", ".git", inner)],
        [("40000", ".GIT", inner)],
        [("120000", "a", link), ("40000", "a", inner)],
    ):
        with pytest.raises(EnvironmentFailure, match="which no folder can have"):
            commit_snapshot(objects.folder, objects.commit(*entries), HashingKeeper())


def test_a_large_file_is_taken_piece_by_piece_and_a_missing_one_is_said(objects: Objects) -> None:
    content = bytes(range(256)) * 20_000
    snapshot = commit_snapshot(
        objects.folder, objects.commit(("100644", "big", objects.blob(content))), HashingKeeper()
    )
    [entry] = snapshot.entries
    assert (entry.blob, entry.size_bytes) == (sha256(content).hexdigest(), len(content))
    lost = objects.commit(("100644", "gone", "12" * 20))
    with pytest.raises(EnvironmentFailure, match="git does not have 1212"):
        commit_snapshot(objects.folder, lost, HashingKeeper())
