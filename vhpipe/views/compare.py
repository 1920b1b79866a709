"""Executions side by side: the parameters by which they differ, what they measured, and which of them is best."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from operator import itemgetter
from typing import Literal, NamedTuple

from vhpipe.plan.model import ResourceUse
from vhpipe.schedule.terms import Status
from vhpipe.views.json_values import SCHEMA, json_text, json_value
from vhpipe.views.run_json import use_json
from vhpipe.views.run_text import duration_text, memory_text, value_text
from vhpipe.views.safe_text import safe_text
from vhpipe.views.sparkline import BARS, extent, sparkline

Aggregate = Literal["last", "min", "max"]
AGGREGATES: tuple[Aggregate, ...] = ("last", "min", "max")
FIXED = ("run", "index", "status", "duration", "cpu", "memory", "gpu-memory")
"""What every execution has, by which it can be sorted too."""


class ComparedExecution(NamedTuple):
    """One execution, by its position in the node. `metadata` has one value per key.

    `series` has the numbers of those keys that are drawn. `reused_from` is the run that made its result;
    `duration_s` is None for what did not run, or not yet; `use` is that of the attempt which made its result.
    """

    run: int
    execution: int
    status: Status
    parameters: Mapping[str, object]
    metadata: Mapping[str, object]
    duration_s: float | None = None
    reused_from: int | None = None
    series: Mapping[str, Sequence[float]] = {}
    use: ResourceUse | None = None


class Best(NamedTuple):
    """What makes an execution the best: the highest or lowest value of a key, or the one nearest to a target."""

    key: str
    goal: str = "max"
    target: float | None = None


class ComparisonOptions(NamedTuple):
    """What is to be shown. `metrics` None: all. `sort` are names, with `-` before them the greatest comes first."""

    metrics: tuple[str, ...] | None = None
    sort: tuple[str, ...] = ()
    best: Best | None = None
    all_parameters: bool = False
    sparks: tuple[str, ...] = ()
    limit: int | None = None


class Comparison(NamedTuple):
    """The executions in order, of which the first `limit` are shown, and the names of what stands in the columns.

    `best` is one of the rows, whether it is shown or not.
    """

    node: str
    rows: tuple[ComparedExecution, ...]
    total: int
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    sparks: tuple[str, ...]
    best: ComparedExecution | None
    is_task: bool


def aggregate_series(values: Sequence[object], how: Aggregate) -> object:
    """The last value of a series, or the least or greatest of its numbers; the last where it has no number."""
    numbers = [number for value in values if (number := number_of(value)) is not None] if how != "last" else []
    if not numbers:
        return values[-1] if values else None
    return min(numbers) if how == "min" else max(numbers)


def number_of(value: object) -> int | float | None:
    """The value if it is a finite number; truth is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def compare(node: str, rows: Sequence[ComparedExecution], wanted: ComparisonOptions, is_task: bool) -> Comparison:
    """The executions of a node, of one run or of several, compared as wanted."""
    metrics = wanted.metrics if wanted.metrics is not None else tuple(_measured_keys(rows))
    ordered = _sort_rows(rows, wanted.sort)
    return Comparison(
        node=node,
        rows=tuple(ordered[: wanted.limit]),
        total=len(rows),
        parameters=tuple(_shown_parameters(rows, wanted.all_parameters)),
        metrics=metrics,
        sparks=wanted.sparks,
        best=best_of(rows, wanted.best) if wanted.best else None,
        is_task=is_task,
    )


