"""Where the nodes of a pipeline have references, and what depends on what because of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from vhpipe.config.model import DeploymentNode, Edge, EdgeKind, EdgeMergeMode, Node, Override, Step, Value
from vhpipe.config.reference_parts import Part, Reference
from vhpipe.config.references import OPENING, parse_template
from vhpipe.diagnostics import Location, Path


class Written(NamedTuple):
    """One text with `${`. `where` is what it fills: a parameter, an input, an environment variable.

    `item` is its position in a list of defaults, None for a default that is no list. `is_default`: it stands in the
    step, not in the node's override, and is as weak as any default. `at` is the place of the whole text.
    """

    where: EdgeKind
    name: str
    text: str
    parts: tuple[Part, ...]
    at: Location
    item: int | None = None
    is_default: bool = False

    def references(self) -> Iterator[Reference]:
        return (part for part in self.parts if isinstance(part, Reference))

    def place_of(self, reference: Reference) -> Location:
        """The characters of one whole reference."""
        return self.at._replace(chars=(reference.start, reference.start + len(reference.text)))


class Link(NamedTuple):
    """A dependency without data that is no edge of the file: `target` waits for `source`. `at` names the source."""

    source: str
    target: str
    at: Location


def written_references(
    nodes: Mapping[str, Node], steps: Mapping[str, Step | None], edges_into: Mapping[str, tuple[Edge, ...]]
) -> dict[str, tuple[Written, ...]]:
    """Of every node that has some, the texts with references that nothing in the file takes the place of."""
    memory: dict[int, tuple[Written, ...]] = {}
    found = {}
    for name, step in steps.items():
        if step is None:
            continue
        written = memory.get(id(step))
        if written is None:
            written = memory[id(step)] = tuple(references_of_step(step))
        if written:
            taken = _taken(nodes[name], edges_into[name])
            found[name] = tuple(each for each in written if (each.where, each.name) not in taken)
    return {name: written for name, written in found.items() if written}


def reference_links(
    nodes: Mapping[str, Node], references: Mapping[str, Iterable[Written]]
) -> Iterator[Link]:
    """One link for each reference to a node of the pipeline."""
    for name, written in references.items():
        for each in written:
            for reference in each.references():
                if not reference.is_of_pipeline and reference.node in nodes:
                    yield Link(reference.node, name, each.at._replace(chars=reference.node_at))


def references_of_step(step: Step | Override) -> Iterator[Written]:
    """The defaults of parameters, inputs and environment variables that have something to fill in."""
    for parameter in step.parameters:
        yield from _written(EdgeKind.PARAMETER, parameter.name, parameter.default, parameter.at)
    for item in step.inputs:
        yield from _written(EdgeKind.INPUT, item.name, item.default, item.at)
    for variable in step.environment_variables:
        yield from _written(EdgeKind.ENVIRONMENT_VARIABLE, variable.name, variable.default, variable.at)


def _written(where: EdgeKind, name: str, default: Value, at: Path) -> Iterator[Written]:
    if isinstance(default, str):
        if OPENING in default:
            yield _one(where, name, default, at, None)
    elif isinstance(default, tuple):
        for index, text in enumerate(default):
            if isinstance(text, str) and OPENING in text:
                yield _one(where, name, text, at, index)


def _one(where: EdgeKind, name: str, text: str, at: Path, index: int | None) -> Written:
    way = (*at, "default") if index is None else (*at, "default", index)
    is_default = len(at) > 1 and at[1] == "step"
    return Written(where, name, text, parse_template(text), Location(way), index, is_default)


def _taken(node: Node, edges: Iterable[Edge]) -> frozenset[tuple[EdgeKind, str]]:
    """What edges fill, so that a default there does not count."""
    appends = not isinstance(node, DeploymentNode) and node.edge_merge_mode is EdgeMergeMode.APPEND
    return frozenset(
        (edge.target.kind, edge.target.key)
        for edge in edges
        if edge.target.kind is not None and not (appends and edge.target.kind is EdgeKind.INPUT)
    )
