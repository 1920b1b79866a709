"""A run asked again with changes: a new run that keeps what is complete and would be made in the same manner.

Source: decisions 62 to 64.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.project.order import HideValues, OrderedRun, hide_nothing, order_of
from vhpipe.project.run_conditions import RunChoices, RunConditions
from vhpipe.wording import listed, plural

if TYPE_CHECKING:
    from vhpipe.history.past_runs import PastRun
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.project.checked_file import CheckedFile, CommitLookup
    from vhpipe.project.places import ChosenPlaces
    from vhpipe.project.user_variables import UserVariables, VariableTexts
    from vhpipe.schedule.carry_over.rerun_choice import CarryOver
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder, RunInfo


class Changes(NamedTuple):
    """What is to be different. `with_changes`: the pipeline's file and the code as they are now."""

    with_changes: bool = False
    parameters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    failed: bool = False


class RepeatedRequest(NamedTuple):
    """`request` is what may be recorded; `inputs` are as typed, with whatever only their owner may know."""

    request: "RunRequest"
    inputs: tuple[str, ...]


class NewPlan(NamedTuple):
    """The new plan before anything is kept, and the nodes that the run before was given and did not run itself."""

    plan: "Plan"
    given: frozenset[str]
    true_uris: Mapping[str, str]
    chosen: "ChosenPlaces"


def order_with_changes(
    store: "ProjectStore",
    run: "RunFolder",
    changes: Changes,
    texts: "VariableTexts",
    choices: RunChoices,
    hide: HideValues = hide_nothing,
) -> OrderedRun:
    """A new run that takes over what the run has and what the changes leave as it was; the run has to be held.

    Everything that can go wrong before something is written goes wrong here.
    Errors: UsageError for changes that do not fit it or change nothing.
    """
    from vhpipe.history.past_runs import PastRun
    from vhpipe.project.missing_folders import folders_said
    from vhpipe.project.secret_values import variables_again, variables_now, with_variables
    from vhpipe.project.start_notices import said_before_start
    from vhpipe.project.user_variables import known_secrets, typed_notices
    from vhpipe.settings.run import run_settings
    from vhpipe.store.snapshots import load_snapshot

    info, past = run.info(), PastRun(run)
    settings = run_settings(store.project)
    now = variables_now(past.plan, texts, settings)
    hide(now.hidden_values())
    conditions = choices.settled_as_in(info, settings)
    again = _repeated_request(run, info, changes)
    definition = _definition(store, info, again.request, changes)
    variables = variables_again(past.plan, again.request, definition.config, now, changes.with_changes)
    new = _new_plan(store, info, again, definition, variables, past.plan, conditions)
    kept = _carry_over(store, past, new, changes)
    secrets = known_secrets(kept.plan, definition.config, variables.all_values, os.environ)
    hide(secrets.values.values())
    order, python = order_of(kept.plan, store.project, conditions, secrets.values, info.is_pipeline, new.chosen.places)
    order = order._replace(
        asked=with_variables(again.request, variables),
        source=definition.text.encode(),
        command_line=tuple(map(variables.masked, choices.words)),
        true_uris=new.true_uris,
        place=new.chosen.places.place,
        places=new.chosen.places.others,
        continues=run.number,
        snapshot=None if changes.with_changes else load_snapshot(run.path),
    )
    running = tuple(rerun.node for rerun in kept.reruns)
    of_folders = folders_said(kept.plan, new.chosen, running, store.project)
    remarks = (
        *said_before_start(kept.plan, python, os.environ), *of_folders.remarks, *_remarks(store, run, kept, changes)
    )  # fmt: skip
    return OrderedRun(order, remarks, (*typed_notices(variables), *secrets.notices, *of_folders.warnings))


# ── what is asked for ────────────────────────────────────────────────────────────────────────────


def _repeated_request(run: "RunFolder", info: "RunInfo", changes: Changes) -> RepeatedRequest:
    """What was asked for, with the new arguments over the old ones: an input that is given again has only the new."""
    import msgspec

    from vhpipe.project.sweeps import without_what_is_given

    request = info.asked
    if request is None:
        raise EnvironmentFailure(
            f"run {run.number} does not record what it was asked to run", "start a new run: vhpipe run"
        )
    new = tuple(_from_everywhere(each, request.folder) for each in changes.inputs)
    replaced = {each.partition("=")[0] for each in new}
    inputs = (*(each for each in request.inputs if each.partition("=")[0] not in replaced), *new)
    parameters = (*request.parameters, *changes.parameters)
    request = without_what_is_given(request, changes.parameters)
    return RepeatedRequest(msgspec.structs.replace(request, parameters=parameters, inputs=inputs), inputs)


def _from_everywhere(assignment: str, folder: str) -> str:
    """An input whose path is typed here, as it would be typed in the folder where the run before was started."""
    name, equals, uri = assignment.partition("=")
    if not equals or "://" in uri or os.getcwd() == folder:
        return assignment
    return f"{name}={os.path.join(os.getcwd(), uri)}"


