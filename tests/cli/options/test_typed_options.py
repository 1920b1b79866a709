"""Options of click as one typed value."""

from typing import NamedTuple

import click
from click.testing import CliRunner

from vhpipe.cli.options.typed_options import typed_options


class Shape(NamedTuple):
    width: int = 1
    is_round: bool = False
    name: str = "no option gives it"


shape_options = typed_options(
    "shape",
    Shape,
    click.option("--width", type=int, default=2, help="First."),
    click.option("--round", "is_round", is_flag=True, help="Second."),
)
color_options = typed_options(
    "color", NamedTuple("Color", [("red", tuple[int, ...])]), click.option("--red", type=int, multiple=True)
)


@click.command()
@shape_options
@color_options
@click.option("--plain")
def draw(shape: Shape, color: tuple[tuple[int, ...]], plain: str | None) -> None:
    click.echo(f"{shape} {color[0]} {plain}")


def test_a_command_gets_each_group_as_one_value() -> None:
    done = CliRunner().invoke(draw, ["--round", "--red", "1", "--red", "2", "--plain", "x"])
    assert done.output == "Shape(width=2, is_round=True, name='no option gives it') (1, 2) x\n"


def test_the_help_lists_the_options_in_order() -> None:
    lines = CliRunner().invoke(draw, ["--help"]).output.split("Options:")[1].splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == ["--width", "--round", "--red", "--plain", "--help"]
