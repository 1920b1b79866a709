"""The help of commands with many options has them by groups."""

import click
import pytest
from click.testing import CliRunner

from vhpipe.cli.commands import resume, run
from vhpipe.cli.options.help_groups import GROUPS, OTHERS, group_of

TITLES = [title for title, _ in GROUPS]


@pytest.mark.parametrize("command", [run.command, resume.command], ids=["run", "resume"])
def test_every_option_is_in_a_group_and_in_the_help_once(command: click.Command) -> None:
    options = [each for each in command.get_params(click.Context(command)) if isinstance(each, click.Option)]
    assert [each.opts for each in options if group_of(each)[0] == OTHERS and "--help" not in each.opts] == []
    lines = CliRunner().invoke(command, ["--help"]).output.splitlines()
    assert [line.rstrip(":") for line in lines if line.rstrip(":") in TITLES] == [
        title for title in TITLES if any(group_of(each)[0] == title for each in options)
    ]
    starts = [line.split()[0].rstrip(",") for line in lines if line.startswith("  -")]
    assert len(starts) == len(set(starts)) == len(options)


def test_no_option_has_two_groups() -> None:
    names = [name for _, group in GROUPS for name in group]
    assert len(names) == len(set(names))
