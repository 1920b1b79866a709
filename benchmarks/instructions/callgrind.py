"""How many instructions a command takes, as callgrind counts them."""

import re
from pathlib import Path

from benchmarks.tools import Argv

SUMMARY = re.compile(r"^(?:summary|totals): (\d+)$", re.MULTILINE)


class NoCount(Exception):
    """What callgrind left has no count in it."""


def counted(argv: Argv, counts: Path) -> Argv:
    """The command under callgrind, which leaves a file in the folder `counts` for each process it follows.

    It follows the processes that a program forks, such as the engine of a run, but none that becomes another program.
    """
    return ["valgrind", "--tool=callgrind", "--trace-children=no", f"--callgrind-out-file={counts}/%p.txt", *argv]


def count_of(text: str) -> int:
    """The instructions that one file of callgrind gives as its sum. Errors: NoCount where it gives none."""
    found = SUMMARY.search(text)
    if found is None:
        raise NoCount("no `summary:` line in what callgrind wrote")
    return int(found[1])


def largest_count(counts: Path) -> int:
    """The instructions of the process that has most, of all that left a file in the folder. Errors: NoCount.

    A forked process starts with the count of its parent, so that a sum would have that twice: the largest is the
    engine's, with all that came before the fork. What its supervisor does after the fork is not counted.
    """
    files = sorted(counts.glob("*.txt"))
    if not files:
        raise NoCount(f"callgrind wrote nothing to {counts}")
    return max(count_of(file.read_text()) for file in files)
