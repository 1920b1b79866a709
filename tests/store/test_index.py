"""The index may be lost, broken or stale at any moment: what it then says is nothing."""

import os
import sqlite3
from pathlib import Path

import pytest

from vhpipe.store.index import RunIndex, stamp_of
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo

ROWS = {number: (f"stamp {number}", f'{{"run":{number},"title":"{"x" * 300}"}}'.encode()) for number in range(1, 9)}


@pytest.fixture
def index(tmp_path: Path) -> RunIndex:
    index = RunIndex(tmp_path / "index.sqlite")
    for number, (stamp, summary) in ROWS.items():
        index.write(number, stamp, summary)
    return index


def test_what_was_written_is_read_and_what_was_forgotten_is_not(index: RunIndex) -> None:
    assert index.summaries() == ROWS
    index.write(3, "new", b"{}")
    index.forget([1, 2, 99])
    assert index.summaries() == {**{number: ROWS[number] for number in range(4, 9)}, 3: ("new", b"{}")}


def test_no_index_says_nothing_and_is_not_made_by_readers(tmp_path: Path) -> None:
    index = RunIndex(tmp_path / "index.sqlite")
    assert index.summaries() == {}
    index.forget([1])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "zero"])
def test_a_damaged_index_says_nothing_wrong(index: RunIndex, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "index.sqlite"
    good = path.read_bytes()
    for at in range(0, len(good), 61):
        path.write_bytes(damaged(good, at, damage))
        assert index.summaries().items() <= ROWS.items(), at
        assert path.read_bytes() == damaged(good, at, damage), "a reader has written"


def damaged(good: bytes, at: int, damage: str) -> bytes:
    if damage == "cut":
        return good[:at]
    if damage == "flip":
        return good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1 :]
    return good[:at] + bytes(64) + good[at + 64 :]


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, bytes(8192)])
def test_a_writer_throws_a_broken_index_away(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(content)
    index = RunIndex(path)
    assert index.summaries() == {}
    index.write(1, *ROWS[1])
    assert index.summaries() == {1: ROWS[1]}


def test_a_writer_throws_an_index_of_another_shape_away(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ended (other)")
    connection.close()
    index = RunIndex(path)
    assert index.summaries() == {}
    index.write(1, *ROWS[1])
    assert index.summaries() == {1: ROWS[1]}


def test_an_index_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").mkdir()
    index = RunIndex(tmp_path / "index.sqlite")
    index.write(1, *ROWS[1])
    assert index.summaries() == {}


def test_a_row_for_another_run_does_not_count(index: RunIndex, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE ended SET run = 77 WHERE run = 7")
        connection.execute("UPDATE ended SET summary = 'text' WHERE run = 6")
        connection.execute("UPDATE ended SET stamp = NULL WHERE run = 5")
    connection.close()
    assert sorted(index.summaries()) == [1, 2, 3, 4, 8]


@pytest.mark.parametrize("name", ["journal", "run.json", "plan.json"])
def test_the_stamp_changes_with_each_record(store: ProjectStore, name: str) -> None:
    run: RunFolder = store.new_run()
    run.write_info(RunInfo(number=1, pipeline="p", file="valohai.yaml", version="0"))
    (run.path / "plan.json").write_text("{}")
    assert stamp_of(run) is None
    run.journal_path.write_text("x")
    before = stamp_of(run)
    assert before is not None
    path = run.path / name
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[:-1] + b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert stamp_of(run) != before
