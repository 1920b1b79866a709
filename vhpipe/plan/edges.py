"""Which edges are in force: those of the file, but for the ones that a node argument takes the place of.

Sources: decisions 11 and 66.
"""

from collections.abc import Iterator, Sequence

from vhpipe.config.model import EdgeKind
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile_references import nodes_in
from vhpipe.plan.extension import sources_in
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedEdge, PlannedNode


def edges_in_force(
    graph: PipelineGraph, arguments: Arguments
) -> tuple[tuple[PlannedEdge, ...], tuple[PlannedEdge, ...]]:
    """The edges in force and the edges cut, both in file order and with their places in the file."""
    kept: list[PlannedEdge] = []
    cut: list[PlannedEdge] = []
    for edge in _all_edges(graph):
        is_kept = _replacement(edge, arguments) is None and not is_of_nothing(graph, edge)
        (kept if is_kept else cut).append(edge)
    return tuple(kept), tuple(cut)


def is_of_nothing(graph: PipelineGraph, edge: PlannedEdge) -> bool:
    """Whether the edge comes from a parameter that its step does not declare, so that it can bring nothing."""
    step = graph.steps.get(edge.source) if edge.source_kind is EdgeKind.PARAMETER else None
    return step is not None and step.parameter(edge.source_key) is None


def _replacement(edge: PlannedEdge, arguments: Arguments) -> str | None:
    return arguments.option_for(edge.target_kind, edge.target, edge.target_key)


def cut_notice(edge: PlannedEdge, arguments: Arguments) -> str:
    """The sentence that tells the user of an edge that an argument replaces, or that brings nothing."""
    by = _replacement(edge, arguments)
    if by is not None:
        return f"{by} replaces the edge `{edge}`"
    kept = f"`{edge.target_key}` of `{edge.target}` keeps its value"
    return f"the edge `{edge}` brings nothing: its step has no parameter `{edge.source_key}`, so {kept}"


def _all_edges(graph: PipelineGraph) -> tuple[PlannedEdge, ...]:
    edges = []
    for index, edge in enumerate(graph.pipeline.edges):
        source, target = edge.source, edge.target
        assert source.kind is not None, "a file without errors names known kinds"
        assert target.kind is not None, "a file without errors names known kinds"
        edges.append(PlannedEdge(index, source.node, source.kind, source.key, target.node, target.kind, target.key))
    return tuple(edges)


def gets_new_version(plan: Plan, node: str) -> bool:
    """Whether an edge brings the id of a deployment version that the run itself makes: another one in each run."""
    return any(
        edge.source_kind is EdgeKind.DEPLOYMENT and edge.source_key != "id" and _makes_version(plan.node(edge.source))
        for edge in plan.edges_into(node)
    )


def _makes_version(node: PlannedNode) -> bool:
    return isinstance(node, PlannedDeployment) and node.given is None


AFTER, REFERENCE = "after", "reference"


def dependency_edges(graph: PipelineGraph, nodes: Sequence[PlannedNode]) -> Iterator[PlannedEdge]:
    """What references in force and `after` make a node wait for, as edges without data.

    Their places go on from those of the edges in the file.
    """
    index = len(graph.pipeline.edges)
    after = {node.name: node.after for node in graph.extension.nodes} if graph.extension else {}
    for node in nodes:
        references = () if isinstance(node, PlannedDeployment) else nodes_in(node.references)
        referred = dict.fromkeys((*references, *sources_in(node.extras)), REFERENCE)
        for source, key in (dict.fromkeys(after.get(node.name, ()), AFTER) | referred).items():
            yield PlannedEdge(index, source, EdgeKind.DEPENDENCY, key, node.name, EdgeKind.DEPENDENCY, key)
            index += 1
