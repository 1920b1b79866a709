"""Rounds in turn: each tool once, then each once more, so that a machine that slows down meets them all alike.

Every run gets a folder that nothing has used before, and nothing is deleted before the very end: on ext4 a file made
near many deleted ones costs twenty times as much.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Measurement, measure
from benchmarks.table import Row
from benchmarks.tools import Argv


class Subject(NamedTuple):
    """What is measured: `write` fills a new folder, `argv` is called in it, `fault` says what is wrong there then.

    `argv` is None where the tool is not installed.
    """

    name: str
    argv: Argv | None
    write: Callable[[Path], None]
    fault: Callable[[Path], str | None]
    write_one: Callable[[Path], None] | None = None
    """Fills a folder with one job, whose run tells what the start costs."""
    is_second_run: bool = False
    """Whether the run that counts is the second one in the same folder."""


class Limits(NamedTuple):
    """A tool gets no further round once its next one would bring it over `budget_s`, but one round at least."""

    rounds: int
    timeout_s: float
    budget_s: float


def rows_of(workload: str, subjects: Sequence[Subject], limits: Limits, scratch: Path) -> list[Row]:
    """A row for each subject; the first one is what the others are compared with."""
    figures: dict[str, dict[int, Measurement]] = {subject.name: {} for subject in subjects}
    starts: dict[str, dict[int, Measurement]] = {subject.name: {} for subject in subjects}
    notes = {subject.name: "not installed" for subject in subjects if subject.argv is None}
    for number in range(limits.rounds):
        for subject in subjects:
            done = figures[subject.name]
            if subject.name in notes or _over_budget(done, limits):
                continue
            found = _one_run(subject, limits, scratch)
            print(f"{workload}, round {number + 1}, {subject.name}: {found.wall_s:.3f} s", file=sys.stderr)
            if found.fault:
                notes[subject.name] = found.fault
            else:
                done[number] = found
            if subject.write_one is not None:
                starts[subject.name][number] = _measured(subject, subject.write_one, limits, scratch)[0]
    base = figures[subjects[0].name]
    return [Row(workload, s.name, figures[s.name], base, notes.get(s.name, ""), starts[s.name]) for s in subjects]


def _over_budget(done: dict[int, Measurement], limits: Limits) -> bool:
    spent = sum(m.wall_s for m in done.values())
    return bool(done) and spent + spent / len(done) > limits.budget_s


def _one_run(subject: Subject, limits: Limits, scratch: Path) -> Measurement:
    found, folder = _measured(subject, subject.write, limits, scratch)
    if subject.is_second_run and not found.fault:
        assert subject.argv is not None
        found = measure(subject.argv, folder, scratch / f"{folder.name}.log", limits.timeout_s)
    return found if found.fault else found._replace(fault=subject.fault(folder))


def _measured(
    subject: Subject, write: Callable[[Path], None], limits: Limits, scratch: Path
) -> tuple[Measurement, Path]:
    assert subject.argv is not None
    folder = Path(tempfile.mkdtemp(dir=scratch, prefix="run-"))
    write(folder)
    return measure(subject.argv, folder, scratch / f"{folder.name}.log", limits.timeout_s), folder
