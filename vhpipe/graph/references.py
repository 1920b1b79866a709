"""Where the nodes of a pipeline have references, and what depends on what because of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from vhpipe.config.edge_kinds import slots_of
from vhpipe.config.model import DeploymentNode, Edge, EdgeKind, EdgeMergeMode, Node, Override, Step, Value
from vhpipe.diagnostics import Location, Path
from vhpipe.language.reference import Part, Reference
from vhpipe.language.template import OPENING, parse_template

if TYPE_CHECKING:
    from vhpipe.config.extension_model import ConfigurationExtension, Extension, NodeExtension


class ReferenceText(NamedTuple):
    """One text with `${`. `where` is what it fills: a parameter, an input, an environment variable; of an extension the
    condition `when`, or the configuration object called `name`.

    `item` is its position in a list of defaults, None for a default that is no list. `is_default`: it stands in the
    step, not in the node's override, and is as weak as any default. `at` is the place of the entire text.
    """

    where: EdgeKind | Literal["when", "configuration"]
    name: str
    text: str
    parts: tuple[Part, ...]
    at: Location
    item: int | None = None
    is_default: bool = False

    def references(self) -> Iterator[Reference]:
        return (part for part in self.parts if isinstance(part, Reference))

    def place_of(self, reference: Reference) -> Location:
        """The characters of one complete reference."""
        return self.at._replace(chars=(reference.start, reference.start + len(reference.text)))


class Link(NamedTuple):
    """A dependency without data that is no edge of the file: `target` waits for `source`. `at` names the source.

    `is_after`: the extension says so; else a reference does.
    """

    source: str
    target: str
    at: Location
    is_after: bool = False


def written_references(
    nodes: Mapping[str, Node],
    steps: Mapping[str, Step | None],
    edges_into: Mapping[str, tuple[Edge, ...]],
    extension: "Extension | None",
) -> dict[str, tuple[ReferenceText, ...]]:
    """Of every node that has some, the texts with references that nothing in the file takes the place of."""
    found = _of_steps(nodes, steps, edges_into)
    for name, written in references_of_extension(extension, nodes) if extension else ():
        found[name] = (*found.get(name, ()), *written)
    return found


def references_of_extension(
    extension: "Extension", nodes: Mapping[str, Node]
) -> Iterator[tuple[str, tuple[ReferenceText, ...]]]:
    """Of each of the nodes its condition, and the configuration that it has by itself or from the pipeline."""
    said = {each.name: each for each in extension.nodes}
    for name, of_pipeline in nodes.items():
        node = said.get(name)
        objects = () if isinstance(of_pipeline, DeploymentNode) else configuration_of(extension, node)
        written = [each for item in objects for each in _in_configuration(item)]
        if node is not None and node.when is not None and OPENING in node.when:
            at = Location((*node.at, "when"))
            written.append(ReferenceText("when", "when", node.when, parse_template(node.when), at))
        if written:
            yield name, tuple(written)


def configuration_of(extension: "Extension", node: "NodeExtension | None") -> tuple["ConfigurationExtension", ...]:
    """The configuration objects of a node: those of the pipeline, and its own in the place of equal names."""
    common = {each.name: each for each in extension.configuration}
    own = {each.name: each for each in node.configuration} if node else {}
    return tuple({**common, **own}.values())


def _in_configuration(item: "ConfigurationExtension") -> Iterator[ReferenceText]:
    """The texts with references in the content, at any depth."""
    waiting: list[tuple[object, Path]] = [(item.content, item.at)]
    while waiting:
        content, at = waiting.pop()
        if isinstance(content, str) and OPENING in content:
            yield ReferenceText("configuration", item.name, content, parse_template(content), Location(at))
        elif isinstance(content, dict):
            waiting.extend((value, (*at, key)) for key, value in content.items())
        elif isinstance(content, list):
            waiting.extend((value, (*at, index)) for index, value in enumerate(content))


def _of_steps(
    nodes: Mapping[str, Node], steps: Mapping[str, Step | None], edges_into: Mapping[str, tuple[Edge, ...]]
) -> dict[str, tuple[ReferenceText, ...]]:
    memory: dict[int, tuple[ReferenceText, ...]] = {}
    found = {}
    for name, step in steps.items():
        if step is None:
            continue
        written = memory.get(id(step))
        if written is None:
            written = memory[id(step)] = tuple(references_of_step(step))
        if written:
            taken = _slots_of_edges(nodes[name], edges_into[name])
            found[name] = tuple(each for each in written if (each.where, each.name) not in taken)
    return {name: written for name, written in found.items() if written}


def reference_links(nodes: Mapping[str, Node], references: Mapping[str, Iterable[ReferenceText]]) -> Iterator[Link]:
    """One link for each reference to a node of the pipeline."""
    for name, written in references.items():
        for each in written:
            for reference in each.references():
                if not reference.is_of_pipeline and reference.node in nodes:
                    yield Link(reference.node, name, each.at._replace(chars=reference.node_at))


def after_links(nodes: Mapping[str, Node], extension: "Extension | None") -> Iterator[Link]:
    """One link for each node that the extension puts before another."""
    for node in extension.nodes if extension else ():
        for source, at in zip(node.after, node.after_at, strict=True):
            if source in nodes and node.name in nodes:
                yield Link(source, node.name, Location(at), is_after=True)


def references_of_step(step: Step | Override) -> Iterator[ReferenceText]:
    """The defaults of parameters, inputs and environment variables that have something to fill in."""
    for kind, item in slots_of(step):
        yield from _reference_texts(kind, item.name, item.default, item.at)


def _reference_texts(where: EdgeKind, name: str, default: Value, at: Path) -> Iterator[ReferenceText]:
    if isinstance(default, str):
        if OPENING in default:
            yield _one(where, name, default, at, None)
    elif isinstance(default, tuple):
        for index, text in enumerate(default):
            if isinstance(text, str) and OPENING in text:
                yield _one(where, name, text, at, index)


def _one(where: EdgeKind, name: str, text: str, at: Path, index: int | None) -> ReferenceText:
    path = (*at, "default") if index is None else (*at, "default", index)
    is_default = len(at) > 1 and at[1] == "step"
    return ReferenceText(where, name, text, parse_template(text), Location(path), index, is_default)


def _slots_of_edges(node: Node, edges: Iterable[Edge]) -> frozenset[tuple[EdgeKind, str]]:
    """What edges fill, so that a default there does not count."""
    appends = not isinstance(node, DeploymentNode) and node.edge_merge_mode is EdgeMergeMode.APPEND
    return frozenset(
        (edge.target.kind, edge.target.key)
        for edge in edges
        if edge.target.kind is not None and not (appends and edge.target.kind is EdgeKind.INPUT)
    )
