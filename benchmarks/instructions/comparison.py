"""Two versions side by side: the table of figures, and whether the new one takes too much."""

from collections.abc import Sequence
from typing import NamedTuple

MOST = 1.05
"""The ratio of new to old above which a figure is too much."""


class Cost(NamedTuple):
    """What one command took: the instructions and the memory of its largest process."""

    instructions: int
    peak_mib: float


class Comparison(NamedTuple):
    workload: str
    old: Cost
    new: Cost

    @property
    def instruction_ratio(self) -> float:
        return self.new.instructions / self.old.instructions

    @property
    def memory_ratio(self) -> float:
        return self.new.peak_mib / self.old.peak_mib


HEAD = ("workload", "million instructions", "last version", "ratio", "peak MiB", "last version", "ratio")


def markdown(comparisons: Sequence[Comparison]) -> str:
    """A line for each workload, figures aligned to the right."""
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *map(_cells, comparisons)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(one: Comparison) -> tuple[str, ...]:
    return (
        one.workload,
        f"{one.new.instructions / 1e6:,.1f}",
        f"{one.old.instructions / 1e6:,.1f}",
        f"{one.instruction_ratio:.4f}",
        f"{one.new.peak_mib:.1f}",
        f"{one.old.peak_mib:.1f}",
        f"{one.memory_ratio:.3f}",
    )


def excesses(comparisons: Sequence[Comparison], most: float = MOST) -> tuple[str, ...]:
    """A sentence for each figure whose ratio is above `most`; exactly `most` is not above."""
    return tuple(
        f"`{one.workload}` takes {ratio:.3f} times the {what} of the last version; at most {most} is allowed"
        for one in comparisons
        for what, ratio in (("instructions", one.instruction_ratio), ("memory", one.memory_ratio))
        if ratio > most
    )
