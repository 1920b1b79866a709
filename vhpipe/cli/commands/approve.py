"""`vhpipe approve RUN NODE`: let a run go on that waits for approval."""

from pathlib import Path

import click

from vhpipe.cli.options.run_selection import project_option, required_run_argument
from vhpipe.project.answer_request import answer_approval
from vhpipe.project.open_run import open_run
from vhpipe.project.selectors import opened_project


@click.command("approve", short_help="Let a run that waits for approval continue.")
@required_run_argument
@click.argument("node")
@project_option
def command(selector: str, node: str, project: Path) -> int:
    """Grant the approval that NODE waits for."""
    run = open_run(opened_project(project).run(selector))
    click.echo(answer_approval(run, node, "approve"), err=True)
    return 0
