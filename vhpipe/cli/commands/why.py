"""`vhpipe why RUN NODE`: why an execution ran or did not, and what differs from an earlier one."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vhpipe.cli.options.run_selection import json_option, project_option, required_run_argument
from vhpipe.errors import UsageError
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.plan.provenance import differences_between, uncounted_differences
from vhpipe.plan.reuse_policy import reuse_option, reuses
from vhpipe.project.open_run import open_run
from vhpipe.project.selectors import (
    AttemptSelector,
    one_execution,
    opened_project,
    parse_selection,
    selected_node,
)
from vhpipe.store.project import ProjectStore
from vhpipe.views.json_values import json_text
from vhpipe.views.progress import RunView
from vhpipe.views.why import EnvironmentUsed, PastComparison, Why, what_happened, why_json, why_lines

if TYPE_CHECKING:
    from vhpipe.history.past_runs import PastRun, PastRuns
    from vhpipe.plan.provenance import Evidence


@click.command("why", short_help="Say why an execution ran, and what differs from an earlier one.")
@required_run_argument
@click.argument("node", metavar="NODE[#INDEX]")
@click.option(
    "--against", metavar="RUN", help="Compare with this run; if not given, with the last earlier one that has it."
)
@project_option
@json_option
def command(selector: str, node: str, against: str | None, project: Path, as_json: bool) -> int:
    """Say why an execution ran or was reused, and compare what it stands on with an earlier one, part by part."""
    store = opened_project(project)
    view = open_run(store.run(selector)).view
    selection = parse_selection(node, tuple(view.nodes))
    why = _why(store, view, selection, against)
    if as_json:
        click.echo(json_text(why_json(why)))
    else:
        click.echo("\n".join(why_lines(why)))
    return 0


def _why(store: ProjectStore, view: RunView, selection: AttemptSelector, against: str | None) -> Why:
    node = selected_node(view, selection)
    execution = one_execution(view, selection) if node.total else None
    action, happened = what_happened(node, execution)
    label = node.name if execution is None else node.label(execution.index)
    option = None if reuses(node.planned) else reuse_option(node.planned)
    why = Why(view.number, label, action, happened, option)
    if execution is None:
        return why
    from vhpipe.history.past_runs import PastRun, PastRuns

    past, now = PastRuns(store), PastRun(store.run(str(view.number)))
    which = ExecutionId(node.name, execution.index)
    evidence = past.evidence(now, which)
    compared = _comparison_with_past(store, past, now, evidence, which, against)
    code = evidence.code if evidence else None
    compared = compared and compared._replace(label=label)
    return why._replace(compared=compared, code=code, environment=_environment(store, now, which))


def _environment(store: ProjectStore, run: "PastRun", execution: ExecutionId) -> EnvironmentUsed | None:
    """The Python environment that the last attempt of an execution had; None where it had none of its own."""
    from vhpipe.attempt.recorded_variables import kept_variables
    from vhpipe.store.environments import FOLDER, record_of

    state = run.execution(execution)
    if state is None or not state.attempt:
        return None
    folder = store.run(str(run.number)).attempt_folder(AttemptId(execution, state.attempt))
    found = record_of((kept_variables(folder) or {}).get("VIRTUAL_ENV"), store.root / FOLDER)
    if found is None:
        return None
    key, record = found
    return EnvironmentUsed(key) if record is None else EnvironmentUsed(key, record.lines, record.packages)


def _comparison_with_past(
    store: ProjectStore,
    past: "PastRuns",
    now: "PastRun",
    new: "Evidence | None",
    execution: ExecutionId,
    against: str | None,
) -> PastComparison | None:
    then = _past_run(past, store, against, execution) if against else _before(past, now, execution)
    if then is None:
        return None
    state = then.execution(execution)
    assert state is not None, "a run to compare with has the execution"
    old = past.evidence(then, execution)
    if old is None or new is None:
        return PastComparison(then.number, str(execution), state.status, None)
    differences, uncounted = differences_between(old, new), uncounted_differences(old, new)
    environment = _environment(store, then, execution)
    return PastComparison(then.number, str(execution), state.status, differences, uncounted, environment)


def _before(past: "PastRuns", now: "PastRun", execution: ExecutionId) -> "PastRun | None":
    return past.before(execution, now.info.pipeline, now.info.is_pipeline, now.number)


def _past_run(past: "PastRuns", store: ProjectStore, against: str, execution: ExecutionId) -> "PastRun":
    number = store.run(against).number
    run = past.run(number)
    if run is None or run.execution(execution) is None:
        raise UsageError(f"run {number} has not started `{execution}`", hint="compare with a run that has it")
    return run
