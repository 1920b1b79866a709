"""`vhpipe clean`: remove old runs and what nothing needs any more."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.errors import RefusedError, UsageError
from vhpipe.project.selectors import opened_project
from vhpipe.store.project import ProjectStore

if TYPE_CHECKING:
    from vhpipe.store.cleaning import Removal
    from vhpipe.views.cleaning_text import Cleaning

KEPT = 10
DAY_S = 86400.0


@click.command("clean", short_help="Remove old runs and what is no longer needed.")
@click.option(
    "--keep", type=click.IntRange(min=0), metavar="N", help=f"Keep this many of the newest runs; {KEPT} if not given."
)
@click.option("--run", "selectors", multiple=True, metavar="RUN", help="Remove only this run; repeat it for several.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Remove only runs older than this; without --keep, all of them.",
)
@click.option("--cache-volumes", is_flag=True, help="Also remove the cache volumes of steps, if no run is running.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@project_option
@json_option
def command(
    keep: int | None, selectors: tuple[str, ...], older_than: float | None, cache_volumes: bool, dry_run: bool,
    project: Path, as_json: bool,
) -> int:  # fmt: skip
    """Remove old runs, idle working copies, and stored files that no run needs any more.

    Runs that are running stay, and so do runs of which a newer one has results. Deployment versions are kept.
    """
    from vhpipe.store.cleaning import Removal, remove_garbage
    from vhpipe.store.garbage import CleaningChoice, find_garbage, measure

    store = opened_project(project)
    if selectors and (keep is not None or older_than is not None):
        raise UsageError("--run excludes --keep and --older-than", "name the runs, or say which to keep")
    if selectors:
        choice = CleaningChoice(named=_run_numbers(store, selectors))
    else:
        choice = CleaningChoice(
            (0 if older_than is not None else KEPT) if keep is None else keep, (older_than or 0) * DAY_S
        )
    choice = choice._replace(cache_volumes=cache_volumes)
    if dry_run:
        garbage = find_garbage(store, choice, time.time())
        removed = Removal(garbage, measure(store, garbage))
    else:
        from vhpipe.engine.left_containers import end_left_containers

        failures = end_left_containers(store)
        removed = remove_garbage(store, choice)
        removed = removed._replace(failures=(*failures, *removed.failures))
    _say(store, removed, dry_run, as_json)
    return 4 if removed.failures else 0


def _run_numbers(store: ProjectStore, selectors: tuple[str, ...]) -> tuple[int, ...]:
    """The numbers of the runs. Errors: UsageError for one that is not there, RefusedError for one that is running."""
    runs = [store.run(selector) for selector in selectors]
    for run in runs:
        if run.is_alive():
            raise RefusedError(f"run {run.number} is running", hint=f"stop it first: vhpipe stop {run.number}")
    return tuple(sorted({run.number for run in runs}))


def _say(store: ProjectStore, removed: "Removal", is_dry: bool, as_json: bool) -> None:
    from vhpipe.views.cleaning_text import cleaning_text
    from vhpipe.views.json_values import SCHEMA, json_text
    from vhpipe.views.safe_text import brief

    cleaning = _cleaning_counts(store, removed)
    if as_json:
        pairs = {name: [{"run": run, "for": other} for run, other in found] for name, found in
                 (("spared", cleaning.spared), ("missed", cleaning.missed))}  # fmt: skip
        shown = {"schema": SCHEMA, "dry_run": is_dry, **cleaning._asdict(), **pairs, "failures": removed.failures}
        click.echo(json_text(shown))
    else:
        for line in cleaning_text(cleaning, is_dry):
            click.echo(line)
    for failure in removed.failures:
        click.echo(brief(failure), err=True)


def _cleaning_counts(store: ProjectStore, removed: "Removal") -> "Cleaning":
    from vhpipe.store.cache_volumes import cache_volumes
    from vhpipe.views.cleaning_text import Cleaning

    garbage = removed.garbage
    kept = [each for each in cache_volumes(store.root) if each.path not in garbage.volumes]
    return Cleaning(
        runs=garbage.runs,
        spared=garbage.spared,
        missed=garbage.missed,
        alive=garbage.alive,
        slots=len(garbage.slots),
        blobs=len(garbage.blobs),
        reuse_entries=len(garbage.reuse_entries),
        leftovers=len(garbage.leftovers) + len(garbage.unborn),
        looked_at_blobs=garbage.is_complete,
        freed_bytes=removed.freed_bytes,
        volumes=len(garbage.volumes),
        kept_volumes=len(kept),
        kept_volumes_bytes=sum(each.size_bytes for each in kept),
    )
