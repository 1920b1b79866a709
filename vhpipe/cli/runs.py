"""`vhpipe runs`: the runs of a project, newest first."""

from datetime import UTC, datetime
from pathlib import Path

import click

from vhpipe.cli.columns import columns
from vhpipe.cli.reading import open_run
from vhpipe.cli.selecting import json_option, opened_project, project_option
from vhpipe.errors import EnvironmentFailure
from vhpipe.store.run_folder import RunFolder
from vhpipe.views.json_values import SCHEMA, json_text
from vhpipe.views.run_text import duration_text

HEADS = ("run", "pipeline", "status", "started", "duration", "title", "tags")


@click.command("runs", short_help="List the runs of a project.")
@click.option("-n", "count", type=click.IntRange(min=1), help="Only the newest so many.")
@project_option
@json_option
def command(count: int | None, project: Path, as_json: bool) -> int:
    """List the runs of a project, newest first."""
    newest_first = opened_project(project).runs()[::-1][:count]
    rows = [_described(folder) for folder in newest_first]
    if as_json:
        click.echo(json_text({"schema": SCHEMA, "runs": rows}))
    else:
        click.echo(columns(HEADS, [_cells(row) for row in rows], right=("run",)))
    return 0


def _described(folder: RunFolder) -> dict[str, object]:
    """What is known about a run. One that this version cannot read is listed all the same, with the reason."""
    known: dict[str, object] = dict.fromkeys(("pipeline", "title", "started", "duration_s"))
    known |= {"run": folder.number, "status": "unknown", "because": None, "tags": (), "awaiting": ()}
    try:
        info = folder.info()
        known |= {"pipeline": info.pipeline, "title": info.title, "tags": info.tags, "started": _iso(info.created_at)}
        view = open_run(folder).view
    except EnvironmentFailure as failure:
        return known | {"because": str(failure.message)}
    known |= {"status": str(view.status), "because": view.because}
    known |= {"awaiting": tuple(node.name for node in view.awaiting)}
    if view.started_at is not None:
        known |= {"started": _iso(view.started_at)}
        if view.ended_at is not None:
            known["duration_s"] = round(max(view.ended_at - view.started_at, 0.0), 3)
    return known


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    seconds, tags = row["duration_s"], row["tags"]
    return (
        str(row["run"]),
        str(row["pipeline"] or ""),
        f"{row['status']}, awaits approval" if row["awaiting"] else str(row["status"]),
        str(row["started"] or "").replace("T", " ")[:19],
        duration_text(seconds) if isinstance(seconds, float) else "",
        str(row["title"] or ""),
        ", ".join(tags) if isinstance(tags, tuple) else "",
    )


def _iso(at: float) -> str:
    """Local time with its offset, to the second."""
    return datetime.fromtimestamp(at, UTC).astimezone().isoformat(timespec="seconds")
