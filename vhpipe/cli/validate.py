"""`vhpipe validate`: says what is wrong with files, on stdout; how much it is, on stderr."""

import os
import sys

import click

from vhpipe.cli.loading import DEFAULT_FILE, LoadedFile, load_file
from vhpipe.diagnostics import Diagnostic, has_errors
from vhpipe.views.summary import render_summary


@click.command(name="validate", help="Say what is wrong with each of FILES (default: ./valohai.yaml; - is stdin).")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option(
    "--format",
    "style",
    type=click.Choice(["full", "concise"]),
    default="full",
    show_default=True,
    help="With the lines of the file, or one line for each finding.",
)
def command(files: tuple[str, ...], style: str) -> int:
    names = files or (DEFAULT_FILE,)
    color = _wants_color()
    found: list[Diagnostic] = []
    for loaded in map(load_file, dict.fromkeys(names)):
        if found and loaded.diagnostics and style == "full":
            click.echo()
        if loaded.diagnostics:
            click.echo(_rendered(loaded, style, color), nl=False, color=color)
        found += loaded.diagnostics
    click.echo(render_summary(found, tuple(dict.fromkeys(names))), err=True)
    return 1 if has_errors(tuple(found)) else 0


def _rendered(loaded: LoadedFile, style: str, color: bool) -> str:
    from vhpipe.views.report import render_concise, render_full  # a good file needs neither

    render = render_full if style == "full" else render_concise
    return render(loaded.source, loaded.diagnostics, color)


def _wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
