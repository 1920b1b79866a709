"""--in: where executions run."""

import click

in_option = click.option(
    "--in",
    "places",
    metavar="[NODE=]PLACE",
    multiple=True,
    help="Where executions run: local (the default), process, sandbox, docker, podman, or auto for the first of podman "
    "and docker that answers; with NODE= for one node, repeat it for several.",
)
