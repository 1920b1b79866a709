"""`vhpipe run`: run a pipeline, a step or a task of a valohai.yaml on this machine, to its end."""

from pathlib import Path
from typing import Any

import click

from vhpipe.cli.commands.dry_run import dry_run, dry_run_option
from vhpipe.cli.options.arguments import argument_options, chosen_file, file_and_pipeline_arguments
from vhpipe.cli.options.environment import environment_options
from vhpipe.cli.options.reuse import ReuseCommand, reuse_options
from vhpipe.cli.options.sweep import sweep_options
from vhpipe.cli.options.walking import watch_options
from vhpipe.project.partial_run import part_options

OPTIONS = (
    click.option("--step", metavar="NAME", help="Run one step instead of a pipeline."),
    click.option("--task", metavar="NAME", help="Run one task (blueprint) instead of a pipeline."),
    click.option("--queue", "queue_sizes", multiple=True, metavar="NAME=N",
                 help="Executions at once of all nodes in a queue of the extension; repeat it for several."),
    click.option("--config", "configuration", multiple=True, metavar="NAME=FILE|NAME.KEY=VALUE",
                 help="A configuration object for all executions, or a value in one; repeat it for several."),
    click.option("--goal", type=click.Choice(("max", "min")),
                 help="What a bayesian search without a target value looks for in its metric."),
    click.option("--title", help="A title for the run."),
    click.option("--tag", "tags", multiple=True, help="A tag for the run; repeat it for several."),
    click.option("--inherit-env/--no-inherit-env", "inherit", help="Give steps all environment variables."),
    click.option("--repository", type=click.Choice(("copy", "link", "in-place")), default="copy", show_default=True,
                 help="What steps work in: a copy of the code, read-only links, or the project itself."),
    click.option("--project", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                 help="The folder of the code; that of FILE if not given."),
)  # fmt: skip


def run_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command(name="run", cls=ReuseCommand)
@file_and_pipeline_arguments
@argument_options
@environment_options
@part_options
@reuse_options
@sweep_options
@run_options
@watch_options
@dry_run_option
def command(words: tuple[str, ...], detach: bool, is_dry: bool, **options: Any) -> int:
    """Run a pipeline, a step or a task on this machine.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    The exit code is 0 if the run is complete, 1 if it is not, 2 if it could not start.
    """
    from vhpipe.cli.commands.walk import begin_new, project_of, run_attached, run_detached
    from vhpipe.cli.options.standing import settled_for_run

    options = settled_for_run(options, project_of(chosen_file(words)[0], options["project"]))
    if is_dry:
        return dry_run(words, options)

    return (run_detached if detach else run_attached)(lambda: begin_new(words, options), options)
