"""`vhpipe run`: run a pipeline, a step or a task of a valohai.yaml on this machine, to its end."""

import sys
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.arguments import argument_options
from vhpipe.cli.options.environment import environment_options
from vhpipe.cli.options.file_and_pipeline import chosen_file, file_and_pipeline_arguments
from vhpipe.cli.options.parts import part_options
from vhpipe.cli.options.reuse import ReuseCommand, reuse_options
from vhpipe.cli.options.run import RunOptions, run_options
from vhpipe.cli.options.sweep import sweep_options
from vhpipe.cli.options.walking import WatchOptions, watch_options
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.plan.partial_run import Selectors
from vhpipe.project.order import OrderedRun, order_from_file
from vhpipe.project.request import ReuseNames, RunArguments, ValueTexts
from vhpipe.project.run_conditions import RunChoices
from vhpipe.project.sweeps import SweepTexts
from vhpipe.project.user_variables import VariableTexts

if TYPE_CHECKING:
    from vhpipe.cli.terminal.failures import Concealment


@click.command(name="run", cls=ReuseCommand)
@file_and_pipeline_arguments
@argument_options
@environment_options
@part_options
@reuse_options
@sweep_options
@run_options
@watch_options
@click.option("-n", "--dry-run", "is_dry", is_flag=True, help="Only say what would run or be reused, and why.")
def command(
    words: tuple[str, ...], values: ValueTexts, variables: VariableTexts, part: Selectors, reuse: ReuseNames,
    sweeps: SweepTexts, run: RunOptions, watch: WatchOptions, is_dry: bool,
) -> int:  # fmt: skip
    """Run a pipeline, a step or a task on this machine.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    The exit code is 0 if the run is complete, 1 if it is not, 2 if it could not start.
    """
    from vhpipe.cli.commands.walk import begin_run, exit_code_of, walk_run

    def ordered(concealment: "Concealment") -> OrderedRun:
        file, pipeline = _file_of(words, run)
        arguments = RunArguments(
            file, pipeline, run.step, run.task, values, {}, variables, sweeps, part, reuse, run.configuration,
            run.queues, run.goal, mounts=run.mounts, allows_mounts=run.allows_mounts,
        )  # fmt: skip
        choices = RunChoices(
            watch.jobs, watch.python, run.title, run.tags, run.repository, run.inherits_environment,
            tuple(sys.argv[1:]), places=watch.places, network=run.network, slots=watch.slots, pull=watch.pull,
            pulls_images=not is_dry, shows_pulls=not watch.is_quiet, environments=watch.environments,
        )  # fmt: skip
        return order_from_file(arguments, choices, run.project, concealment.learn)

    if is_dry:
        from vhpipe.cli.commands.dry_run import dry_run

        return exit_code_of(lambda concealment: dry_run(ordered(concealment), watch))
    return walk_run(lambda concealment: begin_run(ordered(concealment), watch), watch)


def _file_of(words: tuple[str, ...], run: RunOptions) -> tuple[str, str | None]:
    """The file and the pipeline; where no file is named, that of the project that is."""
    file, pipeline = chosen_file(words)
    if file not in words and run.project is not None:
        file = str(run.project / DEFAULT_FILE)
    return file, pipeline
