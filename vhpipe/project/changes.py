"""A run asked again with changes: a new run that keeps what is complete and would be made the same way.

Source: decisions 62 to 64.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vhpipe.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from vhpipe.cli.options.environment import UserVariables
    from vhpipe.engine.order import LockedRun, Order
    from vhpipe.history.past_runs import PastRun
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.project.checked_file import LoadedFile
    from vhpipe.schedule.carry_over.rerun_choice import CarryOver
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder, RunInfo, RunRequest


class Changes(NamedTuple):
    """What is to be different. `with_code`: the pipeline's file and the code as they are now."""

    with_code: bool = False
    parameters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    failed: bool = False

    @classmethod
    def wanted_by(cls, options: Mapping[str, Any]) -> "Changes":
        return cls(
            options["with_changes"],
            tuple(options["parameter_assignments"]),
            tuple(options["input_assignments"]),
            tuple(options["start"]),
            options["failed"],
        )


def begin_with_changes(
    store: "ProjectStore", run: "RunFolder", changes: Changes, options: Mapping[str, Any]
) -> "LockedRun":
    """A new run that takes over what the run has and what the changes leave as it was.

    Errors: RefusedError while the run is going on, UsageError for changes that do not fit it or change nothing.
    """
    from vhpipe.cli.commands.walk import say
    from vhpipe.engine.resume import PATIENCE_S
    from vhpipe.engine.start import begin

    run.acquire(PATIENCE_S)
    try:
        begun = begin(_order(store, run, changes, options), time.time())
    finally:
        run.release()
    for notice in begun.notices:
        say(notice)
    return begun


def _order(store: "ProjectStore", run: "RunFolder", changes: Changes, options: Mapping[str, Any]) -> "Order":
    """Everything that can go wrong before something is written goes wrong here."""
    from vhpipe.cli.commands.walk import say
    from vhpipe.cli.options.environment import given_variables, known_secrets, typed_notices
    from vhpipe.engine.input_fetching import redacted
    from vhpipe.engine.order import Order
    from vhpipe.engine.start import default_capacity
    from vhpipe.history.past_runs import PastRun
    from vhpipe.project.secret_values import variables_again, with_variables
    from vhpipe.project.start_notices import said_before_start
    from vhpipe.settings.child_environment import child_environment
    from vhpipe.settings.python import find_python
    from vhpipe.store.snapshots import load_snapshot

    info = run.info()
    again = _asked_again(run, info, changes)
    loaded = _loaded(store, info, again, changes)
    past = PastRun(run)
    variables = variables_again(past.plan, again.asked, loaded.config, given_variables(options, os.environ))
    capacity = options["jobs"] or default_capacity()
    queues = options["standing_queues"]
    kept = _kept(store, past, _planned(store, info, again, loaded, variables, past.plan, capacity, queues), changes)
    secrets = known_secrets(kept.plan, loaded.config, variables.values, os.environ)
    python = find_python(store.project, options["python"] or info.python, os.environ)
    if not options["quiet"]:
        for text in (*said_before_start(kept.plan, python, os.environ), *_told(store, run, kept, changes)):
            say(text)
    for text in (*typed_notices(variables), *secrets.notices):
        say(text)
    return Order(
        plan=kept.plan,
        project=store.project,
        capacity=capacity,
        environment=child_environment(os.environ, python, info.inherits_environment),
        title=info.title,
        tags=info.tags,
        command_line=tuple(redacted(variables.masked(word)) for word in sys.argv[1:]),
        repository=info.repository,
        is_pipeline=info.is_pipeline,
        inherits_environment=info.inherits_environment,
        continues=run.number,
        snapshot=None if changes.with_code else load_snapshot(run.path),
        asked=with_variables(again.asked, variables),
        source=_text_of(loaded),
        secrets=secrets.values,
        python=options["python"] or info.python,
    )


# ── what is asked for ────────────────────────────────────────────────────────────────────────────


class AskedAgain(NamedTuple):
    """`inputs` are as typed, with whatever only their owner may know; `asked` is what may be kept."""

    asked: "RunRequest"
    inputs: tuple[str, ...]


def _asked_again(run: "RunFolder", info: "RunInfo", changes: Changes) -> AskedAgain:
    """What was asked for, with the new arguments over the old ones: an input that is given again has only the new."""
    import msgspec

    from vhpipe.cli.options.sweep import without_what_is_given
    from vhpipe.engine.input_fetching import redacted

    asked = info.asked
    if asked is None:
        raise EnvironmentFailure(f"run {run.number} does not say what it was asked for", "start a new run: vhpipe run")
    new = tuple(_from_everywhere(each, asked.folder) for each in changes.inputs)
    replaced = {each.partition("=")[0] for each in new}
    inputs = (*(each for each in asked.inputs if each.partition("=")[0] not in replaced), *new)
    parameters = (*asked.parameters, *changes.parameters)
    asked = without_what_is_given(asked, changes.parameters)
    kept = msgspec.structs.replace(asked, parameters=parameters, inputs=tuple(map(redacted, inputs)))
    return AskedAgain(kept, inputs)


def _from_everywhere(assignment: str, folder: str) -> str:
    """An input whose path is typed here, as it would be typed in the folder where the run before was started."""
    name, equals, uri = assignment.partition("=")
    if not equals or "://" in uri or os.getcwd() == folder:
        return assignment
    return f"{name}={os.path.join(os.getcwd(), uri)}"


