"""--sweep, --sets, --search, --count, --metric and --target: what varies, and how it is searched."""

import click

from vhpipe.cli.options.typed_options import typed_options
from vhpipe.project.sweeps import SweepTexts

sweep_options = typed_options(
    "sweeps",
    SweepTexts,
    click.option("--sweep", "ranges", metavar="[NODE.]NAME=VALUES", multiple=True,
                 help="Vary a parameter: `0.1,0.01`, `linear:START:END:STEP`, `log:START:END:COUNT` or "
                 "`random:MIN:MAX`. An execution node becomes a task."),
    click.option("--sets", "set_files", metavar="[NODE=]FILE", multiple=True,
                 help="Parameter sets, one for each execution: .csv with a header, .json, .jsonl or .yaml."),
    click.option("--search", type=click.Choice(("grid", "random", "bayesian", "manual")),
                 help="How to try what varies; if not given, a grid, or random where there is a range."),
    click.option("--count", "tries", type=click.IntRange(min=1), metavar="N",
                 help="How many executions a random or bayesian search tries."),
    click.option("--metric", metavar="KEY", help="The metric that a bayesian search looks at."),
    click.option("--target", type=float, metavar="VALUE", help="The value that the metric should come close to."),
)  # fmt: skip
