"""The steps from a compiled plan to one that can run: functions of the plan and of what is known beside it."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.agent_controls import AGENT_CONTROLS
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
    from vhpipe.project.step_mounts import MountRules


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


def say_controls(plan: "Plan", around: PassContext) -> "Plan":
    """What the variables of steps ask of the platform's agent and their places do not do."""
    from msgspec import structs

    if all(AGENT_CONTROLS.isdisjoint(_variables_of(node)) for node in plan.nodes):
        return plan
    from vhpipe.attempt.core_shares import allowed_cores
    from vhpipe.plan.agent_controls import controls_not_honoured
    from vhpipe.plan.capabilities import CAPABILITIES

    said = controls_not_honoured(plan.nodes, lambda node: CAPABILITIES[around.chosen.places.of(node)], allowed_cores())
    return structs.replace(plan, ignored=(*plan.ignored, *said))


def _variables_of(node: "PlannedNode") -> Iterable[str]:
    spec = getattr(node, "spec", None)
    return () if spec is None else spec.environment_variables


def say_host_needs(plan: "Plan", around: PassContext) -> "Plan":
    """What commands change on this machine, and what fails where they run: of the nodes that run."""
    from msgspec import structs

    from vhpipe.command.host_hints import may_need_host, may_run_shell_script

    nodes = tuple(
        node
        for node in plan.nodes
        if node.name not in around.selection.given
        and any(may_need_host(text) or may_run_shell_script(text) for text in _command_of(node))
    )
    if not nodes:
        return plan
    from vhpipe.engine.places_here import folder_trial
    from vhpipe.project.host_notices import host_notices

    said = host_notices(nodes, around.chosen.places.of, around.source.project, lambda: folder_trial().way == "user")
    return structs.replace(plan, notices=(*plan.notices, *said))


def _command_of(node: "PlannedNode") -> tuple[str, ...]:
    from vhpipe.plan.model import PlannedDeployment

    return () if isinstance(node, PlannedDeployment) else node.spec.command


def set_goal(plan: "Plan", around: PassContext) -> "Plan":
    goal = around.source.request.goal
    if goal is None:
        return plan
    from vhpipe.plan.search_goal import with_goal

    return with_goal(plan, goal)


def configure(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.configuration_arguments import with_configuration

    return with_configuration(plan, around.source.request.configuration)


def share_queues(plan: "Plan", around: PassContext) -> "Plan":
    """What settings say that the nodes of a queue share."""
    rows = around.source.conditions.queue_slots
    if not (rows or plan.queues):
        return plan
    from vhpipe.plan.queues import with_queues
    from vhpipe.schedule.amounts import counted_amounts

    amounts = {name: counted_amounts(texts, f"`queues.{name}.slots`") for name, texts in rows.items()}
    return with_queues(plan, around.graph, amounts)


def use_images_of_queues(plan: "Plan", around: PassContext) -> "Plan":
    images = around.source.conditions.queue_images
    if not images:
        return plan
    from vhpipe.plan.places import with_images_of_queues

    return with_images_of_queues(plan, around.graph, around.chosen.places, images)


def use_images_instead(plan: "Plan", around: PassContext) -> "Plan":
    """Other images by patterns of settings, also of those that queues give."""
    rules = around.source.conditions.images
    if all(rule.is_path for rule in rules):
        return plan
    from vhpipe.plan.places import with_images_instead
    from vhpipe.settings.images import image_instead

    return with_images_instead(plan, around.chosen.places, partial(image_instead, rules))


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


def refuse_missing_folders(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.project import missing_folders

    missing_folders.refuse_missing_folders(plan, around.chosen, around.running_in(plan))
    return plan


def refuse_unusable_places(plan: "Plan", around: PassContext) -> "Plan":
    nodes, conditions = around.running_in(plan), around.source.conditions
    around.chosen.refuse_unusable(nodes)
    around.chosen.refuse_unfit(nodes, conditions.repository, conditions.has_network)
    return plan


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


def find_mounts(plan: "Plan", around: PassContext) -> "Plan":
    """What of this machine steps mount, at places that do."""
    from msgspec import structs

    if not any(step.mounts or step.cache_volumes for step in around.graph.steps.values() if step is not None):
        return plan
    rules = _mount_rules(around)
    nodes = (node if node.name in around.selection.given else _with_mounts(node, around, rules) for node in plan.nodes)
    return structs.replace(plan, nodes=tuple(nodes))


def _mount_rules(around: PassContext) -> "MountRules":
    import sys

    from vhpipe.project.step_mounts import MountRules, folders_by_source
    from vhpipe.store.state_place import state_folder

    request, conditions, project = around.source.request, around.source.conditions, around.source.project
    needed = (state_folder(project), project, os.path.expanduser("~"), sys.prefix)
    return MountRules(
        project,
        folders_by_source(request.mounts, request.folder, conditions.mounts),
        request.allows_mounts or conditions.allows_mounts,
        tuple(os.path.realpath(each) for each in needed),
    )


def _with_mounts(node: "PlannedNode", around: PassContext, rules: "MountRules") -> "PlannedNode":
    from msgspec import structs

    from vhpipe.plan.capabilities import CAPABILITIES
    from vhpipe.plan.model import PlannedDeployment
    from vhpipe.project import step_mounts

    step = around.graph.steps.get(node.name)
    if isinstance(node, PlannedDeployment) or step is None:
        return node
    place = around.chosen.places.of(node.name)
    volumes = step_mounts.checked_volumes(node.name, step.cache_volumes)
    if not CAPABILITIES[place].mounts:
        step_mounts.refuse_unmountable(node.name, step, place, rules)
        return structs.replace(node, spec=structs.replace(node.spec, cache_volumes=volumes))
    mounts = step_mounts.planned_mounts(node.name, step, rules)
    step_mounts.refuse_targets_to_be_made(node.name, mounts, place, rules)
    return structs.replace(node, spec=structs.replace(node.spec, mounts=mounts, cache_volumes=volumes))


def find_images(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.plan.container_settings import TOOLS

    if not any(around.chosen.places.of(node.name) in TOOLS for node in plan.nodes):
        return plan
    from msgspec import structs

    from vhpipe.engine import run_images

    conditions = around.source.conditions
    if conditions.pulls_images:
        return run_images.find_images(plan, around.chosen.places, conditions.containers, conditions.shows_pulls)
    found, notice = run_images.known_images(plan, around.chosen.places)
    return structs.replace(found, notices=(*found.notices, notice)) if notice else found


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
