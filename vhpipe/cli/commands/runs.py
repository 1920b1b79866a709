"""`vhpipe runs`: the runs of a project, newest first."""

from datetime import UTC, datetime
from pathlib import Path

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.cli.terminal.columns import columns
from vhpipe.project.run_listing import RunRow, listed_runs
from vhpipe.project.selectors import opened_project
from vhpipe.views.json_values import SCHEMA, json_text
from vhpipe.views.run_text import duration_text

HEADS = ("run", "pipeline", "status", "started", "duration", "title", "tags")


@click.command("runs", short_help="List the runs of a project.")
@click.option("-n", "count", type=click.IntRange(min=1), help="Show only this many of the newest runs.")
@project_option
@json_option
def command(count: int | None, project: Path, as_json: bool) -> int:
    """List the runs of a project, newest first."""
    rows = listed_runs(opened_project(project), count)
    if as_json:
        click.echo(json_text({"schema": SCHEMA, "runs": [_json(row) for row in rows]}))
    else:
        click.echo(columns(HEADS, [_cells(row) for row in rows], right=("run",)))
    return 0


def _json(row: RunRow) -> dict[str, object]:
    return {
        "pipeline": row.pipeline,
        "version": row.version,
        "title": row.title,
        "started": _start_text(row),
        "duration_s": _duration_s(row),
        "run": row.run,
        "status": row.status,
        "because": row.because,
        "tags": row.tags,
        "awaiting": row.awaiting,
    }


def _cells(row: RunRow) -> tuple[str, ...]:
    seconds = _duration_s(row)
    return (
        str(row.run),
        " ".join(filter(None, (row.pipeline, row.version))),
        f"{row.status}, awaits approval" if row.awaiting else row.status,
        (_start_text(row) or "").replace("T", " ")[:19],
        "" if seconds is None else duration_text(seconds),
        row.title or "",
        ", ".join(row.tags),
    )


def _duration_s(row: RunRow) -> float | None:
    if row.started_at is None or row.ended_at is None:
        return None
    return round(max(row.ended_at - row.started_at, 0.0), 3)


def _start_text(row: RunRow) -> str | None:
    """Local time with its offset, to the second."""
    at = row.created_at if row.started_at is None else row.started_at
    return None if at is None else datetime.fromtimestamp(at, UTC).astimezone().isoformat(timespec="seconds")
