"""Pipeline parameters: what they fill, and whether they ever count."""

from collections.abc import Iterator

from vhpipe.command.parameter_values import value_problem
from vhpipe.config.model import DeploymentNode, EdgeEnd, EdgeKind, Multiple, Parameter, TaskNode, Value
from vhpipe.diagnostics import RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import key_in, kind_in, name_at, node_in, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject


def without_target(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    if not subject.knows_all(graph.pipeline.at, "nodes", "parameters"):
        return
    used = _parameters_in_references(graph) if graph.references else frozenset()
    for item in graph.pipeline.parameters:
        if not item.targets and item.name not in used:
            yield Finding(
                f"pipeline parameter `{item.name}` has no target",
                name_at(item.at),
                hint="add `targets: [NODE.parameter.NAME]`; nothing uses it so far",
            )


def _parameters_in_references(graph: PipelineGraph) -> frozenset[str]:
    texts = (written for of_node in graph.references.values() for written in of_node)
    return frozenset(each.key for written in texts for each in written.references() if each.is_of_pipeline)


def wrong_target_kinds(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for end in _targets(graph):
        if end.kind not in (EdgeKind.PARAMETER, None):
            yield Finding(
                f"a pipeline parameter cannot go into `{end.written_kind}`",
                kind_in(end),
                hint=f"write `{end.node}.parameter.NAME`",
            )


def unknown_targets(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for end in _targets(graph):
        if end.kind is not EdgeKind.PARAMETER:
            continue
        node = graph.nodes.get(end.node)
        if node is None and subject.knows_all(graph.pipeline.at, "nodes"):
            yield Finding(
                f"there is no node `{end.node}` in pipeline `{graph.pipeline.name}`",
                node_in(end),
                choice=NameChoice(end.node, tuple(graph.nodes), "its nodes"),
            )
        elif isinstance(node, DeploymentNode):
            yield Finding(
                f"`{end.node}` is a deployment node and has no parameters",
                node_in(end),
                hint="pipeline parameters go into execution and task nodes",
            )
        elif node is not None:
            yield from _unknown_parameter(subject, graph, end)


def _unknown_parameter(subject: Subject, graph: PipelineGraph, end: EdgeEnd) -> Iterator[Finding]:
    step = graph.steps.get(end.node)
    if step is None or not subject.knows_all(step.at, "parameters") or step.parameter(end.key) is not None:
        return
    yield Finding(
        f"step `{step.name}` of node `{end.node}` has no parameter `{end.key}`",
        key_in(end),
        choice=NameChoice(end.key, tuple(parameter.name for parameter in step.parameters), "its parameters"),
    )


def targets_filled_twice(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Two pipeline parameters into one parameter: the later one would win, whatever the earlier one is given."""
    first: dict[tuple[str, str], EdgeEnd] = {}
    for end in _targets(graph):
        earlier = first.setdefault((end.node, end.key), end)
        if earlier is not end:
            yield Finding(
                f"parameter `{end.key}` of node `{end.node}` is a target twice",
                key_in(end),
                hint="the last one counts; remove one of them",
                related=(RelatedPlace(key_in(earlier), "the first one"),),
            )


def overruled_by_edges(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """A pipeline parameter into a parameter that an edge fills: the edge always wins."""
    if not graph.pipeline.parameters:
        return
    edges = {
        (edge.target.node, edge.target.key): edge for edge in graph.edges if edge.target.kind is EdgeKind.PARAMETER
    }
    for end in _targets(graph):
        edge = edges.get((end.node, end.key))
        if edge is not None:
            yield Finding(
                f"this target never counts, because an edge fills parameter `{end.key}` of node `{end.node}`",
                key_in(end),
                hint="remove the edge or the target",
                related=(RelatedPlace(key_in(edge.target), "the edge"),),
            )


def invalid_defaults(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """A default that a run would refuse to give to one of the targets."""
    for item in graph.pipeline.parameters:
        if item.default is None:
            continue
        for end in item.targets:
            step = graph.steps.get(end.node)
            parameter = step.parameter(end.key) if step else None
            problem = _problem(graph, end, parameter, item.default) if parameter else None
            if problem:
                yield Finding(
                    f"the default of pipeline parameter `{item.name}` does not fit parameter `{end.key}` of node "
                    f"`{end.node}`: {problem}",
                    value_at(item.at, "default"),
                    related=(RelatedPlace(key_in(end), "the target"),),
                )
                break


def _problem(graph: PipelineGraph, end: EdgeEnd, parameter: Parameter, value: Value) -> str | None:
    """Why a run could not assign the value; None if it can. In a task node a list spreads if each element fits."""
    if isinstance(value, tuple) and parameter.multiple is Multiple.NONE:
        if not isinstance(graph.nodes[end.node], TaskNode):
            return "it is a list, and the parameter takes one value"
        return next((problem for item in value if (problem := value_problem(parameter, item))), None)
    return value_problem(parameter, value)


def _targets(graph: PipelineGraph) -> Iterator[EdgeEnd]:
    for item in graph.pipeline.parameters:
        yield from item.targets
