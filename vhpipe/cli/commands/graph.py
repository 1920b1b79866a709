"""`vhpipe graph`: what depends on what, as a drawing."""

import click

from vhpipe.cli.options.file_and_pipeline import chosen_file, file_and_pipeline_arguments
from vhpipe.graph.draw import FORMATS, draw
from vhpipe.project.typed_names import pick_pipeline


@click.command(name="graph")
@file_and_pipeline_arguments
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
              help="What to draw with.")  # fmt: skip
def command(words: tuple[str, ...], format_: str) -> None:
    """Draw what depends on what in a pipeline.

    FILE is ./valohai.yaml if not given; a pipeline need not be named where there is only one.
    """
    from vhpipe.project.checked_file import load_file, refuse_errors

    file, name = chosen_file(words)
    loaded = load_file(file)
    refuse_errors(loaded)
    pipeline = pick_pipeline(loaded.config, name)
    graph = loaded.graphs[loaded.config.pipelines.index(pipeline)]
    click.echo(draw(graph, format_))
