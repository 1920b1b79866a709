"""A plan for people to look at: what can be planned, with marks where a run would be refused.

Source: decision 130.
"""

from pathlib import Path
from typing import NamedTuple

from vhpipe.diagnostics import NodeMarks
from vhpipe.errors import InvalidFile, RefusedError, UsageError, VhpipeError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.model import Plan
from vhpipe.plan.places import EVERYTHING_LOCAL, LOCAL, NodePlaces, has_folder
from vhpipe.plan.required_values import MissingValue, refuse_missing
from vhpipe.project.checked_file import CheckedFile
from vhpipe.project.planning import SHOWING, PlannedRun, plan_to_look_at
from vhpipe.project.request import RunArguments, project_folder
from vhpipe.project.run_conditions import RunChoices

Slot = tuple[str, str, str]
"""Node, kind and key of what an edge fills."""


class ShownPlan(NamedTuple):
    """`refusal` is what a run would be refused with; None where it would not."""

    plan: Plan
    marks: NodeMarks
    refusal: VhpipeError | None = None
    places: NodePlaces = EVERYTHING_LOCAL

    def place_of(self, node: str) -> str | None:
        """Where a node would run; None for the usual place."""
        place = self.places.of(node)
        return None if place == LOCAL else place


def plan_to_show(file: CheckedFile, arguments: RunArguments, choices: RunChoices | None = None) -> ShownPlan:
    """What a run would do, as far as that can be said. Errors: UsageError for what does not fit the file at all."""
    try:
        part = file.part_asked_for(arguments.asked_part)
    except InvalidFile as refusal:
        return _faulty_plan(file, arguments, choices, refusal)
    made = plan_to_look_at(part, arguments, SHOWING, choices)
    marks = _merged(_marks_of_missing(made.unfilled), _marks_of_folders(made))
    shown = _with_notices(made, project_folder(arguments.file))
    refused = _refusal_of(made.unfilled) or _refusal_of_folders(made)
    return ShownPlan(shown, NodeMarks(marks), refused, made.chosen.places)


def _faulty_plan(
    file: CheckedFile, arguments: RunArguments, choices: RunChoices | None, refusal: InvalidFile
) -> ShownPlan:
    from vhpipe.project.asked_part import faulty_part

    if not arguments.is_pipeline:
        raise refusal
    faulty = faulty_part(file, arguments.asked_part, with_harmless=False)
    bad = _with_following(faulty.graph, faulty.marks)
    part = _without_nodes(faulty.part, faulty.graph, frozenset(bad))
    try:
        made = plan_to_look_at(part, arguments, SHOWING, choices)
    except UsageError:
        raise refusal from None
    fed = _fed_by(faulty.graph, bad)
    missing = tuple(each for each in made.unfilled if (each.node, each.kind, each.name) not in fed)
    of_nodes = {**_marks_of_missing(missing), **bad}
    for node, kind, key in fed:
        source = fed[node, kind, key]
        message = f"{kind} `{key}` comes from `{source}`, which cannot be planned"
        of_nodes[node] = (*of_nodes.get(node, ()), message)
    return ShownPlan(made.plan, NodeMarks(of_nodes, faulty.marks.others), refusal, made.chosen.places)


def _with_following(graph: PipelineGraph, marks: NodeMarks) -> dict[str, tuple[str, ...]]:
    """Why each node that cannot be planned cannot: its own errors, a cycle, or what it refers to."""
    bad = dict(marks.of_nodes)
    ordered = frozenset(graph.order)
    for name in graph.nodes:
        if name not in ordered:
            bad.setdefault(name, ("it is in or after a cycle",))
        elif name in graph.steps and graph.steps[name] is None:
            bad.setdefault(name, ("its step is not known",))
    for name in graph.order:
        source = next((link.source for link in graph.links_into.get(name, ()) if link.source in bad), None)
        if source is not None:
            bad.setdefault(name, (f"it waits for `{source}`, which cannot be planned",))
    return bad


def _without_nodes(part: CheckedFile, graph: PipelineGraph, bad: frozenset[str]) -> CheckedFile:
    from vhpipe.graph.build import build_graph

    nodes = tuple(node for node in graph.nodes.values() if node.name not in bad)
    edges = tuple(
        edge
        for edge in graph.edges
        if not bad.intersection((edge.source.node, edge.target.node)) and edge.source.kind and edge.target.kind
    )
    pipeline = graph.pipeline._replace(nodes=nodes, edges=edges)
    config = part.config._replace(pipelines=(pipeline,))
    return part._replace(config=config, graphs=(build_graph(config, pipeline),))


def _fed_by(graph: PipelineGraph, bad: dict[str, tuple[str, ...]]) -> dict[Slot, str]:
    """The slots of nodes that can be planned which an edge from one that cannot would fill, and that one."""
    return {
        (edge.target.node, edge.target.kind, edge.target.key): edge.source.node
        for edge in graph.edges
        if edge.source.node in bad and edge.target.node not in bad and edge.target.kind is not None
    }


def _marks_of_missing(missing: tuple[MissingValue, ...]) -> dict[str, tuple[str, ...]]:
    marks: dict[str, tuple[str, ...]] = {}
    for each in missing:
        marks[each.node] = (*marks.get(each.node, ()), f"nothing fills {each.kind} `{each.name}`: {each.argument}")
    return marks


def _lacks_folder(made: PlannedRun) -> bool:
    """Whether a node that runs has no `/valohai`."""
    return not all(map(has_folder, made.chosen.places.of_all(made.running)))


def _marks_of_folders(made: PlannedRun) -> dict[str, tuple[str, ...]]:
    if not _lacks_folder(made):
        return {}
    from vhpipe.project.missing_folders import marks_of_missing_folders

    return marks_of_missing_folders(made.plan, made.chosen, made.running)


def _merged(marks: dict[str, tuple[str, ...]], more: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {node: (*marks.get(node, ()), *more.get(node, ())) for node in (*marks, *more)}


def _with_notices(made: PlannedRun, project: Path) -> Plan:
    """The plan with what a run would say of its places."""
    if not _lacks_folder(made):
        return made.plan
    from msgspec import structs

    from vhpipe.project.missing_folders import folders_said

    said = folders_said(made.plan, made.chosen, made.running, project)
    return structs.replace(made.plan, notices=(*made.plan.notices, *said.remarks, *said.warnings))


def _refusal_of_folders(made: PlannedRun) -> RefusedError | None:
    if not _lacks_folder(made):
        return None
    from vhpipe.project.missing_folders import refuse_missing_folders

    try:
        refuse_missing_folders(made.plan, made.chosen, made.running)
    except RefusedError as refusal:
        return refusal
    return None


def _refusal_of(missing: tuple[MissingValue, ...]) -> UsageError | None:
    try:
        refuse_missing(missing)
    except UsageError as refusal:
        return refusal
    return None
