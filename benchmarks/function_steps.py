"""A chain of 20 functions, each in an interpreter of its own: built, run and read from Python, the whole process."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.rounds import Subject

FUNCTIONS = "20 functions"
STEPS = 20

PIPELINE = f"""\
from pathlib import Path

from vhpipe.api import Pipeline


def first(start: int) -> int:
    return start


def add_one(value: int) -> int:
    return value + 1


pipeline = Pipeline("chain")
pipeline.add_function_step("step_0", first, {{"start": 0}}, "value")
for number in range(1, {STEPS}):
    pipeline.add_function_step(f"step_{{number}}", add_one, {{"value": f"${{{{step_{{number - 1}}.value}}}}"}}, "value")
run = pipeline.start_locally(quiet=True)
Path("result").write_text(str(run.node("step_{STEPS - 1}").result("value")))
"""

INTERPRETERS = f"""\
import subprocess, sys
from pathlib import Path

for number in range({STEPS}):
    subprocess.run([sys.executable, "-c", "pass"], check=True)
Path("result").write_text("{STEPS - 1}")
"""


def function_subjects() -> Iterator[Subject]:
    """The interpreters alone, which is the least that it can take, and the pipeline."""
    for name, program in (("bare interpreters", INTERPRETERS), ("vhpipe.api", PIPELINE)):
        yield Subject(name, [sys.executable, "program.py"], _writer(program), _fault)


def _writer(program: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "program.py").write_text(program)

    return write


def _fault(folder: Path) -> str | None:
    result = folder / "result"
    return None if result.exists() and result.read_text() == str(STEPS - 1) else "no result"
