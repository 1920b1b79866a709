"""-e, --env-file and --secret: the user's environment variables for all steps."""

import click

from vhpipe.cli.options.typed_options import typed_options
from vhpipe.project.user_variables import VariableTexts

environment_options = typed_options(
    "variables",
    VariableTexts,
    click.option("-e", "assignments", metavar="NAME[=VALUE]", multiple=True,
                 help="An environment variable for all steps; without a value, it has the caller's."),
    click.option("--env-file", "files", metavar="FILE", multiple=True,
                 help="A file of NAME=value lines; -e overrides it."),
    click.option("--secret", "secret_names", metavar="NAME", multiple=True,
                 help="Hide the value of this variable; names such as HF_TOKEN are hidden anyway."),
)  # fmt: skip
