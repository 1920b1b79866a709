"""What every command that walks a run takes: how many at once, which Python, who answers, and what is said."""

from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.cli.options.typed_options import typed_options

if TYPE_CHECKING:
    from vhpipe.cli.terminal.approval_prompt import Mode


class WatchOptions(NamedTuple):
    """How a run is walked and watched. `jobs` None: as many as there are cores."""

    jobs: int | None = None
    is_detached: bool = False
    approval: "Mode" = "wait"
    approval_timeout: float | None = None
    python: str | None = None
    as_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False


watch_options = typed_options(
    "watch",
    WatchOptions,
    click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N",
                 help="Executions at once; the number of cores if not given."),
    click.option("-d", "--detach", "is_detached", is_flag=True,
                 help="Go on in the background and print the number of the run."),
    click.option("--approval", type=click.Choice(("wait", "reject", "approve")), default="wait", show_default=True,
                 help="What to answer where an action requires approval."),
    click.option("--approval-timeout", type=click.FloatRange(min=0), metavar="SECONDS",
                 help="Reject what nobody has approved after so long."),
    click.option("--python", "python", metavar="DIR|FILE", help="The Python environment that steps see."),
    click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON object when it has ended."),
    click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Say only what failed and how it ended."),
    click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Say more."),
)  # fmt: skip
