"""Journals of real runs, cut and damaged: what they still say is a prefix of the truth, and never that all is well."""

import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pipelines import ended_well, four, kept_outputs

from vhpipe.plan.model import Plan
from vhpipe.schedule import events
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.store.journal import read_journal
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.progress import RunView


class Written:
    """A run that is complete, whose journal is damaged again and again."""

    def __init__(self, project: Any) -> None:
        self.project, self.words = project, four(project)
        done = project(*self.words)
        assert done.code == 0, done.err
        self.folder = RunFolder(1, project.path / ".vhpipe/runs/1")
        self.plan: Plan = self.folder.plan()
        self.path: Path = self.folder.journal_path
        self.content = self.path.read_bytes()
        self.records = read_journal(self.path)
        self.outputs = kept_outputs(project, 1)

    def damage(self, content: bytes) -> tuple[events.RecordedEvent, ...]:
        self.path.write_bytes(content)
        return read_journal(self.path)

    def flipped(self, position: int, bit: int) -> bytes:
        content = bytearray(self.content)
        content[position] ^= 1 << bit
        return bytes(content)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    from tests.runs.conftest import new_project

    return Written(new_project(tmp_path_factory.mktemp("journal")))


def assert_is_prefix(written: Written, found: tuple[events.RecordedEvent, ...], lines: int) -> None:
    """Exactly the lines that are whole count; the run is complete only if all are."""
    assert found == written.records[:lines]
    assert (shown_after(written, lines) is Status.COMPLETE) == (lines == len(written.records))


@cache
def shown_after(written: Written, lines: int) -> Status:
    """The status of a run whose engine is dead, after so many lines of its journal."""
    view = RunView.start(written.plan, 1)
    for recorded in written.records[:lines]:
        view.apply(recorded)
    view.note_engine(is_alive=False)
    return view.status


def test_cut_at_every_byte_a_journal_is_a_prefix_and_never_complete(written: Written) -> None:
    for length in range(len(written.content) + 1):
        found = written.damage(written.content[:length])
        assert_is_prefix(written, found, written.content[:length].count(b"\n"))


def test_with_a_byte_flipped_a_journal_is_a_prefix_and_never_complete(written: Written) -> None:
    random = Random(1)
    for position in range(0, len(written.content), 3):
        found = written.damage(written.flipped(position, random.randrange(8)))
        assert_is_prefix(written, found, written.content[:position].count(b"\n"))


def test_every_prefix_of_a_journal_can_be_replayed(written: Written) -> None:
    for length, recorded in enumerate(written.records, 1):
        live = Scheduler(written.plan, written.records[:length]).state
        assert (live.status is Status.COMPLETE) == isinstance(recorded.event, events.RunEnded)


def shown(written: Written) -> str:
    done = written.project("show", "1", "--json")
    assert done.code in (0, 1), done.err
    return str(json.loads(done.out)["status"])


def show_each(written: Written, contents: Iterable[bytes]) -> None:
    for content in contents:
        written.damage(content)
        assert shown(written) != "complete"
    written.damage(written.content)
    assert shown(written) == "complete"


def ends(written: Written) -> list[int]:
    """The offsets behind each line but the last."""
    return [place + 1 for place, byte in enumerate(written.content[:-1]) if byte == ord("\n")]


def test_what_a_user_is_shown_of_a_damaged_journal_is_never_complete(written: Written) -> None:
    last = ends(written)[-1]
    show_each(written, [b"", written.content[:last], written.content[:-1], written.flipped(last + 20, 3)])


@pytest.mark.long
def test_what_a_user_is_shown_after_any_line_is_never_complete(written: Written) -> None:
    show_each(written, (written.content[: end + extra] for end in ends(written) for extra in (0, 30)))


def go_on(written: Written, content: bytes) -> None:
    """A run with such a journal goes on, and ends with the outputs it had."""
    written.damage(content)
    done = written.project("resume", "1")
    assert done.code == 0, done.err
    assert ended_well(written.project, 1)
    assert kept_outputs(written.project, 1) == written.outputs


def go_on_from_each(written: Written, lengths: Iterable[int]) -> None:
    for length in lengths:
        go_on(written, written.content[:length])
    written.damage(written.content)


def test_a_run_goes_on_from_a_journal_that_was_cut(written: Written) -> None:
    cut = ends(written)
    go_on_from_each(written, [0, cut[len(cut) // 2], cut[len(cut) // 3] + 40, len(written.content) - 1])


@pytest.mark.long
def test_a_run_goes_on_from_a_journal_that_was_cut_after_any_line(written: Written) -> None:
    go_on_from_each(written, (end + extra for end in ends(written) for extra in (0, 10)))


def test_attempts_that_the_journal_has_lost_are_no_obstacle(written: Written) -> None:
    """After a loss of power they may have left more than the journal knows of, whole or in part."""
    for manifest in written.project.path.glob(".vhpipe/runs/1/work/*/*/manifest.json"):
        os.truncate(manifest, 10)
    go_on(written, written.content[: ends(written)[2]])
    written.damage(written.content)
