"""The graphs that every tool is given: what to run, and after what.

A job reads the files of the jobs before it with the shell's own `read` and writes one small file of its own, so that it
costs one process, one shell and one file, and nothing that a faster program could save.
"""

from collections.abc import Callable
from typing import NamedTuple


class Job(NamedTuple):
    """`level` is 0 for jobs that wait for nothing, else one more than the highest before it.

    A job with `size_bytes` writes a file of zeros that long; one that `weighs` asks only for the sizes of its files.
    """

    name: str
    upstream: tuple[str, ...] = ()
    level: int = 0
    size_bytes: int = 0
    weighs: bool = False

    def command(self, read_from: str, write_to: str) -> str:
        """Shell text without quotes, dollars or braces, as long as the two folders have none."""
        reading = "test -s" if self.weighs else "read x <"
        reads = [f"{reading} {read_from}/{name}.txt" for name in self.upstream]
        written = f"head -c {self.size_bytes} /dev/zero" if self.size_bytes else f"echo {self.name}"
        return " && ".join([*reads, f"{written} > {write_to}/{self.name}.txt"])


Graph = tuple[Job, ...]


def wide(jobs: int) -> Graph:
    """Jobs that know nothing of each other."""
    return tuple(Job(f"n{i}") for i in range(jobs))


def chain(jobs: int) -> Graph:
    """Each job waits for the one before it."""
    return tuple(Job(f"n{i}", (f"n{i - 1}",) if i else (), i) for i in range(jobs))


def layers(depth: int, width: int) -> Graph:
    """Each job waits for the whole layer before its own."""
    rows = [[f"n{level}x{i}" for i in range(width)] for level in range(depth)]
    return tuple(
        Job(name, tuple(rows[level - 1]) if level else (), level) for level, row in enumerate(rows) for name in row
    )


def heap(jobs: int) -> Graph:
    """Job i waits for jobs i/2 and i/3: about two edges a job, and few levels."""
    levels: dict[int, int] = {}
    made: list[Job] = []
    for i in range(1, jobs + 1):
        before = sorted({i // 2, i // 3} - {0})
        levels[i] = 1 + max((levels[j] for j in before), default=-1)
        made.append(Job(f"n{i}", tuple(f"n{j}" for j in before), levels[i]))
    return tuple(made)


def big_file(size_bytes: int, readers: int) -> Graph:
    """One large file that is handed to several jobs, which ask for its size only."""
    weighing = tuple(Job(f"reader{i}", ("big",), 1, weighs=True) for i in range(readers))
    return (Job("big", size_bytes=size_bytes), *weighing)


def edge_count(graph: Graph) -> int:
    return sum(len(job.upstream) for job in graph)


GRAPHS: dict[str, Callable[[], Graph]] = {
    "1,000 independent": lambda: wide(1000),
    "chain of 100": lambda: chain(100),
    "10 layers of 20": lambda: layers(10, 20),
    "5,000 independent": lambda: wide(5000),
    "1,000 again": lambda: wide(1000),
    "1 GiB to 4 readers": lambda: big_file(1 << 30, 4),
}
