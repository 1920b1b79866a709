"""`vhpipe metadata RUN NODE`: what the executions of a node measured, or without NODE the metrics of the run."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from vhpipe.cli.options.run_selection import json_option, project_option, required_run_argument
from vhpipe.cli.terminal.columns import columns
from vhpipe.engine.run_metrics import NO_METRICS
from vhpipe.project.metadata_series import last_of, last_values, series, series_in
from vhpipe.project.open_run import OpenRun, open_run
from vhpipe.project.selectors import (
    AttemptSelector,
    opened_project,
    parse_selection,
    selected_attempt,
    selected_executions,
)
from vhpipe.views.json_values import SCHEMA, json_text
from vhpipe.views.node_progress import ExecutionView
from vhpipe.views.run_text import value_text


@click.command("metadata", short_help="Print what the executions of a node measured.")
@required_run_argument
@click.argument("node", metavar="[NODE[#INDEX][.ATTEMPT]]", required=False)
@click.option("--series", "is_series", is_flag=True, help="Print every measurement as JSON, one per line.")
@project_option
@json_option
def command(selector: str, node: str | None, is_series: bool, project: Path, as_json: bool) -> int:
    """Print the last value of each metadata key, per execution; without NODE the metrics of the run itself.

    Those are what steps have published and what a `monitor` selects.
    """
    run = open_run(opened_project(project).run(selector))
    if node is None:
        return _of_run(run, is_series, as_json)
    selection = parse_selection(node, tuple(run.view.nodes))
    executions = selected_executions(run.view, selection)
    if is_series:
        _print_series(run, selection, executions)
        return 0
    values = {one.index: _last(run, selection, one) for one in executions}
    if as_json:
        listed = [{"index": one.index, "status": str(one.status), "metadata": values[one.index]} for one in executions]
        shown = {"schema": SCHEMA, "run": run.view.number, "node": selection.node, "executions": listed}
        click.echo(json_text(shown))
    else:
        click.echo(_table(_with_parameters(run, selection.node, values)))
    return 0


def _of_run(run: OpenRun, is_series: bool, as_json: bool) -> int:
    lines = series_in(run.folder.metrics_path)
    if is_series:
        for line in lines:
            click.echo(json_text(line, indent=None))
        return 0
    values = last_of(lines, NO_METRICS)
    if as_json:
        click.echo(json_text({"schema": SCHEMA, "run": run.view.number, "metrics": values}))
    else:
        click.echo(columns(("metric", "value"), [(name, _cell(value)) for name, value in values.items()]))
    return 0


def _with_parameters(run: OpenRun, node: str, values: dict[int, dict[str, object]]) -> dict[int, dict[str, object]]:
    """In front of what was measured, the parameters by which the executions differ."""
    given = {index: run.view.parameters(run.view.nodes[node], index) for index in values}
    names = dict.fromkeys(name for one in given.values() for name in one)
    differ = [name for name in names if len({repr(one.get(name)) for one in given.values()}) > 1]
    return {index: {**{name: given[index].get(name) for name in differ}, **one} for index, one in values.items()}


def _last(run: OpenRun, selection: AttemptSelector, execution: ExecutionView) -> dict[str, object]:
    """Of a last attempt that has ended what the journal says, which is there for ever; of others the series."""
    if selection.attempt is None and (not execution.attempts or execution.attempts[-1].ended_at is not None):
        return dict(execution.metadata)
    folder = _folder(run, selection, execution)
    return {} if folder is None else last_values(folder)


def _folder(run: OpenRun, selection: AttemptSelector, execution: ExecutionView) -> Path | None:
    if execution.attempts:
        return run.folder.attempt_folder(selected_attempt(selection, execution))
    return run.origin_folder(execution.reused_from) if execution.reused_from else None


def _print_series(run: OpenRun, selection: AttemptSelector, executions: Sequence[ExecutionView]) -> None:
    for execution in executions:
        folder = _folder(run, selection, execution)
        for values in series(folder) if folder else ():
            line = values if len(executions) == 1 else {"_index": execution.index, **values}
            click.echo(json_text(line, indent=None))


def _table(values: dict[int, dict[str, object]]) -> str:
    """Key and value of one execution, else a row per execution and a column per key."""
    if len(values) == 1:
        only = next(iter(values.values()))
        return columns(("key", "value"), [(key, _cell(value)) for key, value in only.items()])
    keys = list(dict.fromkeys(key for one in values.values() for key in one))
    rows = [(str(index), *(_cell(one.get(key)) for key in keys)) for index, one in values.items()]
    return columns(("index", *keys), rows, right=("index",))


def _cell(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else value_text(value)
