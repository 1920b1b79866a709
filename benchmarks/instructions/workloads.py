"""The five fixed workloads: what is in the project, and the command line that counts.

They are small, for callgrind makes Python fifty times slower. Nothing in them depends on the time or on chance.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.graphs import heap
from benchmarks.valohai_files import pipeline_file

ONE_SLOT = ("--jobs", "1")


class Workload(NamedTuple):
    """`write` fills a new folder, given that of the last version's examples; the command is called there.

    `before` is a command line that is called first and not counted, empty for none. The least of `rounds` counts: where
    processes are waited for, a busy machine wakes the engine more often.
    """

    name: str
    write: Callable[[Path, Path], None]
    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()
    rounds: int = 1


def _example(folder: Path, examples: Path) -> None:
    (folder / "valohai.yaml").write_bytes((examples / "valohai.yaml").read_bytes())


def _heap_of(jobs: int) -> Callable[[Path, Path], None]:
    def write(folder: Path, examples: Path) -> None:
        (folder / "valohai.yaml").write_text(pipeline_file(heap(jobs)))

    return write


WORKLOADS = (
    Workload("validate the example", _example, ("validate",)),
    Workload("validate 300 nodes", _heap_of(300), ("validate",)),
    Workload("plan 100 nodes", _heap_of(100), ("plan",)),
    Workload("run 120 nodes", _heap_of(120), ("run", *ONE_SLOT), rounds=2),
    Workload(
        "run 120 nodes, all reused", _heap_of(120), ("run", "--reuse", *ONE_SLOT), before=("run", *ONE_SLOT), rounds=2
    ),
)
