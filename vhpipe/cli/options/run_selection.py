"""RUN, --project, --state and --json: what the commands take that look at runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _choose_state(context: click.Context, parameter: click.Parameter, folder: str | None) -> None:
    """What is chosen counts for this command line alone."""
    if folder is None:
        return
    from vhpipe.store.state_place import choose_state

    choose_state(folder)
    context.call_on_close(lambda: choose_state(None))


state_option = click.option(
    "--state",
    type=click.Path(file_okay=False),
    metavar="DIR",
    callback=_choose_state,
    expose_value=False,
    help="The folder where the state of the project is; `.vhpipe` in the project if not given.",
)


def project_option(command: Command) -> Command:
    """--project, and --state, which may be elsewhere."""
    folder = click.option(
        "--project",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("."),
        help="The folder of the project; the current folder if not given.",
    )
    return folder(state_option(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def run_argument(command: Command) -> Command:
    """RUN: a number, or `latest` where there is one and nothing is said."""
    return click.argument("selector", metavar="[RUN]", default="latest", required=False)(command)


def required_run_argument(command: Command) -> Command:
    return click.argument("selector", metavar="RUN")(command)
