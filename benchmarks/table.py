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


HEAD = ("workload", "tool", "wall s", "min to max", "x wall", "cpu s", "x cpu", "peak MiB", "rounds", "note")


def markdown(rows: list[Row]) -> str:
    lines = [HEAD, ("---", "---", *["---:"] * 7, "---"), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> tuple[str, ...]:
    if not row.rounds:
        return (row.workload, row.tool, *["-"] * 7, row.note)
    walls = [m.wall_s for m in row.rounds.values()]
    return (
        row.workload,
        row.tool,
        f"{median(walls):.3f}",
        f"{min(walls):.3f} to {max(walls):.3f}",
        _ratio(row, "wall_s"),
        f"{median(m.cpu_s for m in row.rounds.values()):.2f}",
        _ratio(row, "cpu_s"),
        f"{median(m.peak_mib for m in row.rounds.values()):.0f}",
        str(len(row.rounds)),
        row.note,
    )


def _ratio(row: Row, figure: str) -> str:
    common = row.rounds.keys() & row.base.keys()
    ratios = [getattr(row.rounds[i], figure) / getattr(row.base[i], figure) for i in common]
    return f"{median(ratios):.2f}" if ratios else "-"
