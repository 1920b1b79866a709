"""The steps from a compiled plan to one that can run: functions of the plan and of what is known beside it."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.project.checked_file import CheckedFile
from vhpipe.project.run_conditions import RunConditions
from vhpipe.project.user_variables import NO_VARIABLES, UserVariables

if TYPE_CHECKING:
    from vhpipe.engine.recorded_uris import RecordedUris
    from vhpipe.graph.model import PipelineGraph
    from vhpipe.plan.model import Hooks, Plan, PlannedNode
    from vhpipe.plan.partial_run import PartialRun
    from vhpipe.plan.required_values import MissingValue
    from vhpipe.plan.run_request import RunRequest
    from vhpipe.project.checked_file import CheckedFile
    from vhpipe.project.places import ChosenPlaces


class PlanSource(NamedTuple):
    """All that a plan is made from; `definition` is a file without errors.

    `inputs` are as typed, with what `request` may not hold of them. `file` is how the file is called in messages,
    `command` are the words that start such a run. `previous` is the plan of the run that is asked for again. `hooks`
    are called beside those of the file, by node.
    """

    definition: CheckedFile
    request: "RunRequest"
    inputs: tuple[str, ...]
    pipeline: str | None
    file: str
    project: Path
    conditions: RunConditions
    variables: UserVariables = NO_VARIABLES
    command: tuple[str, ...] = ("vhpipe", "run")
    previous: "Plan | None" = None
    hooks: "Mapping[str, Hooks]" = MappingProxyType({})


class PassContext(NamedTuple):
    """What the passes know beside the plan. `written` is the graph as the file has it, `graph` with sweeps asked for.

    `swept` are the nodes that vary because they are asked to. `uris` learns the URIs that the plan may not hold.
    `unfilled` is what nothing fills; `uses_machine` says whether files of inputs are looked for later.
    """

    source: PlanSource
    written: "PipelineGraph"
    graph: "PipelineGraph"
    swept: tuple[str, ...]
    selection: "PartialRun"
    uris: "RecordedUris"
    chosen: "ChosenPlaces"
    unfilled: "tuple[MissingValue, ...]" = ()
    uses_machine: bool = True

    def missing_in(self, plan: "Plan") -> "tuple[MissingValue, ...]":
        """What nothing fills of the nodes that the plan has to run."""
        running = self.running_in(plan)
        return tuple(each for each in self.unfilled if each.node in running)

    def running_in(self, plan: "Plan") -> tuple[str, ...]:
        """The nodes that the plan has to run."""
        return tuple(node.name for node in plan.nodes if node.name not in self.selection.given)


def define(plan: "Plan", around: PassContext) -> "Plan":
    """A sweep that is asked for makes no other version of the pipeline."""
    from msgspec import structs

    from vhpipe.plan.pipeline_version import definition_of

    if around.graph is around.written or not plan.definition:
        return plan
    return structs.replace(plan, definition=definition_of(around.written))


def seal(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.secrets import seal_secrets
    from vhpipe.store.owner import secret_mac

    variables = around.source.variables
    mac = partial(secret_mac, environ=os.environ)
    return seal_secrets(plan, around.graph, variables.values, mac, variables.of_settings.values)


def keep_unknown_secrets(plan: "Plan", around: PassContext) -> "Plan":
    previous = around.source.previous
    if previous is None:
        return plan
    from vhpipe.project.secret_values import with_unknown_secrets

    names = (*around.source.request.environment_names, *previous.named_variables)
    return with_unknown_secrets(plan, previous, names)


def set_goal(plan: "Plan", around: PassContext) -> "Plan":
    goal = around.source.request.goal
    if goal is None:
        return plan
    from vhpipe.plan.search_goal import with_goal

    return with_goal(plan, goal)


def configure(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.configuration_arguments import with_configuration

    return with_configuration(plan, around.source.request.configuration)


def reduce(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.partial_run import reduced_plan

    return reduced_plan(plan, around.selection)


def refuse_unfilled(plan: "Plan", around: PassContext) -> "Plan":
    """All that is missing is named at once: also the files that are not there."""
    missing = around.missing_in(plan)
    if not missing:
        return plan
    from vhpipe.plan.required_values import refuse_missing

    try:
        refuse_missing(missing)
    except UsageError as unfilled:
        raise _with_missing_files(unfilled, plan, around) if around.uses_machine else unfilled from None
    return plan


def _with_missing_files(unfilled: UsageError, plan: "Plan", around: PassContext) -> UsageError:
    from vhpipe.engine.input_fetching import expand_inputs
    from vhpipe.engine.recorded_uris import RecordedUris

    try:
        expand_inputs(plan, around.source.project, Path(around.source.request.folder), RecordedUris())
    except UsageError as files:
        hints = "; ".join(hint for hint in (unfilled.hint, files.hint) if hint is not None)
        return UsageError(f"{unfilled.message}; {files.message}", hints)
    return unfilled


def refuse_lists(plan: "Plan", around: PassContext) -> "Plan":
    if around.swept:
        from vhpipe.plan import swept_pipeline

        swept_pipeline.refuse_lists(plan, around.swept)
    return plan


def take_earlier_results(plan: "Plan", around: PassContext) -> "Plan":
    """A run that is asked again takes what it stands on from the run before, and from no other."""
    source, selection = around.source, around.selection
    if source.previous is not None or not (selection.given or selection.children):
        return plan
    from vhpipe.history.earlier_runs import EarlierRuns
    from vhpipe.history.past_runs import PastRuns
    from vhpipe.project.partial_run import with_given

    is_pipeline = not (source.request.step or source.request.task)
    earlier = EarlierRuns(PastRuns.of_project(source.project), plan.pipeline, is_pipeline=is_pipeline)
    return with_given(plan, selection, earlier, source.command)


def refuse_unrunnable(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.runnable import runnable_problems

    problems = runnable_problems(plan, around.source.conditions.capacity)
    if problems:
        raise UsageError(problems[0])
    return plan


def refuse_without_search(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.execution import is_search

    if any(map(is_search, plan.nodes)):
        from vhpipe.engine.optuna_search import refuse_without_optuna

        refuse_without_optuna(plan)
    return plan


def find_inputs(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.engine.input_fetching import expand_inputs
    from vhpipe.plan.model import PlannedDeployment

    plan = expand_inputs(plan, around.source.project, Path(around.source.request.folder), around.uris)
    if any(item.base for node in plan.nodes if not isinstance(node, PlannedDeployment) for item in node.spec.inputs):
        from vhpipe.engine.filled_uris import refuse_missing_files

        refuse_missing_files(plan, around.uris)
    return plan


def choose_reuse(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.reuse_policy import refuse_unreusable, with_reuse, without_reuse_of_mounts

    request = around.source.request
    for name in request.refresh if around.source.previous is None else ():
        refuse_unreusable(plan, name)
    plan = with_reuse(plan, request.reuse, request.no_reuse, _why_nothing_is_reused(around.source.conditions))
    plan = without_reuse_of_mounts(plan, request.reuse)
    return _with_new_beginning(plan, around.source.project)


def _with_new_beginning(plan: "Plan", project: Path) -> "Plan":
    """Say it where the results that are known were kept by another kind of fingerprint. Source: decision 120."""
    from msgspec import structs

    from vhpipe.plan.fingerprint import WHY_ANEW
    from vhpipe.plan.reuse_policy import reuses
    from vhpipe.store.project import reuse_entries

    if not any(map(reuses, plan.nodes)) or not reuse_entries(project).is_of_older_format():
        return plan
    return structs.replace(plan, notices=(*plan.notices, f"reuse starts anew: {WHY_ANEW}"))


def _why_nothing_is_reused(conditions: RunConditions) -> str | None:
    """Why no result of this run or for it can be known to be equal. Source: decisions 25 and 57."""
    if conditions.inherits_environment:
        return "with --inherit-env steps may depend on any variable"
    if conditions.repository == "in-place":
        return "with --repository in-place steps may depend on any file, and change it"
    return None


def add_hooks(plan: "Plan", around: PassContext) -> "Plan":
    from msgspec import structs

    added = around.source.hooks
    nodes = (_with_hooks(node, added[node.name]) if node.name in added else node for node in plan.nodes)
    return structs.replace(plan, nodes=tuple(nodes)) if added else plan


def _with_hooks(node: "PlannedNode", added: "Hooks") -> "PlannedNode":
    """Those of the file come first."""
    from msgspec import structs

    own = node.hooks
    if own is None:
        return structs.replace(node, hooks=added)
    both = structs.replace(
        own, pre=(*own.pre, *added.pre), post=(*own.post, *added.post), status=(*own.status, *added.status)
    )
    return structs.replace(node, hooks=both)
