"""-p, -i, -P, --seed and --on-collision: what the parameters and inputs are."""

import click

from vhpipe.cli.options.typed_options import typed_options
from vhpipe.project.request import ValueTexts

argument_options = typed_options(
    "values",
    ValueTexts,
    click.option("-p", "parameters", metavar="[NODE.]NAME=VALUE", multiple=True,
                 help="A parameter of the pipeline or of a node; [a, b] is a list."),
    click.option("-i", "inputs", metavar="NODE.INPUT=URI", multiple=True,
                 help="A file or URI for an input; repeat it for several."),
    click.option("-P", "parameter_files", metavar="FILE", multiple=True,
                 help="A YAML file of parameters; -p overrides it."),
    click.option("--seed", type=int, default=0, show_default=True, help="The seed of random searches."),
    click.option("--on-collision", type=click.Choice(("last", "first", "keep-all", "error")), default="last",
                 show_default=True, help="Which file wins where two have the same name in an input: the one of the "
                 "last edge (within an edge the first), the first of all, all under new names, or none."),
)  # fmt: skip
