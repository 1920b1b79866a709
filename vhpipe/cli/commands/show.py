"""`vhpipe show RUN`: one run, node by node."""

from pathlib import Path

import click

from vhpipe.cli.options.run_selection import json_option, project_option, run_argument
from vhpipe.project.log_paths import details_of
from vhpipe.project.open_run import open_run
from vhpipe.project.run_commands import commands_from_here
from vhpipe.project.selectors import opened_project
from vhpipe.views.json_values import json_text
from vhpipe.views.run_json import run_json
from vhpipe.views.run_summary import summary
from vhpipe.views.safe_text import one_line


@click.command("show", short_help="Show one run.")
@run_argument
@project_option
@json_option
def command(selector: str, project: Path, as_json: bool) -> int:
    """Show one run, the latest if RUN is not given: its nodes, what failed and why."""
    folder = opened_project(project).run(selector)
    run = open_run(folder)
    info = folder.info()

    details = details_of(folder, info)
    if as_json:
        click.echo(json_text(run_json(run.view, details)))
        return 0
    if info.title:
        click.echo(f"title: {one_line(info.title)}")
    if info.pipeline_version:
        click.echo(f"version: {one_line(info.pipeline_version)}")
    if info.tags:
        click.echo(f"tags: {one_line(', '.join(info.tags))}")
    if info.continues is not None:
        click.echo(f"continues run {info.continues}")
    for line in summary(run.view, details, commands_from_here(project)):
        click.echo(line)
    return 0
