"""`vhpipe outputs RUN [NODE]`: the files that a run made, listed or fetched."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from vhpipe.cli.options.run_selection import json_option, project_option, run_argument
from vhpipe.cli.terminal.columns import columns
from vhpipe.plan.model import Datum
from vhpipe.project.open_run import open_run
from vhpipe.project.output_copies import OutputCopy, fetch, folder_name
from vhpipe.project.selectors import opened_project, parse_selection, selected_executions
from vhpipe.schedule.terms import Status
from vhpipe.views.json_values import SCHEMA, json_name, json_pieces
from vhpipe.views.node_progress import ExecutionView, NodeView
from vhpipe.views.progress import RunView
from vhpipe.wording import counted

HEADS = ("execution", "status", "output", "size", "datum")


class OutputRow(NamedTuple):
    node: NodeView
    execution: ExecutionView
    datum: Datum


@click.command("outputs", short_help="List or fetch the files that a run made.")
@run_argument
@click.argument("node", metavar="[NODE[#INDEX]]", required=False)
@click.option("--get", "target", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Copy the files to DIR/NODE/, those of a task to DIR/NODE/INDEX/.")  # fmt: skip
@click.option("--published", "is_published", is_flag=True,
              help="The artifacts and models that the run itself has; with --get they go to DIR/NAME.")  # fmt: skip
@click.option("--force", is_flag=True, help="With --get: replace existing files whose content differs.")
@project_option
@json_option
def command(
    selector: str, node: str | None, target: Path | None, is_published: bool, force: bool, project: Path, as_json: bool
) -> int:
    """List the outputs of a run, the latest if RUN is not given; with --get copy them out.

    Outputs of failed executions are listed too, with their status.
    """
    store = opened_project(project)
    view = open_run(store.run(selector)).view
    if is_published:
        from vhpipe.cli.commands.published import command_published

        return command_published(view, store.blobs, node, target, force, as_json)
    found = list(_outputs(view, node))
    if target is not None:
        fetch([_copy_of(output, view.number) for output in found], target, store.blobs, force)
        click.echo(f"{_total(found)} in `{target}`", err=True)
    if as_json:
        listed = (_output_json(output, store.blobs.folder) for output in found)
        for piece in json_pieces({"schema": SCHEMA, "run": view.number}, "outputs", listed):
            click.echo(piece, nl=False)
        click.echo()
    elif target is None:
        click.echo(columns(HEADS, [_row(output) for output in found], right=("size",)))
    return 0


def _outputs(view: RunView, node: str | None) -> Iterator[OutputRow]:
    if node is None:
        pairs = [(each, each.known_executions()) for each in view.nodes.values()]
    else:
        selection = parse_selection(node, tuple(view.nodes))
        pairs = [(view.nodes[selection.node], list(selected_executions(view, selection)))]
    for each, executions in pairs:
        yield from (OutputRow(each, execution, datum) for execution in executions for datum in execution.outputs)


def _copy_of(output: OutputRow, run: int) -> OutputCopy:
    parts = [folder_name(output.node.name)]
    if output.node.type == "task":
        parts.append(str(output.execution.index))
    node, origin = output.node, output.execution.reused_from
    maker = run if origin is None else origin.run
    label = node.label(output.execution.index)
    return OutputCopy("/".join([*parts, output.datum.name]), output.datum, maker, node.name, label)


def _row(output: OutputRow) -> tuple[str, ...]:
    from humanize import naturalsize

    status = output.execution.status
    return (
        output.node.label(output.execution.index),
        "" if status is Status.COMPLETE else str(status),
        output.datum.name,
        naturalsize(output.datum.size_bytes, binary=True),
        output.datum.id,
    )


def _total(outputs: Sequence[OutputRow]) -> str:
    from humanize import naturalsize

    size_bytes = sum(output.datum.size_bytes for output in outputs)
    return f"{counted(len(outputs), 'file')}, {naturalsize(size_bytes, binary=True)},"


def _output_json(output: OutputRow, blobs: str) -> dict[str, object]:
    blob = output.datum.blob
    return {
        "node": json_name(output.node.name),
        "index": output.execution.index,
        "status": str(output.execution.status),
        "name": json_name(output.datum.name),
        "size_bytes": output.datum.size_bytes,
        "datum": output.datum.id,
        "sha256": blob,
        "stored_at": f"{blobs}/{blob[:2]}/{blob}",
    }
