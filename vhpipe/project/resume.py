"""A run that was killed or stopped goes on as it was: what can still be chosen, and what the user should know."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.project.order import HideValues, hide_nothing, order_of
from vhpipe.project.run_conditions import RunChoices

if TYPE_CHECKING:
    from vhpipe.engine.order import LockedRun
    from vhpipe.project.user_variables import VariableTexts
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder


class ResumedRun(NamedTuple):
    """The run, held by this process; what the user may want to know of it, and what has to be said in any case."""

    locked: "LockedRun"
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]


def resume_run(
    store: "ProjectStore",
    run: "RunFolder",
    texts: "VariableTexts",
    choices: RunChoices,
    hide: HideValues = hide_nothing,
) -> ResumedRun:
    """The run as it was left, ready to go on.

    Errors: RefusedError while another process runs it, UsageError for one that cannot go on and for variables that it
    does not need, EnvironmentFailure for one that is damaged.
    """
    from vhpipe.engine.resume import continue_run
    from vhpipe.plan.places import NodePlaces
    from vhpipe.project.secret_values import variables_now
    from vhpipe.project.user_variables import secrets_of_run, typed_notices
    from vhpipe.settings.run import run_settings

    _refuse_other_places(run, choices)
    info, plan, settings = run.info(), run.plan(), run_settings(store.project)
    variables = variables_now(plan, texts, settings)
    hide(variables.hidden_values())
    _refuse_new_variables(run, tuple(variables.values))
    secrets = secrets_of_run(store, run, variables.all_values, os.environ)
    hide(secrets.values.values())
    conditions = choices.settled_as_in(info, settings)
    places = NodePlaces(info.place, info.places)
    order, python = order_of(plan, store.project, conditions, secrets.values, info.is_pipeline, places)
    order = order._replace(refresh=frozenset(info.asked.refresh if info.asked else ()))
    locked = continue_run(store, run, order)
    remarks = (f"steps see {python.reason}", *_changed_since(locked))
    return ResumedRun(locked, remarks, (*typed_notices(variables), *secrets.notices, *locked.notices))


@contextmanager
def hold(run: "RunFolder") -> Iterator[None]:
    """Nobody else runs the run meanwhile. Errors: RefusedError while another process does."""
    from vhpipe.engine.resume import PATIENCE_S

    run.acquire(PATIENCE_S)
    try:
        yield
    finally:
        run.release()


def _refuse_other_places(run: "RunFolder", choices: RunChoices) -> None:
    """A run that goes on does so where it was: what its attempts have left is found there.

    One that has failed does not go on anywhere, and one that is complete has nothing left to do.
    """
    if not choices.places:
        return
    from vhpipe.history.past_runs import PastRun
    from vhpipe.project.run_commands import commands_from_here
    from vhpipe.schedule.resume import why_not_resumable
    from vhpipe.schedule.terms import Status

    number, state = run.number, PastRun(run).state
    reason = why_not_resumable(state)
    if state.status is Status.COMPLETE:
        raise UsageError(f"run {number} {reason}", "start another with `vhpipe run`")
    words = (word for each in choices.places for word in ("--in", each))
    again = commands_from_here(run.project).about(number, "resume", "--failed", *words)
    raise UsageError(
        f"run {number} {reason or 'continues at the places where it was'}",
        f"a new run that takes over what is complete can be elsewhere: {again}",
    )


def _refuse_new_variables(run: "RunFolder", names: tuple[str, ...]) -> None:
    """A run goes on with the variables of its plan; only what the plan does not tell can be given."""
    from vhpipe.plan.secrets import secrets_in

    known = {secret.name for secret in secrets_in(run.plan())} if names else set()
    new = next((name for name in names if name not in known), None)
    if new is not None:
        raise UsageError(
            f"`{new}` is not a secret of run {run.number}, which continues with its own variables",
            f"a new run can have others: vhpipe resume {run.number} --failed -e {new}",
        )


def _changed_since(locked: "LockedRun") -> Iterator[str]:
    """What the run does not see of the project as it is now."""
    from vhpipe.history.changed_files import changed_files
    from vhpipe.project.changes import MOST_NAMES
    from vhpipe.project.run_commands import commands_from_here
    from vhpipe.wording import listed

    number, project = locked.run.number, locked.store.project
    changed = changed_files(locked.snapshot, project)
    if changed:
        take = commands_from_here(project).about(number, "resume", "--with-changes")
        files = listed(changed, " and ", MOST_NAMES)
        yield f"run {number} continues with the code it has; since then {files} changed: {take}"
