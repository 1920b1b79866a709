"""--reuse, --no-reuse and --refresh: which results of equal executions are taken."""

from collections.abc import Sequence

import click

from vhpipe.cli.options.help_groups import GroupedCommand
from vhpipe.cli.options.typed_options import typed_options
from vhpipe.project.request import ReuseNames

reuse_options = typed_options(
    "reuse",
    ReuseNames,
    click.option("--reuse", "reuse", multiple=True, metavar="[=NODE]",
                 help="Reuse the results of equal executions, for all nodes or for one; repeat it for several."),
    click.option("--no-reuse", "no_reuse", multiple=True, metavar="[=NODE]",
                 help="Run everything, or one node, whatever the file says about reuse."),
    click.option("--refresh", "refresh", multiple=True, metavar="NODE",
                 help="Run this node again even if it could be reused; what follows is compared by content."),
)  # fmt: skip


class ReuseCommand(GroupedCommand):
    """A command whose `--reuse` takes a value after `=` only: what follows it is another argument, such as the file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _all_where_none_is_named(args))


def _all_where_none_is_named(words: Sequence[str]) -> list[str]:
    end = list(words).index("--") if "--" in words else len(words)
    named = [f"{word}=" if word in ("--reuse", "--no-reuse") else word for word in words[:end]]
    return [*named, *words[end:]]
