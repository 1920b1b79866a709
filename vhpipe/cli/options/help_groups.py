"""The groups in which the help of a command with many options lists them."""

from collections.abc import Iterator

import click

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What runs", ("--step", "--task", "--only", "--from", "--until", "--exclude", "--failed", "--with-changes",
                   "--project")),
    ("Parameters, inputs, variables", ("-p", "-P", "-i", "--on-collision", "--config", "-e", "--env-file", "--secret",
                                       "--inherit-env")),
    ("Sweeps", ("--sweep", "--sets", "--search", "--count", "--metric", "--goal", "--target", "--seed")),
    ("Results of earlier runs", ("--reuse", "--no-reuse", "--refresh")),
    ("Where steps run", ("--in", "--python", "--env", "--repository", "--network", "--mount", "--allow-mounts",
                         "--pull")),
    ("How many at once", ("--jobs", "--slots", "--queue")),
    ("The run", ("--title", "--tag", "--detach", "--approval", "--approval-timeout", "--state")),
    ("What is printed", ("--dry-run", "--json", "--quiet", "--verbose", "--help")),
)  # fmt: skip
OTHERS = "Options"
_PLACES = {name: (title, place) for title, names in GROUPS for place, name in enumerate(names)}


class GroupedCommand(click.Command):
    """A command whose help has its options by groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [
            (group_of(each), each.get_help_record(ctx))
            for each in self.get_params(ctx)
            if isinstance(each, click.Option)
        ]
        for title in (*(title for title, _ in GROUPS), OTHERS):
            rows = [(place, record) for (group, place), record in records if group == title and record is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl([record for _, record in sorted(rows, key=lambda row: row[0])])


def group_of(parameter: click.Parameter) -> tuple[str, int]:
    """The title of an option's group, and where it stands in there."""
    return next(_groups_of(parameter), (OTHERS, 0))


def _groups_of(parameter: click.Parameter) -> Iterator[tuple[str, int]]:
    return (_PLACES[name] for name in parameter.opts if name in _PLACES)
