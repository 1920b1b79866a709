"""What every command that walks a run takes: how many at once, which Python, who answers, and what is said."""

from typing import Any

import click

OPTIONS = (
    click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N",
                 help="Executions at once; the number of cores if not given."),
    click.option("-d", "--detach", is_flag=True, help="Go on in the background and print the number of the run."),
    click.option("--approval", type=click.Choice(("wait", "reject", "approve")), default="wait", show_default=True,
                 help="What to answer where an action requires approval."),
    click.option("--approval-timeout", type=click.FloatRange(min=0), metavar="SECONDS",
                 help="Reject what nobody has approved after so long."),
    click.option("--python", "python", metavar="DIR|FILE", help="The Python environment that steps see."),
    click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON object when it has ended."),
    click.option("-q", "--quiet", is_flag=True, help="Say only what failed and how it ended."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
)  # fmt: skip


def watch_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command
