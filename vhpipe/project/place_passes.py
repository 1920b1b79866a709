"""The steps from a compiled plan to one that can run that look at the places of its nodes, and at this machine."""

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from vhpipe.config.agent_controls import AGENT_CONTROLS
from vhpipe.plan.model import command_of
from vhpipe.plan.places import LOCAL
from vhpipe.project.plan_passes import PassContext

if TYPE_CHECKING:
    from vhpipe.plan.model import Plan, PlannedNode
    from vhpipe.project.step_mounts import MountRules


def say_controls(plan: "Plan", around: PassContext) -> "Plan":
    """What the variables of steps ask of the platform's agent and their places do not do."""
    if all(AGENT_CONTROLS.isdisjoint(_variables_of(node)) for node in plan.nodes):
        return plan
    from msgspec import structs

    from vhpipe.attempt.core_shares import allowed_cores
    from vhpipe.plan.agent_controls import controls_not_honoured
    from vhpipe.plan.capabilities import CAPABILITIES

    said = controls_not_honoured(plan.nodes, lambda node: CAPABILITIES[around.chosen.places.of(node)], allowed_cores())
    return structs.replace(plan, ignored=(*plan.ignored, *said))


def _variables_of(node: "PlannedNode") -> Iterable[str]:
    return () if node.spec is None else node.spec.environment_variables


def say_host_needs(plan: "Plan", around: PassContext) -> "Plan":
    """What commands change on this machine, and what fails where they run: of the nodes that run."""
    from vhpipe.command.host_hints import may_need_host, may_run_shell_script

    everything = "\n".join(text for node in plan.nodes for text in command_of(node))
    if not (may_need_host(everything) or may_run_shell_script(everything)):
        return plan
    nodes = tuple(
        node
        for node in plan.nodes
        if node.name not in around.selection.given
        and any(may_need_host(text) or may_run_shell_script(text) for text in command_of(node))
    )
    if not nodes:
        return plan
    from msgspec import structs

    from vhpipe.engine.places_here import folder_trial
    from vhpipe.project.host_notices import host_notices

    said = host_notices(nodes, around.chosen.places.of, around.source.project, lambda: folder_trial().way == "user")
    return structs.replace(plan, notices=(*plan.notices, *said))


def say_unmatched(plan: "Plan", around: PassContext) -> "Plan":
    """Nodes and steps of the project's settings that the file does not have, as far as all of it could be read."""
    rules, definition = around.source.conditions.place_rules, around.source.definition
    if not rules or definition.passed_over:
        return plan
    from msgspec import structs

    from vhpipe.project.unmatched_names import unmatched_settings

    return structs.replace(plan, notices=(*plan.notices, *unmatched_settings(rules, definition.config)))


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


def refuse_missing_folders(plan: "Plan", around: PassContext) -> "Plan":
    from vhpipe.project import missing_folders

    missing_folders.refuse_missing_folders(plan, around.chosen, around.running_in(plan))
    return plan


def refuse_unusable_places(plan: "Plan", around: PassContext) -> "Plan":
    nodes, conditions = around.running_in(plan), around.source.conditions
    around.chosen.refuse_unusable(nodes)
    around.chosen.refuse_unfit(nodes, conditions.repository, conditions.has_network)
    return plan


def find_mounts(plan: "Plan", around: PassContext) -> "Plan":
    """What of this machine steps mount, at places that do."""
    from msgspec import structs

    if around.source.request.mounts:
        plan = _with_unmatched_mounts(plan, around)
    if not any(step.mounts or step.cache_volumes for step in around.graph.steps.values() if step is not None):
        return plan
    rules = _mount_rules(around)
    nodes = (node if node.name in around.selection.given else _with_mounts(node, around, rules) for node in plan.nodes)
    return structs.replace(plan, nodes=tuple(nodes))


def _with_unmatched_mounts(plan: "Plan", around: PassContext) -> "Plan":
    from msgspec import structs

    from vhpipe.project.unmatched_names import unmatched_mounts

    running = (around.graph.steps.get(name) for name in around.running_in(plan))
    sources = (mount.source for step in running if step is not None for mount in step.mounts)
    return structs.replace(plan, notices=(*plan.notices, *unmatched_mounts(around.source.request.mounts, sources)))


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
    places = around.chosen.places.of_all(node.name for node in plan.nodes)
    if places == {LOCAL}:
        return plan
    from vhpipe.plan.container_settings import TOOLS

    if places.isdisjoint(TOOLS):
        return plan
    from msgspec import structs

    from vhpipe.engine import run_images

    conditions = around.source.conditions
    if conditions.pulls_images:
        return run_images.find_images(plan, around.chosen.places, conditions.containers, conditions.shows_pulls)
    found, notice = run_images.known_images(plan, around.chosen.places)
    return structs.replace(found, notices=(*found.notices, notice)) if notice else found
