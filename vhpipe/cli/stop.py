"""`vhpipe stop RUN`: stop a run."""

from pathlib import Path

import click

from vhpipe.cli.asking import who
from vhpipe.cli.reading import open_run
from vhpipe.cli.selecting import opened_project, project_option, run_argument
from vhpipe.store.requests import write_request


@click.command("stop", short_help="Stop a run.")
@run_argument
@project_option
def command(selector: str, project: Path) -> int:
    """Ask a run to stop, the latest if RUN is not given. Its processes get 10 seconds to end.

    It returns at once; `vhpipe wait RUN` waits for the end. A run that has ended already is no error.
    """
    run = open_run(opened_project(project).run(selector))
    number, view = run.view.number, run.view
    if view.is_abandoned:
        click.echo(f"run {number} is not running: {view.because}", err=True)
        return 1
    if view.has_ended:
        click.echo(f"run {number} has ended already: {view.status}", err=True)
        return 0
    write_request(run.folder, "stop", by=who())
    click.echo(f"asked run {number} to stop", err=True)
    return 0
