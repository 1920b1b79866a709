"""What depends on what in one pipeline, with everything that its nodes name looked up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Edge, Endpoint, Node, Pipeline, Step, Task
from vhpipe.graph.references import Link, ReferenceText

if TYPE_CHECKING:
    from vhpipe.config.commits import CommitFile
    from vhpipe.config.extension_model import Extension


class PipelineGraph(NamedTuple):
    """A pipeline whose names are resolved. Everything is in file order unless said otherwise.

    `nodes`: by name, the last of equal names wins.
    `steps`: of every execution and task node its step with the node's override merged in;
    None where the step is unknown, also in the commit that the node names.
    `tasks`: of every task node its blueprint; None where it has none or names an unknown one.
    `endpoints`: of every deployment node the endpoints that it names and that exist.
    `edges`: those whose both ends name nodes of the pipeline; the other edges are in `pipeline.edges` only.
    `upstream`, `downstream`: the direct neighbours of every node by edges and links, each once.
    `order`: a topological order, ties in file order, without the nodes that are in a cycle or behind one.
    `cycles`: one for each component of nodes that wait for each other, and every edge from a node to itself;
    a cycle starts at its first node in the file and does not repeat it at the end.
    `references`: of the nodes that have some, the texts with references.
    `links`, and by their target `links_into`: dependencies that references and `after` make, those of nodes on
    themselves too.
    `extension`: what the item `vhpipe` says of the pipeline, the last of several.
    `commits`: of the nodes that name a commit its file, as far as somebody has looked.
    """

    pipeline: Pipeline
    nodes: Mapping[str, Node]
    steps: Mapping[str, Step | None]
    tasks: Mapping[str, Task | None]
    endpoints: Mapping[str, Mapping[str, Endpoint]]
    edges: tuple[Edge, ...]
    edges_into: Mapping[str, tuple[Edge, ...]]
    edges_out_of: Mapping[str, tuple[Edge, ...]]
    upstream: Mapping[str, tuple[str, ...]]
    downstream: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    cycles: tuple[tuple[str, ...], ...]
    references: Mapping[str, tuple[ReferenceText, ...]] = {}
    links: tuple[Link, ...] = ()
    links_into: Mapping[str, tuple[Link, ...]] = {}
    extension: "Extension | None" = None
    commits: "Mapping[str, CommitFile]" = MappingProxyType({})
