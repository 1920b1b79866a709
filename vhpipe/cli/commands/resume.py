"""`vhpipe resume [RUN]`: go on with a run that was killed or stopped, or ask for it again with changes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.environment import environment_options
from vhpipe.cli.options.help_groups import GroupedCommand
from vhpipe.cli.options.run_selection import project_option, run_argument
from vhpipe.cli.options.typed_options import typed_options
from vhpipe.cli.options.walking import WatchOptions, watch_options
from vhpipe.project.changes import Changes, order_with_changes
from vhpipe.project.resume import hold, resume_run
from vhpipe.project.run_conditions import RunChoices
from vhpipe.project.selectors import opened_project
from vhpipe.project.user_variables import VariableTexts

if TYPE_CHECKING:
    from vhpipe.cli.terminal.failures import Concealment
    from vhpipe.engine.order import LockedRun

change_options = typed_options(
    "changes",
    Changes,
    click.option("--with-changes", is_flag=True,
                 help="A new run with the code and the file as they are now; what is complete and would be made the "
                 "same is kept."),
    click.option("-p", "parameters", metavar="[NODE.]NAME=VALUE", multiple=True,
                 help="A new run with another parameter; what depends on it runs again."),
    click.option("-i", "inputs", metavar="NODE.INPUT=URI", multiple=True,
                 help="A new run with another input; repeat it for several."),
    click.option("--from", "start", metavar="NODE", multiple=True,
                 help="A new run in which this node, or `node#3` of a task, and all that follows run again."),
    click.option("--failed", is_flag=True, help="A new run of what is not complete or has failed, and what follows."),
)  # fmt: skip


@click.command("resume", cls=GroupedCommand, short_help="Continue a run that was killed or stopped.")
@run_argument
@project_option
@environment_options
@change_options
@watch_options
def command(
    selector: str, project: Path, variables: VariableTexts, changes: Changes, watch: WatchOptions
) -> int:  # fmt: skip
    """Go on with a run that was killed or stopped, the latest if RUN is not given.

    It goes on with its own plan and its own code; nothing that is complete starts again. With --with-changes, -p, -i,
    --from or --failed it is a new run that takes over what is complete.
    """
    from vhpipe.cli.commands.walk import announce, begin_run, walk_run

    def begin(concealment: "Concealment") -> "LockedRun":
        store = opened_project(project)
        run = store.run(selector)
        choices = RunChoices(
            watch.jobs, watch.python, words=tuple(sys.argv[1:]), places=watch.places, slots=watch.slots,
            pull=watch.pull, shows_pulls=not watch.is_quiet, environments=watch.environments,
        )  # fmt: skip
        if any(changes):
            with hold(run):
                ordered = order_with_changes(store, run, changes, variables, choices, concealment.learn)
                return begin_run(ordered, watch)
        resumed = resume_run(store, run, variables, choices, concealment.learn)
        announce(resumed.remarks, resumed.warnings, watch)
        return resumed.locked

    return walk_run(begin, watch)
