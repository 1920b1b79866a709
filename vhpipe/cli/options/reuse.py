"""The options about reuse of `vhpipe run`, and what they make of a plan."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vhpipe.plan.model import Plan

OPTIONS = (
    click.option("--reuse", "reuse", multiple=True, metavar="[=NODE]",
                 help="Take results of equal executions, of all nodes or of one; repeat it for several."),
    click.option("--no-reuse", "no_reuse", multiple=True, metavar="[=NODE]",
                 help="Run everything, or one node, whatever the file says about reuse."),
    click.option("--refresh", "refresh", multiple=True, metavar="NODE",
                 help="Run this node again although it could be reused; what follows goes by contents."),
)  # fmt: skip


class ReuseCommand(click.Command):
    """A command whose `--reuse` takes a value after `=` only: what follows it is another argument, such as the file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _all_where_none_is_named(args))


def _all_where_none_is_named(words: Sequence[str]) -> list[str]:
    end = list(words).index("--") if "--" in words else len(words)
    named = [f"{word}=" if word in ("--reuse", "--no-reuse") else word for word in words[:end]]
    return [*named, *words[end:]]


def reuse_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def as_asked(plan: "Plan", options: Mapping[str, Any]) -> "Plan":
    """The plan with reuse as the command line wants it. Errors: UsageError, also for unknown nodes of --refresh."""
    from vhpipe.plan.reuse_policy import refuse_unreusable, with_reuse

    for name in options["refresh"]:
        refuse_unreusable(plan, name)
    return with_reuse(plan, options["reuse"], options["no_reuse"], _why_off(options))


def _why_off(options: Mapping[str, Any]) -> str | None:
    """Why no result of this run or for it can be known to be equal. Source: decisions 25 and 57."""
    if options["inherit"]:
        return "with --inherit-env steps may depend on any variable"
    if options["repository"] == "in-place":
        return "with --repository in-place steps may depend on any file, and change it"
    return None
