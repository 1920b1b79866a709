"""`vhpipe stop RUN`: stop a run."""

from pathlib import Path

import click

from vhpipe.cli.options.run_selection import project_option, run_argument
from vhpipe.project.answer_request import who
from vhpipe.project.open_run import OpenRun, open_run
from vhpipe.project.run_commands import commands_from_here
from vhpipe.project.selectors import opened_project
from vhpipe.store.project import ProjectStore
from vhpipe.store.requests import write_request


@click.command("stop", short_help="Stop a run.")
@run_argument
@project_option
def command(selector: str, project: Path) -> int:
    """Ask a run to stop, the latest if RUN is not given. Its processes get 10 seconds to end.

    It returns at once; `vhpipe wait RUN` waits for the end. A run that has ended already is no error. One whose engine
    was killed is recorded as stopped, so that it no longer counts as crashed; it can be resumed all the same.
    """
    store = opened_project(project)
    run = open_run(store.run(selector))
    number = run.view.number
    if run.view.is_abandoned:
        _stop_dead(store, run)
        resume = commands_from_here(project).about(number, "resume")
        click.echo(
            f"run {number} no longer had an engine: it is now {run.view.status}; continue with {resume}", err=True
        )
    elif run.view.has_ended:
        click.echo(f"run {number} has already ended: {run.view.status}", err=True)
    else:
        write_request(run.folder, "stop", by=who())
        click.echo(f"asked run {number} to stop", err=True)
    return 0


def _stop_dead(store: ProjectStore, run: OpenRun) -> None:
    """Record the end that the engine could not, and have the view show it."""
    from vhpipe.engine.stopping import stop_dead_run
    from vhpipe.project.run_listing import remember_ended

    stop_dead_run(store, run.folder, f"stopped by {who()}")
    run.view = open_run(run.folder).view
    remember_ended(store, run.folder, run.view)