def _loaded(store: "ProjectStore", info: "RunInfo", again: AskedAgain, changes: Changes) -> "LoadedFile":
    """The pipeline's file as it is now, or as it was."""
    from vhpipe.project.checked_file import load_content, load_file, refuse_errors

    asked = again.asked
    if changes.with_code and not (asked.file or asked.is_built):
        raise UsageError(f"run {info.number} was read from stdin: there is no file to read again",
                         "start a new run, or leave out --with-changes")  # fmt: skip
    if changes.with_code and not asked.is_built:
        loaded = load_file(os.path.relpath(store.project / asked.file))
    else:
        loaded = load_content(_source_of(store, info, asked), info.file)
    refuse_errors(loaded)
    return loaded


def _source_of(store: "ProjectStore", info: "RunInfo", asked: "RunRequest") -> bytes:
    if not store.blobs.verify(asked.source):
        raise EnvironmentFailure(f"the pipeline of run {info.number} is gone or damaged",
                                 f"take it as it is now: vhpipe resume {info.number} --with-changes")  # fmt: skip
    return store.blobs.path(asked.source).read_bytes()


def _text_of(loaded: "LoadedFile") -> bytes:
    assert loaded.document is not None, "a file without errors has been read"
    return loaded.document.text.encode()


class Again(NamedTuple):
    """The new plan before anything is kept, and the nodes that the run before was given and did not run itself."""

    plan: "Plan"
    given: frozenset[str]


def _planned(
    store: "ProjectStore",
    info: "RunInfo",
    again: AskedAgain,
    loaded: "LoadedFile",
    variables: "UserVariables",
    old: "Plan",
    capacity: int,
    standing_queues: Mapping[str, int],
) -> Again:
    from pathlib import Path

    from vhpipe.cli.options.reuse import as_asked
    from vhpipe.engine.input_fetching import expand_inputs
    from vhpipe.project.planning import planned, refuse_unrunnable
    from vhpipe.project.secret_values import with_unknown_secrets

    asked = again.asked
    name = info.pipeline if info.is_pipeline else None
    wanted = planned(loaded, name, asked, again.inputs, info.file, variables, standing_queues)
    refuse_unrunnable(wanted.plan, capacity)
    plan = with_unknown_secrets(wanted.plan, old, asked.environment_names)
    plan = expand_inputs(plan, store.project, Path(asked.folder))
    reuse = {"reuse": asked.reuse, "no_reuse": asked.no_reuse, "refresh": (), "inherit": info.inherits_environment,
             "repository": info.repository}  # fmt: skip
    return Again(as_asked(plan, reuse), frozenset(wanted.selection.given))


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def _kept(store: "ProjectStore", past: "PastRun", new: Again, changes: Changes) -> "CarryOver":
    """Errors: UsageError where nothing would run."""
    from vhpipe.plan.partial_run import named
    from vhpipe.schedule.carry_over import rerun_choice as keeping

    before = keeping.PreviousRun(past.number, past.plan, past.state, new.given)
    meant = named(new.plan, changes.start)
    for name in meant:
        if name in new.given:
            raise UsageError(f"`{name}` was given to run {past.number}", f"make it anew: vhpipe run --from {name}")
    spoiled = _spoiled_by(store, past, look_at_inputs=changes.with_code)
    kept = keeping.keep(before, new.plan, keeping.RerunRequest(meant, changes.failed, spoiled))
    if not kept.reruns:
        raise UsageError(f"nothing of run {past.number} would run again: all of it is complete and as it would be now",
                         f"name what shall run: vhpipe resume {past.number} --from NODE")  # fmt: skip
    return kept


def _spoiled_by(store: "ProjectStore", past: "PastRun", look_at_inputs: bool) -> "Callable[[PlannedNode], str | None]":
    from vhpipe.history.changed_files import changed_inputs
    from vhpipe.schedule.carry_over.carried_results import missing_output

    def spoiled(node: "PlannedNode") -> str | None:
        gone = missing_output(node, store.blobs.has)
        if gone is not None:
            return f"has lost its output `{gone}`"
        changed = changed_inputs(past.state.nodes[node.name].fetched) if look_at_inputs else ()
        return f"would read {listed(changed)} as changed since" if changed else None

    return spoiled


# ── what is said ─────────────────────────────────────────────────────────────────────────────────

MOST_NAMES = 5


def _told(store: "ProjectStore", run: "RunFolder", kept: "CarryOver", changes: Changes) -> Sequence[str]:
    """What runs again and why, one line per cause; what is kept; and the code that has changed since."""
    lines = []
    for rerun in kept.reruns:
        if not rerun.after:
            of = f", {rerun.kept} of {rerun.total} executions are kept" if rerun.kept else ""
            lines.append(f"`{rerun.node}` runs: {rerun.because}{of}")
    following = [rerun.node for rerun in kept.reruns if rerun.after]
    if following:
        lines.append(f"{listed(following, most=20)} run{'s' * (len(following) == 1)} after that")
    if kept.kept:
        lines.append(f"run {run.number} gives {listed(kept.kept, most=20)}")
    if changes.with_code and (kept.kept or any(rerun.kept for rerun in kept.reruns)):
        lines.extend(_about_code(store, run))
    return lines


def _about_code(store: "ProjectStore", run: "RunFolder") -> Sequence[str]:
    from vhpipe.history.changed_files import changed_files
    from vhpipe.store.snapshots import load_snapshot

    snapshot = load_snapshot(run.path)
    changed = [path for path in changed_files(snapshot, store.project) if path != snapshot.source]
    if not changed:
        return ()
    return (f"what is kept was made before {listed(changed)} changed; --from NODE makes a node anew",)


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """`a`, `b` and `c`; of many names the first and how many more."""
    shown = [f"`{name}`" for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else "".join(shown)
