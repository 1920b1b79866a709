"""The errors of a pipeline by the node that they concern, so that a drawing or a plan can mark them there."""

from collections.abc import Iterator, Sequence

from vhpipe.config.model import DeploymentNode, Edge
from vhpipe.diagnostics import Diagnostic, Location, NodeMarks, Path
from vhpipe.graph.model import PipelineGraph
from vhpipe.project.checked_file import CheckedFile
from vhpipe.project.excuses import ExcusedError


def marks_of(part: CheckedFile, graph: PipelineGraph, errors: Sequence[ExcusedError]) -> NodeMarks:
    """The marks of a graph of the file; an error of an edge is its target's, one of a step that of its nodes."""
    of_nodes: dict[str, list[str]] = {}
    others: list[str] = []
    for each in errors:
        names = tuple(dict.fromkeys(_nodes_of(part, graph, each.diagnostic)))
        text = f"{each.told.message} (line {part.span(each.diagnostic.at).line})"
        for name in names:
            of_nodes.setdefault(name, []).append(text)
        if not names:
            others.append(text)
    return NodeMarks({name: tuple(found) for name, found in of_nodes.items()}, tuple(others))


def _nodes_of(part: CheckedFile, graph: PipelineGraph, item: Diagnostic) -> Iterator[str]:
    path = item.at.path if isinstance(item.at, Location) else ()
    place = path[:2]
    if place == graph.pipeline.at:
        yield from _in_pipeline(graph, path)
        return
    yield from (name for name, step in graph.steps.items() if step is not None and step.at == place)
    yield from (name for name, task in graph.tasks.items() if task is not None and task.at == place)
    for name, node in graph.nodes.items():
        if isinstance(node, DeploymentNode) and _is_deployed(part, graph, node, place):
            yield name
    extension = graph.extension
    if extension is not None and extension.at == place and len(path) > 3 and path[2] == "nodes":
        yield from (name for name in graph.nodes if name == path[3])


def _is_deployed(part: CheckedFile, graph: PipelineGraph, node: DeploymentNode, place: Path) -> bool:
    endpoints = any(endpoint.at == place for endpoint in graph.endpoints[node.name].values())
    return endpoints or any(each.at == place and each.name == node.deployment for each in part.config.deployments)


def _in_pipeline(graph: PipelineGraph, path: Path) -> Iterator[str]:
    for name, node in graph.nodes.items():
        if path[: len(node.at)] == node.at:
            yield name
    edge = next((edge for edge in graph.pipeline.edges if path[: len(edge.at)] == edge.at), None)
    if edge is not None:
        yield from _end_of(graph, edge)


def _end_of(graph: PipelineGraph, edge: Edge) -> Iterator[str]:
    """The node that lacks something because of the edge."""
    ends = (edge.target.node, edge.source.node)
    yield from [name for name in ends if name in graph.nodes][:1]
