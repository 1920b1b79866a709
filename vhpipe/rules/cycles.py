"""Nodes that wait for each other, or for themselves."""

from collections.abc import Iterator
from itertools import pairwise

from vhpipe.config.model import Edge
from vhpipe.diagnostics import Related
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


def cycles(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """One finding for each knot; its text starts at the cycle's first node in the file."""
    knots = [cycle for cycle in graph.cycles if len(cycle) > 1]
    if not knots:
        return
    edges: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        edges.setdefault((edge.source.node, edge.target.node), edge)
    for cycle in knots:
        around = [*cycle, cycle[0]]
        steps = [edges[pair] for pair in pairwise(around)]
        yield Finding(
            f"these nodes wait for each other: {_drawn(around)}",
            node_in(steps[-1].source),
            hint="remove one of these edges",
            related=tuple(
                Related(node_in(edge.source), f"`{edge.target.node}` waits for `{edge.source.node}`")
                for edge in steps[:-1][:SHOWN]
            ),
        )


def _drawn(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names]
    if len(shown) > SHOWN + 1:
        shown[SHOWN - 2 : -2] = ["…"]
    return " → ".join(shown)
