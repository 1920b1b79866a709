"""What is said of large code, and the progress while it is stored."""

import os
from pathlib import Path

import pytest

from vhpipe.code.large_code import LARGE_BYTES, LARGE_TOTAL_BYTES, WatchedBlobs, large_text
from vhpipe.code.snapshot import take_snapshot
from vhpipe.store.blobs import Blobs

MIB = 1 << 20


class Listener:
    """Notes what is heard."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.doings: dict[str, list[float]] = {}

    def say(self, text: str) -> None:
        assert self.doings == {}
        self.said.append(text)

    def progress(self, doing: str, done_bytes: int, size_bytes: int) -> None:
        self.doings.setdefault(doing, []).append(done_bytes / size_bytes)


TEXTS = {
    "nothing": ({"a.py": LARGE_BYTES - 1, "b.py": 1}, None),
    "a file": ({"a.py": 1, "data/[x].bin": 1 << 30},
               "large files are part of the project's code: `data/[x].bin` (1.0 GiB); what no step needs can be named"
               " in .valohaiignore, such as `/data/\\[x].bin`"),
    "many files": ({f"{n}.bin": (64 + n) * MIB for n in range(5)},
                   "large files are part of the project's code: `4.bin` (68.0 MiB), `3.bin` (67.0 MiB), `2.bin`"
                   " (66.0 MiB) and 2 more; what no step needs can be named in .valohaiignore, such as `/4.bin`"),
    "a folder of small files": ({"a.py": 1, **{f"data/{n}/x": MIB for n in range(300)}},
                                "the project's code is large: 300.0 MiB in 301 files, most of it in `data` (300.0 MiB);"
                                " what no step needs can be named in .valohaiignore, such as `/data/`"),
    "small files in no folder": ({f"{n}": MIB for n in range(LARGE_TOTAL_BYTES // MIB)},
                                 "the project's code is large: 256.0 MiB in 256 files, most of it in its own folder;"
                                 " what no step needs can be named in .valohaiignore"),
}  # fmt: skip


@pytest.mark.parametrize(("sizes", "text"), TEXTS.values(), ids=TEXTS)
def test_what_is_large_is_named_with_the_way_to_leave_it_out(sizes: dict[str, int], text: str | None) -> None:
    assert large_text(sizes) == text


def test_storing_a_large_file_is_announced_and_its_progress_told(tmp_path: Path) -> None:
    project, blobs = tmp_path / "project", Blobs(tmp_path / "blobs")
    project.mkdir()
    (project / "a.py").touch()
    with open(project / "large.bin", "wb") as file:
        file.truncate(LARGE_BYTES)
    first, second = Listener(), Listener()
    snapshots = [take_snapshot(project, WatchedBlobs(blobs, each), watch=each) for each in (first, second)]
    assert snapshots[0] == snapshots[1]
    assert os.path.getsize(blobs.path(snapshots[0].entries[1].blob)) == LARGE_BYTES
    assert [len(each.said) for each in (first, second)] == [1, 1]
    assert list(first.doings) == ["reading `large.bin`", "storing `large.bin`"]
    assert list(second.doings) == ["reading `large.bin`"]
    for steps in first.doings.values():
        assert steps == sorted(steps)
        assert steps.count(1.0) == 1
