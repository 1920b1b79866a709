"""Nodes that wait for each other, or for themselves."""

from collections.abc import Iterator
from itertools import pairwise

from vhpipe.diagnostics import RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import node_in
from vhpipe.rules.subject import Finding, Subject

SHOWN = 8
"""How many nodes of a cycle are written out; of a longer one the middle is left out."""


def self_edges(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for edge in graph.edges:
        if edge.source.node == edge.target.node:
            yield Finding(
                f"node `{edge.source.node}` waits for itself",
                node_in(edge.target),
                hint="an edge goes from one node to another",
            )
    for link in graph.links:
        if link.is_after and link.source == link.target:
            yield Finding(f"node `{link.source}` waits for itself", link.at, hint="remove it")


def cycles(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """One finding for each component of the graph; its text starts at the cycle's first node in the file."""
    longer = [cycle for cycle in graph.cycles if len(cycle) > 1]
    if not longer:
        return
    links = {(link.source, link.target): link.at for link in reversed(graph.links)}
    edges = {(edge.source.node, edge.target.node): node_in(edge.source) for edge in reversed(graph.edges)}
    places = {**links, **edges}
    for cycle in longer:
        around = [*cycle, cycle[0]]
        pairs = list(pairwise(around))
        has_links = any(pair not in edges for pair in pairs)
        yield Finding(
            f"these nodes wait for each other: {_cycle_text(around)}",
            places[pairs[-1]],
            hint="remove one of these edges or references" if has_links else "remove one of these edges",
            related=tuple(
                RelatedPlace(places[(source, target)], f"`{target}` waits for `{source}`")
                for source, target in pairs[:-1][:SHOWN]
            ),
        )


def _cycle_text(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names]
    if len(shown) > SHOWN + 1:
        shown[SHOWN - 2 : -2] = ["…"]
    return " → ".join(shown)
