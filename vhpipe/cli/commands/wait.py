"""`vhpipe wait RUN`: wait until a run has ended, and end as it did."""

import time
from pathlib import Path

import click

from vhpipe.cli.options.run_selection import project_option, run_argument
from vhpipe.project.open_run import OpenRun, open_run
from vhpipe.project.run_commands import commands_from_here
from vhpipe.project.selectors import opened_project
from vhpipe.schedule.terms import Status
from vhpipe.views.lines import end_text
from vhpipe.views.next_step import next_step

PAUSE_S = 0.1
CRASHED = 4
"""What ended the run was its surroundings and nothing in it."""


@click.command("wait", short_help="Wait until a run has ended, and exit as it did.")
@run_argument
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Give up after this time.")
@project_option
def command(selector: str, timeout: float | None, project: Path) -> int:
    """Wait until a run has ended, the latest if RUN is not given.

    The exit code is 0 if the run is complete or its own pipeline stopped it, 4 if its engine was killed, else 1; also
    if the time was up.
    """
    run = open_run(opened_project(project).run(selector))
    if not _wait(run, timeout):
        click.echo(f"run {run.view.number} is still running after {timeout:g} s", err=True)
        return 1
    click.echo(f"run {run.view.number} {end_text(run.view)}", err=True)
    if (step := next_step(run.view, commands_from_here(project))) is not None:
        click.echo(step, err=True)
    return CRASHED if run.view.status is Status.CRASHED else run.view.exit_code


def _wait(run: OpenRun, timeout_s: float | None) -> bool:
    """Whether the run has ended within the time."""
    deadline = time.monotonic() + (float("inf") if timeout_s is None else timeout_s)
    while not run.view.has_ended:
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_S)
        run.refresh()
    return True
