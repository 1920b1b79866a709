"""--only, --from, --until and --exclude: which part of a pipeline runs."""

import click

from vhpipe.cli.options.typed_options import typed_options
from vhpipe.plan.partial_run import Selectors

part_options = typed_options(
    "part",
    Selectors,
    click.option("--only", metavar="NODE", multiple=True,
                 help="Run a part: `node`, `+node` with all before it, `node+` with all that follows, `node#3` one "
                 "execution of a task. The results that it needs come from the last run that has them."),
    click.option("--from", "start", metavar="NODE", multiple=True, help="Run a node and all that follows it."),
    click.option("--until", metavar="NODE", multiple=True, help="Run a node and all before it."),
    click.option("--exclude", metavar="NODE", multiple=True, help="Leave out a node."),
)  # fmt: skip
