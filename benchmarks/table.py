"""The figures as one Markdown table."""

from statistics import median
from typing import NamedTuple

from benchmarks.measure import Measurement


class Row(NamedTuple):
    """`rounds` has the figures by round; the ratios are taken round by round, against the same round of `base`."""

    workload: str
    tool: str
    rounds: dict[int, Measurement]
    base: dict[int, Measurement]
    note: str = ""
    starts: dict[int, Measurement] | None = None
    """The same tool with a single job, by round: what its start costs."""


HEAD = (
    "workload", "tool", "wall s", "min to max", "x wall", "less start", "cpu s", "x cpu", "less start", "peak MiB",
    "disk MiB", "rounds", "note",
)  # fmt: skip
FIGURES = len(HEAD) - 3


def markdown(rows: list[Row]) -> str:
    lines = [HEAD, ("---", "---", *["---:"] * FIGURES, "---"), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> tuple[str, ...]:
    if not row.rounds:
        return (row.workload, row.tool, *["-"] * FIGURES, row.note)
    walls = [m.wall_s for m in row.rounds.values()]
    return (
        row.workload,
        row.tool,
        f"{median(walls):.3f}",
        f"{min(walls):.3f} to {max(walls):.3f}",
        _ratio(row, "wall_s"),
        _ratio_less_start(row, "wall_s"),
        f"{median(m.cpu_s for m in row.rounds.values()):.2f}",
        _ratio(row, "cpu_s"),
        _ratio_less_start(row, "cpu_s"),
        f"{median(m.peak_mib for m in row.rounds.values()):.0f}",
        f"{median(m.disk_mib for m in row.rounds.values()):.0f}",
        str(len(row.rounds)),
        row.note,
    )


def _ratio(row: Row, figure: str) -> str:
    common = row.rounds.keys() & row.base.keys()
    ratios = [getattr(row.rounds[i], figure) / getattr(row.base[i], figure) for i in common]
    return f"{median(ratios):.2f}" if ratios else "-"


def _ratio_less_start(row: Row, figure: str) -> str:
    """The ratio of what remains when the tool's run of a single job is taken off; the base keeps its own start."""
    starts = row.starts or {}
    common = row.rounds.keys() & row.base.keys() & starts.keys()
    ratios = [
        (getattr(row.rounds[i], figure) - getattr(starts[i], figure)) / getattr(row.base[i], figure) for i in common
    ]
    return f"{median(ratios):.2f}" if ratios else "-"
