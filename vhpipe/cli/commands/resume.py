"""`vhpipe resume [RUN]`: go on with a run that was killed or stopped, or ask for it again with changes."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vhpipe.cli.options.environment import environment_options
from vhpipe.cli.options.walking import watch_options
from vhpipe.errors import UsageError
from vhpipe.project.selectors import opened_project, project_option, run_argument

if TYPE_CHECKING:
    from vhpipe.engine.order import LockedRun
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder

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
)  # fmt: skip


def resume_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("resume", short_help="Go on with a run that was killed or stopped.")
@run_argument
@project_option
@environment_options
@resume_options
@watch_options
def command(selector: str, project: Path, detach: bool, **options: Any) -> int:
    """Go on with a run that was killed or stopped, the latest if RUN is not given.

    It goes on with its own plan and its own code; nothing that is complete starts again. With --with-changes, -p, -i,
    --from or --failed it is a new run that takes over what is complete.
    """
    from vhpipe.cli.commands.walk import run_attached, run_detached
    from vhpipe.cli.options.standing import settled_for_resume
    from vhpipe.project.changes import Changes, begin_with_changes

    changes = Changes.wanted_by(options)
    store = opened_project(project)
    run = store.run(selector)
    options = settled_for_resume(options, store.project, run)

    def begin() -> "LockedRun":
        return begin_with_changes(store, run, changes, options) if any(changes) else begin_again(store, run, options)

    return (run_detached if detach else run_attached)(begin, options)


def begin_again(store: "ProjectStore", run: "RunFolder", options: Mapping[str, Any]) -> "LockedRun":
    """The run as it was left, ready to go on."""
    from vhpipe.cli.commands.walk import say
    from vhpipe.cli.options.environment import given_variables, secrets_of_run, typed_notices
    from vhpipe.engine.resume import continue_run
    from vhpipe.engine.start import default_capacity
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python

    info = run.info()
    variables = given_variables(options, os.environ)
    _refuse_new_variables(run, tuple(variables.values))
    secrets = secrets_of_run(store, run, variables.values, os.environ)
    python = find_python(store.project, options["python"] or info.python, os.environ)
    environment = child_environment(os.environ, python, info.inherits_environment)
    begun = continue_run(store, run, options["jobs"] or default_capacity(), environment, secrets.values)
    for text in (*typed_notices(variables), *secrets.notices):
        say(text)
    for text in () if options["quiet"] else (f"steps see {python.reason}", *_changed_since(begun)):
        say(text)
    return begun


def _refuse_new_variables(run: "RunFolder", names: tuple[str, ...]) -> None:
    """A run goes on with the variables of its plan; only what the plan does not tell can be given."""
    from vhpipe.plan.secrets import secrets_in

    known = {secret.name for secret in secrets_in(run.plan())} if names else set()
    new = next((name for name in names if name not in known), None)
    if new is not None:
        raise UsageError(
            f"`{new}` is no secret of run {run.number}, which goes on with its own variables",
            f"a new run can have others: vhpipe resume {run.number} --failed -e {new}",
        )


def _changed_since(begun: "LockedRun") -> Iterator[str]:
    """What the run does not see of the project as it is now."""
    from vhpipe.cli.terminal.run_progress import commands_from_here
    from vhpipe.history.changed_files import changed_files
    from vhpipe.project.changes import listed

    changed = changed_files(begun.snapshot, begun.store.project)
    if changed:
        take = commands_from_here(begun.store.project).about(begun.run.number, "resume", "--with-changes")
        yield f"run {begun.run.number} goes on with the code it has; since then {listed(changed)} changed: {take}"
