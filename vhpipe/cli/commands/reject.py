"""`vhpipe reject RUN NODE`: refuse the approval that a run waits for."""

from pathlib import Path

import click

from vhpipe.cli.options.run_selection import project_option, required_run_argument
from vhpipe.project.answer_request import answer_approval
from vhpipe.project.open_run import open_run
from vhpipe.project.selectors import opened_project


@click.command("reject", short_help="Refuse the approval that a run waits for.")
@required_run_argument
@click.argument("node")
@project_option
def command(selector: str, node: str, project: Path) -> int:
    """Refuse the approval that NODE waits for: the run stops."""
    run = open_run(opened_project(project).run(selector))
    click.echo(answer_approval(run, node, "reject"), err=True)
    return 0