def names_in(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """All keys, in the order in which they first come; those that begin with `_` are for machines."""
    return [name for name in dict.fromkeys(name for each in mappings for name in each) if not name.startswith("_")]


def _measured_keys(rows: Sequence[ComparedExecution]) -> Iterator[str]:
    """The metadata keys, but for those by which steps only say what their parameters are."""
    for name in names_in(row.metadata for row in rows):
        if any(name in row.metadata and row.metadata[name] != row.parameters.get(name) for row in rows):
            yield name


def _shown_parameters(rows: Sequence[ComparedExecution], is_all: bool) -> list[str]:
    """The parameters by which the executions differ; all of a single one."""
    names = list(dict.fromkeys(name for row in rows for name in row.parameters))
    if is_all or len(rows) == 1:
        return names
    return [name for name in names if len({repr(row.parameters.get(name)) for row in rows}) > 1]


def best_of(rows: Iterable[ComparedExecution], best: Best) -> ComparedExecution | None:
    """The best of the complete executions, the first of equals; None where none has the number."""
    measured = [
        (number, row)
        for row in rows
        if row.status is Status.COMPLETE and (number := number_of(row.metadata.get(best.key))) is not None
    ]
    return min(measured, key=lambda pair: _cost(pair[0], best))[1] if measured else None


def _cost(number: float, best: Best) -> float:
    if best.target is not None:
        return abs(number - best.target)
    return number if best.goal == "min" else -number


# ── order ────────────────────────────────────────────────────────────────────────────────────────


def _sort_rows(rows: Sequence[ComparedExecution], names: Sequence[str]) -> list[ComparedExecution]:
    """Numbers, then texts, then what an execution does not have, in whichever direction each of them is sorted."""
    ordered = list(rows)
    for name in reversed(names):
        key, is_reversed = name.removeprefix("-"), name.startswith("-")
        values = [(value_of(row, key), row) for row in ordered]
        numbers = [(float(value), row) for value, row in values if _is_number(value)]  # type: ignore[arg-type]
        texts = [(value_text(value), row) for value, row in values if value is not None and not _is_number(value)]
        numbers.sort(key=itemgetter(0), reverse=is_reversed)
        texts.sort(key=itemgetter(0), reverse=is_reversed)
        lacking = [row for value, row in values if value is None]
        ordered = [*(row for _, row in numbers), *(row for _, row in texts), *lacking]
    return ordered


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


def value_of(row: ComparedExecution, name: str) -> object:
    """What stands in a column: metadata before a parameter of the same name, and both before `status` and the like."""
    for values in (row.metadata, row.parameters):
        if name in values:
            return values[name]
    match name:
        case "run":
            return row.run
        case "index":
            return row.execution
        case "status":
            return str(row.status)
        case "duration":
            return row.duration_s
        case "cpu":
            return row.use and row.use.cpu_s
        case "memory":
            return row.use and row.use.memory_bytes
        case "gpu-memory":
            return row.use and row.use.gpu_memory_bytes
        case _:
            return None


# ── shown ────────────────────────────────────────────────────────────────────────────────────────


def comparison_cells(comparison: Comparison, bars: str = BARS) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The heads and the rows of a table. Columns in which nothing would stand are left out."""
    rows = comparison.rows
    scales = {key: extent(row.series.get(key, ()) for row in rows) for key in comparison.sparks}
    table: dict[str, list[str]] = {}
    if comparison.best is not None:
        table["best"] = ["*" if row is comparison.best else "" for row in rows]
    if len({row.run for row in rows}) > 1 or not comparison.is_task:
        table["run"] = [str(row.run) for row in rows]
    if comparison.is_task:
        table["index"] = [str(row.execution) for row in rows]
    table["status"] = [str(row.status) for row in rows]
    table["time"] = [duration_text(row.duration_s) if row.duration_s is not None else "" for row in rows]
    table |= _use_cells(rows)
    if any(row.reused_from is not None for row in rows):
        table["made in run"] = ["" if row.reused_from is None else str(row.reused_from) for row in rows]
    for head, values in _columns(comparison):
        table[head] = [_cell(value) for value in values]
    for key, scale in scales.items():
        low, high = scale or (0.0, 0.0)
        table[f"{key} over time"] = [sparkline(row.series.get(key, ()), low, high, bars=bars) for row in rows]
    return tuple(table), list(zip(*table.values(), strict=True))


def _use_cells(rows: Sequence[ComparedExecution]) -> dict[str, list[str]]:
    """CPU time and memory, where they are known of any."""
    uses = [row.use or ResourceUse() for row in rows]
    columns = {
        "cpu": ["" if row.use is None else duration_text(row.use.cpu_s) for row in rows],
        "memory": [memory_text(use.memory_bytes) if use.memory_bytes else "" for use in uses],
        "gpu-memory": [memory_text(use.gpu_memory_bytes) if use.gpu_memory_bytes else "" for use in uses],
    }
    return {head: cells for head, cells in columns.items() if any(cells)}


def _columns(comparison: Comparison) -> Iterator[tuple[str, list[object]]]:
    """The parameters and then the metadata; a name that another column has says which it is."""
    taken = {"best", "time", "duration_s", "reused_from_run", "made in run", *FIXED, *use_json(None)}
    for name in comparison.parameters:
        head = f"parameters.{name}" if name in taken else name
        yield head, [row.parameters.get(name) for row in comparison.rows]
    taken.update(comparison.parameters)
    for name in comparison.metrics:
        yield f"metadata.{name}" if name in taken else name, [row.metadata.get(name) for row in comparison.rows]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_text(value, indent=None) if isinstance(value, Mapping) else value_text(value)


def comparison_csv(comparison: Comparison) -> Iterator[str]:
    """The lines of a CSV file, each with its line break; numbers in all their digits."""
    heads = ["run", "index", "status", "duration_s", "reused_from_run", *use_json(None)]
    columns = list(_columns(comparison))
    best = ["best"] if comparison.best is not None else []
    yield csv_line([*heads, *(head for head, _ in columns), *best])
    for place, row in enumerate(comparison.rows):
        mark = [row is comparison.best] if best else []
        values = [column[place] for _, column in columns]
        fixed = [row.run, row.execution, row.status, _round_seconds(row.duration_s), row.reused_from]
        yield csv_line([*fixed, *use_json(row.use).values(), *values, *mark])


def csv_line(values: Iterable[object]) -> str:
    """One line of CSV, with its line break."""
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow([_csv_cell(value) for value in values])
    return line.getvalue()


def _csv_cell(value: object) -> str:
    """Nothing for what is missing; truth and lists as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, bool | list | tuple | Mapping):
        return json_text(value, indent=None)
    return safe_text(str(value))


def comparison_json(comparison: Comparison) -> dict[str, object]:
    """The comparison in plain dicts, lists and scalars: all parameters and metadata, and which of them are shown."""
    return {
        "schema": SCHEMA,
        "node": json_value(comparison.node),
        "total": comparison.total,
        "parameters": json_value(comparison.parameters),
        "metrics": json_value(comparison.metrics),
        "best": None if comparison.best is None else {"run": comparison.best.run, "index": comparison.best.execution},
        "executions": [_row_json(row) for row in comparison.rows],
    }


def _row_json(row: ComparedExecution) -> dict[str, object]:
    shown: dict[str, object] = {
        "run": row.run,
        "index": row.execution,
        "status": str(row.status),
        "duration_s": _round_seconds(row.duration_s),
        "reused_from_run": row.reused_from,
        **use_json(row.use),
        "parameters": json_value(row.parameters),
        "metadata": json_value(row.metadata),
    }
    if row.series:
        shown["series"] = json_value(row.series)
    return shown


def _round_seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