def _definition(store: "ProjectStore", info: "RunInfo", request: "RunRequest", changes: Changes) -> "CheckedFile":
    """The pipeline's file as it is now, or as it was."""
    from vhpipe.project.checked_file import AskedPart, check_path, check_text

    if changes.with_changes and not (request.file or request.is_built):
        raise UsageError(f"run {info.number} was read from stdin: there is no file to read again",
                         "start a new run, or leave out --with-changes")  # fmt: skip
    if changes.with_changes and not request.is_built:
        loaded = check_path(os.path.relpath(store.project / request.file))
    else:
        loaded = check_text(_source_of(store, info, request), info.file, commits=_commits_of(store, info, request))
    pipeline = info.pipeline if info.is_pipeline else None
    return loaded.part_asked_for(AskedPart(pipeline, request.step, request.task))


def _commits_of(store: "ProjectStore", info: "RunInfo", request: "RunRequest") -> "CommitLookup":
    from vhpipe.project.recorded_commits import commits_of_run

    return commits_of_run(store, store.run(str(info.number)), request.file or DEFAULT_FILE)


def _source_of(store: "ProjectStore", info: "RunInfo", request: "RunRequest") -> bytes:
    if not store.blobs.verify(request.source):
        raise EnvironmentFailure(f"the pipeline of run {info.number} is gone or damaged",
                                 f"take it as it is now: vhpipe resume {info.number} --with-changes")  # fmt: skip
    return store.blobs.read(request.source)


def _new_plan(
    store: "ProjectStore",
    info: "RunInfo",
    again: RepeatedRequest,
    definition: "CheckedFile",
    variables: "UserVariables",
    previous: "Plan",
    conditions: RunConditions,
) -> NewPlan:
    from vhpipe.project.plan_passes import PlanSource
    from vhpipe.project.planning import plan_run

    name = info.pipeline if info.is_pipeline else None
    source = PlanSource(
        definition, again.request, again.inputs, name, info.file, store.project, conditions, variables,
        previous=previous,
    )  # fmt: skip
    made = plan_run(source)
    return NewPlan(made.plan, frozenset(made.selection.given), made.true_uris, made.chosen)


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def _carry_over(store: "ProjectStore", past: "PastRun", new: NewPlan, changes: Changes) -> "CarryOver":
    """Errors: UsageError where nothing would run."""
    from vhpipe.plan.partial_run import executions_named_by
    from vhpipe.schedule.carry_over import rerun_choice

    before = rerun_choice.PreviousRun(past.number, past.plan, past.state, new.given)
    meant = executions_named_by(new.plan, changes.start)
    for name in meant:
        if name in new.given:
            raise UsageError(f"`{name}` was given to run {past.number}", f"make it again: vhpipe run --from {name}")
    spoiled = _spoiled_test(store, past, look_at_inputs=changes.with_changes)
    kept = rerun_choice.keep(before, new.plan, rerun_choice.RerunRequest(meant, changes.failed, spoiled))
    if not kept.reruns:
        raise UsageError(f"nothing of run {past.number} would run again: everything is complete and unchanged",
                         f"name what is to run: vhpipe resume {past.number} --from NODE")  # fmt: skip
    return kept


def _spoiled_test(
    store: "ProjectStore", past: "PastRun", look_at_inputs: bool
) -> "Callable[[PlannedNode], str | None]":
    from vhpipe.history.changed_files import changed_inputs
    from vhpipe.schedule.carry_over.carried_results import lost_output

    def spoiled(node: "PlannedNode") -> str | None:
        lost = lost_output(node, store.blobs.is_intact)
        if lost is not None:
            return f"lost its output `{lost.name}` (stored file {lost.blob[:16]}), which is missing or damaged"
        changed = changed_inputs(past.state.nodes[node.name].fetched) if look_at_inputs else ()
        return f"reads {listed(changed, ' and ', MOST_NAMES)}, which changed since" if changed else None

    return spoiled


# ── what is said ─────────────────────────────────────────────────────────────────────────────────

MOST_NAMES = 5


def _remarks(store: "ProjectStore", run: "RunFolder", kept: "CarryOver", changes: Changes) -> Sequence[str]:
    """What runs again and why, one line per cause; what is kept; and the code that has changed since."""
    lines = []
    for rerun in kept.reruns:
        if not rerun.after:
            of = f", {rerun.kept} of {rerun.total} executions are kept" if rerun.kept else ""
            lines.append(f"`{rerun.node}` runs: {rerun.because}{of}")
    following = [rerun.node for rerun in kept.reruns if rerun.after]
    if following:
        lines.append(f"{listed(following, ' and ')} {plural(len(following), 'runs', 'run')} after that")
    if kept.kept:
        lines.append(f"run {run.number} provides {listed(kept.kept, ' and ')}")
    has_kept = {*kept.kept, *(rerun.node for rerun in kept.reruns if rerun.kept)}
    if changes.with_changes and has_kept - kept.plan.commits().keys():
        lines.extend(_about_code(store, run))
    return lines


def _about_code(store: "ProjectStore", run: "RunFolder") -> Sequence[str]:
    from vhpipe.history.changed_files import changed_files
    from vhpipe.store.snapshots import load_snapshot

    snapshot = load_snapshot(run.path)
    changed = [path for path in changed_files(snapshot, store.project) if path != snapshot.source]
    if not changed:
        return ()
    return (
        f"what is kept was made before {listed(changed, ' and ', MOST_NAMES)} changed; --from NODE runs a node again",
    )
