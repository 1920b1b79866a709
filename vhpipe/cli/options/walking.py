"""What every command that walks a run takes: how many at once, which Python, who answers, and what is said."""

from typing import TYPE_CHECKING, NamedTuple

import click

from vhpipe.cli.options.places import in_option
from vhpipe.cli.options.typed_options import typed_options

if TYPE_CHECKING:
    from vhpipe.cli.terminal.approval_prompt import Mode
    from vhpipe.plan.container_settings import PullPolicy
    from vhpipe.settings.run import RunSettings
    from vhpipe.store.run_folder import EnvironmentMode


class ApprovalRule(NamedTuple):
    """Who answers where an action requires approval; a timeout of None: nobody is refused for being late."""

    answer: "Mode"
    timeout_s: float | None


class WatchOptions(NamedTuple):
    """How a run is walked and watched; None where settings say it. `approval_timeout` is in seconds."""

    jobs: int | None = None
    is_detached: bool = False
    approval: "Mode | None" = None
    approval_timeout: float | None = None
    python: str | None = None
    slots: str | None = None
    places: tuple[str, ...] = ()
    pull: "PullPolicy | None" = None
    as_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False
    environments: "EnvironmentMode | None" = None

    def approval_rule(self, settings: "RunSettings") -> ApprovalRule:
        """What counts for approvals: what was typed, else what settings say."""
        timeout_s = settings.approval_timeout_s if self.approval_timeout is None else self.approval_timeout
        return ApprovalRule(self.approval or settings.approval, timeout_s)


def _in_one_text(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> str | None:
    """What was typed bit by bit; None where nothing was."""
    return ",".join(texts) if texts else None


watch_options = typed_options(
    "watch",
    WatchOptions,
    click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N",
                 help="Executions at once; the number of cores if not given."),
    click.option("--slots", metavar="NAME=N,…", multiple=True, callback=_in_one_text,
                 help="What executions share, such as gpu=2,mem=32G,cpu=8: each waits for what its `resources` ask "
                 "for. `gpu=shared` has all see all GPUs."),
    click.option("-d", "--detach", "is_detached", is_flag=True,
                 help="Continue in the background and print the number of the run."),
    click.option("--approval", type=click.Choice(("wait", "reject", "approve")),
                 help="What to answer where an action requires approval; wait if not given."),
    click.option("--approval-timeout", type=click.FloatRange(min=0), metavar="SECONDS",
                 help="Reject what nobody has approved after this time."),
    click.option("--python", "python", metavar="DIR|FILE", help="The Python environment that steps see."),
    in_option,
    click.option("--pull", type=click.Choice(("missing", "always", "never")),
                 help="When images of containers are pulled; missing if not given."),
    click.option("--env", "environments", type=click.Choice(("auto", "requirements", "none")),
                 help="Which steps get a Python environment of their own: those that install packages (auto), "
                 "also the others with what the project requires, or none."),
    click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON object when it has ended."),
    click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Print only what failed and how it ended."),
    click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Print more."),
)  # fmt: skip
