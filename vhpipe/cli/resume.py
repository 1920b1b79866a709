"""`vhpipe resume [RUN]`: go on with a run that was killed or stopped, or ask for it again with changes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vhpipe.cli.selecting import opened_project, project_option, run_argument

if TYPE_CHECKING:
    from vhpipe.engine.start import Begun

OPTIONS = (
    click.option("--with-changes", is_flag=True,
                 help="A new run with the code and the file as they are now; what is complete and would be made the "
                 "same way is kept."),
    click.option("-p", "parameter_assignments", metavar="[NODE.]NAME=VALUE", multiple=True,
                 help="A new run with another parameter; what depends on it runs again."),
    click.option("-i", "input_assignments", metavar="NODE.INPUT=URI", multiple=True,
                 help="A new run with another input; repeat it for several."),
    click.option("--from", "start", metavar="NODE", multiple=True,
                 help="A new run in which this node, or `node#3` of a task, and all that follows run again."),
    click.option("--failed", is_flag=True, help="A new run of what is not complete or has failed, and what follows."),
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


def resume_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("resume", short_help="Go on with a run that was killed or stopped.")
@run_argument
@project_option
@resume_options
def command(selector: str, project: Path, detach: bool, **options: Any) -> int:
    """Go on with a run that was killed or stopped, the latest if RUN is not given.

    It goes on with its own plan and its own code; nothing that is complete starts again. With --with-changes, -p, -i,
    --from or --failed it is a new run that takes over what is complete.
    """
    from vhpipe.cli.changes import Changes, begin_with_changes
    from vhpipe.cli.running import run_attached, run_detached

    changes = Changes.wanted_by(options)

    def begin() -> "Begun":
        if not any(changes):
            return begin_again(selector, project, options)
        store = opened_project(project)
        return begin_with_changes(store, store.run(selector), changes, options)

    return (run_detached if detach else run_attached)(begin, options)


def begin_again(selector: str, project: Path, options: dict[str, Any]) -> "Begun":
    """The run as it was left, ready to go on."""
    from vhpipe.cli.changes import listed
    from vhpipe.cli.running import say
    from vhpipe.cli.watching import commands_from_here
    from vhpipe.engine.changed import changed_files
    from vhpipe.engine.resume import continue_run
    from vhpipe.engine.start import default_capacity
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python

    store = opened_project(project)
    run = store.run(selector)
    info = run.info()
    python = find_python(store.project, options["python"] or info.python, os.environ)
    environment = child_environment(os.environ, python, info.inherits_environment)
    begun = continue_run(store, run, options["jobs"] or default_capacity(), environment)
    say(f"steps see {python.reason}")
    changed = changed_files(begun.snapshot, store.project)
    if changed and not options["quiet"]:
        with_changes = commands_from_here(store.project).about(run.number, "resume", "--with-changes")
        say(f"run {run.number} goes on with its own code; changed since: {listed(changed)}; "
            f"to take the changes: {with_changes}")  # fmt: skip
    return begun
