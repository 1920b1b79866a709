"""What is wrong with a graph, as marks of its drawing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class GraphMarks(NamedTuple):
    """Sentences without an end: by the node that they are about, and those about what cannot be drawn."""

    of_nodes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    others: tuple[str, ...] = ()

    def of(self, node: str) -> tuple[str, ...]:
        return self.of_nodes.get(node, ())


NO_MARKS = GraphMarks()
