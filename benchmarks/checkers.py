"""The tools that check a file without running it, and the files that they are given."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.graphs import heap
from benchmarks.tools import Argv, Place, own_program
from benchmarks.valohai_files import pipeline_file

EXAMPLE = Path(__file__).parents[1] / "examples" / "valohai.yaml"

FILES: dict[str, Callable[[], str]] = {
    "check the example": EXAMPLE.read_text,
    "check 1,000 nodes": lambda: pipeline_file(heap(1000)),
    "check 10,000 nodes": lambda: pipeline_file(heap(10_000)),
}


class Checker(NamedTuple):
    """`argv` is what is called in a folder with a valohai.yaml, None where the tool is not installed."""

    name: str
    argv: Callable[[Place], Argv | None]


def _official(program: str, *arguments: str) -> Callable[[Place], Argv | None]:
    """A program of Valohai: of its own virtual environment, else of the one with vhpipe."""

    def argv(place: Place) -> Argv | None:
        found = place.peer("valohai", program) or own_program(program)
        return [found, *arguments] if found else None

    return argv


def _vhpipe(place: Place) -> Argv | None:
    program = own_program("vhpipe")
    return [program, "validate", "valohai.yaml"] if program else None


CHECKERS = (
    Checker("bare interpreter", lambda place: [sys.executable, "-c", "pass"]),
    Checker("vhpipe validate", _vhpipe),
    Checker("valohai-yaml", _official("valohai-yaml", "valohai.yaml")),
    Checker("vh lint", _official("vh", "lint", "valohai.yaml")),
)
