"""What `vhpipe run` takes beside the arguments of its pipeline, and all of it as one value."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.cli.options.run_selection import state_option
from vhpipe.cli.options.typed_options import typed_options

if TYPE_CHECKING:
    from vhpipe.store.run_folder import Repository


class RunOptions(NamedTuple):
    """What runs, where its code is, and how the run is called; None where settings say it."""

    step: str | None = None
    task: str | None = None
    queues: tuple[str, ...] = ()
    configuration: tuple[str, ...] = ()
    goal: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    inherits_environment: bool | None = None
    repository: "Repository | None" = None
    network: bool | None = None
    project: Path | None = None
    mounts: tuple[str, ...] = ()
    allows_mounts: bool = False


run_options = typed_options(
    "run",
    RunOptions,
    click.option("--step", metavar="NAME", help="Run one step instead of a pipeline."),
    click.option("--task", metavar="NAME", help="Run one task (blueprint) instead of a pipeline."),
    click.option("--queue", "queues", multiple=True, metavar="NAME=N",
                 help="How many executions of a queue may run at once: one that the extension names, or an environment "
                 "of the platform; repeat it for several."),
    click.option("--config", "configuration", multiple=True, metavar="NAME=FILE|NAME.KEY=VALUE",
                 help="A configuration object for all executions, or a value in one; repeat it for several."),
    click.option("--goal", type=click.Choice(("max", "min")),
                 help="What a bayesian search without a target value looks for in its metric."),
    click.option("--title", help="A title for the run."),
    click.option("--tag", "tags", multiple=True, help="A tag for the run; repeat it for several."),
    click.option("--inherit-env/--no-inherit-env", "inherits_environment", default=None,
                 help="Give steps all environment variables."),
    click.option("--repository", type=click.Choice(("copy", "link", "in-place")),
                 help="What steps work in: a copy of the code (the default), read-only links, or the project itself."),
    click.option("--network/--no-network", default=None,
                 help="Whether steps reach the network; the sandbox and containers can keep them from it."),
    click.option("--project", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                 help="The folder of the code; that of FILE if not given."),
    click.option("--mount", "mounts", multiple=True, metavar="SOURCE=FOLDER",
                 help="The folder of this machine to mount in place of a source that steps name; repeat it for "
                 "several."),
    click.option("--allow-mounts", "allows_mounts", is_flag=True,
                 help="Let steps mount folders outside of the project and your home folder."),
    state_option,
)  # fmt: skip
