"""`vhpipe compare RUN [NODE] [RUN…]`: executions side by side, of one run or of several."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.cli.options.typed_options import typed_options
from vhpipe.errors import UsageError
from vhpipe.project.selectors import opened_project, parse_selection
from vhpipe.wording import listed

if TYPE_CHECKING:
    from vhpipe.project.open_run import OpenRun
    from vhpipe.views.compare import Aggregate, Best, ComparedExecution, Comparison, ComparisonOptions
    from vhpipe.views.node_progress import ExecutionView, NodeView

RUN = re.compile(r"[=#]?\d+|latest")


class ComparisonTexts(NamedTuple):
    """What is compared and how it is shown, as typed. `limit` None: all executions."""

    metrics: tuple[str, ...] = ()
    aggregate: "Aggregate" = "last"
    sort: tuple[str, ...] = ()
    best: str | None = None
    sparks: tuple[str, ...] = ()
    all_parameters: bool = False
    limit: int | None = None


comparison_options = typed_options(
    "texts",
    ComparisonTexts,
    click.option(
        "--metric",
        "metrics",
        metavar="KEY[:min|max|last]",
        multiple=True,
        help="Show only this metadata key, and its last, least or greatest value; repeat it for several.",
    ),
    click.option(
        "--agg",
        "aggregate",
        type=click.Choice(("last", "min", "max")),
        default="last",
        show_default=True,
        help="Which value of a series counts, where --metric does not say.",
    ),
    click.option(
        "--sort",
        metavar="[-]NAME",
        multiple=True,
        help="Sort by a parameter, a metadata key, run, index, status, duration, cpu, memory; `-acc`: largest first.",
    ),
    click.option("--best", metavar="KEY[:min|max]",
                 help="Mark the best; what a bayesian search looks for if not given."),
    click.option("--spark", "sparks", metavar="KEY", multiple=True, help="Draw a metric over time, all on one scale."),
    click.option("--all", "all_parameters", is_flag=True, help="Also show the parameters that do not vary."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show only the first N."),
)  # fmt: skip


@click.command("compare", short_help="Compare executions: what varies, and with what results.")
@click.argument("words", metavar="[RUN] [NODE] [RUN]...", nargs=-1)
@comparison_options
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@project_option
@json_option
def command(words: tuple[str, ...], project: Path, as_csv: bool, as_json: bool, texts: ComparisonTexts) -> int:
    """Compare the executions of a node: the parameters by which they differ and what they measured.

    RUN is a number or `latest`. Without NODE it is the only task of the first run, or its only node that executes. Of
    several runs the executions of the node of that name stand side by side.
    """
    from vhpipe.views.compare import compare

    runs, name = _open_runs(words, project)
    nodes = _nodes(runs, name)
    wanted = _comparison_options(texts, nodes[0].node)
    wants = _Wants(_aggregates(texts), texts.aggregate, wanted.sparks)
    rows = [row for each in nodes for row in _rows(each, wants)]
    _refuse_unknown_names(rows, wanted)
    is_task = any(each.node.type == "task" for each in nodes)
    _print(compare(nodes[0].node.name, rows, wanted, is_task), as_csv, as_json)
    return 0


class _NodeOfRun(NamedTuple):
    run: "OpenRun"
    node: "NodeView"


# ── which executions ─────────────────────────────────────────────────────────────────────────────


def _open_runs(words: Sequence[str], project: Path) -> "tuple[list[OpenRun], str | None]":
    """The runs, each once, in the order named, and the name of the node."""
    from vhpipe.project.open_run import open_run

    names = [word for word in words if not RUN.fullmatch(word)]
    if len(names) > 1:
        raise UsageError(f"both `{names[0]}` and `{names[1]}` name a node", "vhpipe compare RUN [NODE] [RUN]...")
    store = opened_project(project)
    folders = [store.run(word) for word in words if RUN.fullmatch(word)] or [store.run("latest")]
    numbers = dict.fromkeys(folder.number for folder in folders)
    by_number = {folder.number: folder for folder in folders}
    return [open_run(by_number[number]) for number in numbers], names[0] if names else None


def _nodes(runs: "Sequence[OpenRun]", name: str | None) -> list[_NodeOfRun]:
    """The node in each run that has it. What has none is said; the first has it, or it is an error."""
    first = _node_to_compare(runs[0], name)
    found = [_NodeOfRun(run, run.view.nodes[first]) for run in runs if first in run.view.nodes]
    for run in runs:
        if first not in run.view.nodes:
            click.echo(f"run {run.view.number} has no node `{first}`", err=True)
    for each in found:
        if each.node.type == "deployment":
            raise UsageError(f"node `{first}` is a deployment: it has no executions", hint="vhpipe deployments")
    return found


def _node_to_compare(run: "OpenRun", name: str | None) -> str:
    nodes = run.view.nodes
    if name is not None:
        selection = parse_selection(name, tuple(nodes))
        if selection.index is not None or selection.attempt is not None:
            raise UsageError(f"`{name}` is one execution", f"compare all executions of its node: `{selection.node}`")
        return selection.node
    executing = [node.name for node in nodes.values() if node.type != "deployment"]
    tasks = [node.name for node in nodes.values() if node.type == "task"]
    for candidates in (tasks, executing):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(f"run {run.view.number} has several nodes", f"name one of {listed(tasks or executing)}")


# ── what each measured ───────────────────────────────────────────────────────────────────────────


class _Wants(NamedTuple):
    """Which value of each key counts, and of which keys the entire series is wanted."""

    by_key: "Mapping[str, Aggregate]"
    otherwise: "Aggregate"
    sparks: tuple[str, ...]

    def how(self, key: str) -> "Aggregate":
        return self.by_key.get(key, self.otherwise)

    @property
    def is_last_enough(self) -> bool:
        return not self.sparks and {self.otherwise, *self.by_key.values()} == {"last"}


def _rows(of: _NodeOfRun, wants: _Wants) -> "Iterator[ComparedExecution]":
    from vhpipe.views.compare import ComparedExecution

    for execution in of.node.executions():
        metadata, series = _measurements(of, execution, wants)
        yield ComparedExecution(
            run=of.run.view.number,
            execution=execution.index,
            status=execution.status,
            parameters=of.run.view.parameters(of.node, execution.index),
            metadata=metadata,
            duration_s=_duration(execution),
            reused_from=execution.reused_from.run if execution.reused_from else None,
            series=series,
            use=execution.use,
        )


def _duration(execution: "ExecutionView") -> float | None:
    if not execution.attempts or execution.reused_from is not None:
        return None
    return execution.attempts[-1].duration_s


def _measurements(
    of: _NodeOfRun, execution: "ExecutionView", wants: _Wants
) -> tuple[dict[str, object], dict[str, list[float]]]:
    """One value per key, and the series that are drawn. The last values of what has ended stand in the journal."""
    from vhpipe.views.compare import aggregate_series, number_of

    has_ended = execution.reused_from is not None or not execution.attempts or execution.attempts[-1].ended_at
    if wants.is_last_enough and has_ended:
        return dict(execution.metadata), {}
    by_key = _series(_folder(of, execution))
    values = {key: aggregate_series(each, wants.how(key)) for key, each in by_key.items()}
    drawn = {
        key: [float(number) for value in by_key.get(key, ()) if (number := number_of(value)) is not None]
        for key in wants.sparks
    }
    return {**execution.metadata, **values}, drawn


def _folder(of: _NodeOfRun, execution: "ExecutionView") -> Path | None:
    """Where the series lies; a reused execution has that of its origin."""
    from vhpipe.plan.model import AttemptId, ExecutionId

    if execution.reused_from is not None:
        return of.run.origin_folder(execution.reused_from)
    if not execution.attempts:
        return None
    return of.run.folder.attempt_folder(
        AttemptId(ExecutionId(of.node.name, execution.index), execution.attempts[-1].number)
    )


def _series(folder: Path | None) -> dict[str, list[object]]:
    from vhpipe.project.metadata_series import series

    by_key: dict[str, list[object]] = {}
    for line in series(folder) if folder is not None else ():
        for key, value in line.items():
            if key != "_time":
                by_key.setdefault(key, []).append(value)
    return by_key


# ── what is wanted ───────────────────────────────────────────────────────────────────────────────


def _comparison_options(texts: ComparisonTexts, node: "NodeView") -> "ComparisonOptions":
    from vhpipe.views.compare import AGGREGATES, ComparisonOptions

    keys = tuple(dict.fromkeys(_key_and_goal(text, AGGREGATES)[0] for text in texts.metrics))
    return ComparisonOptions(
        metrics=keys or None,
        sort=texts.sort,
        best=_best(texts.best, node),
        all_parameters=texts.all_parameters,
        sparks=tuple(dict.fromkeys(texts.sparks)),
        limit=texts.limit,
    )


def _aggregates(texts: ComparisonTexts) -> "dict[str, Aggregate]":
    """How the keys count of which something is said."""
    from vhpipe.views.compare import AGGREGATES

    split = (_key_and_goal(text, AGGREGATES) for text in texts.metrics)
    return {key: how for key, how in split if how in AGGREGATES}


def _key_and_goal(text: str, words: Sequence[str]) -> tuple[str, str | None]:
    """`acc:max` in two; a key may have colons of its own."""
    key, colon, word = text.rpartition(":")
    if colon and word in words:
        return key, word
    return text, None


def _best(typed: str | None, node: "NodeView") -> "Best | None":
    from vhpipe.plan.model import PlannedTask
    from vhpipe.views.compare import Best

    if typed is not None:
        key, goal = _key_and_goal(typed, ("min", "max"))
        return Best(key, goal or "max")
    search = node.planned.search if isinstance(node.planned, PlannedTask) else None
    if search is None or (search.target is None and search.goal is None):
        return None
    return Best(search.metric, search.goal or "max", search.target)


def _refuse_unknown_names(rows: "Sequence[ComparedExecution]", wanted: "ComparisonOptions") -> None:
    """Names that no execution has; where nothing is measured yet, every name may still come."""
    from vhpipe.views.compare import FIXED, names_in
    from vhpipe.wording import unknown_name

    keys, parameters = names_in(row.metadata for row in rows), names_in(row.parameters for row in rows)
    if not keys:
        return
    best = (wanted.best.key,) if wanted.best else ()
    for name in (*(wanted.metrics or ()), *best, *wanted.sparks):
        if name not in keys:
            raise unknown_name("metadata key", name, keys)
    for typed in wanted.sort:
        name = typed.removeprefix("-")
        if name not in (*keys, *parameters, *FIXED):
            raise unknown_name("name to sort by", name, [*keys, *parameters, *FIXED])


# ── printing ─────────────────────────────────────────────────────────────────────────────────────


def _print(comparison: "Comparison", as_csv: bool, as_json: bool) -> None:
    from vhpipe.cli.terminal.columns import columns
    from vhpipe.views.compare import comparison_cells, comparison_csv, comparison_json
    from vhpipe.views.json_values import json_text

    if as_json:
        click.echo(json_text(comparison_json(comparison)))
    elif as_csv:
        sys.stdout.writelines(comparison_csv(comparison))
    else:
        heads, rows = comparison_cells(comparison, _bars())
        click.echo(columns(heads, rows, right=("run", "index")))
        if comparison.total > len(rows):
            click.echo(f"… and {comparison.total - len(rows):,} more")


def _bars() -> str:
    """Those that the encoding of the output has."""
    from vhpipe.views.sparkline import ASCII_BARS, BARS

    try:
        BARS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII_BARS
    return BARS
