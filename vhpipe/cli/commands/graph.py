"""`vhpipe graph`: what depends on what, as a drawing."""

import click

from vhpipe.cli.options.file_and_pipeline import chosen_file, file_and_pipeline_arguments
from vhpipe.diagnostics import has_errors
from vhpipe.graph.draw import FORMATS, draw
from vhpipe.project.typed_names import pick_pipeline


@click.command(name="graph")
@file_and_pipeline_arguments
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
              help="What to draw with.")  # fmt: skip
def command(words: tuple[str, ...], format_: str) -> None:
    """Draw what depends on what in a pipeline; what is wrong in it is marked.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    """
    from vhpipe.project.checked_file import AskedPart, check_path

    file, name = chosen_file(words)
    loaded = check_path(file)
    if has_errors(loaded.findings):
        from vhpipe.project.asked_part import faulty_part

        faulty = faulty_part(loaded, AskedPart(name))
        click.echo(draw(faulty.graph, format_, faulty.marks))
        return
    pipeline = pick_pipeline(loaded.config, name)
    graph = loaded.graphs[loaded.config.pipelines.index(pipeline)]
    click.echo(draw(graph, format_))
