"""RUN, --project and --json: what the commands take that look at runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

project_option = click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    help="The folder of the project; the current folder if not given.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def run_argument(command: Command) -> Command:
    """RUN: a number, or `latest` where there is one and nothing is said."""
    return click.argument("selector", metavar="[RUN]", default="latest", required=False)(command)


def required_run_argument(command: Command) -> Command:
    return click.argument("selector", metavar="RUN")(command)
