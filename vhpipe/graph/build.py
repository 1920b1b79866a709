"""Config → PipelineGraph. Total: a file full of faults gives a graph too, for the rules to look at."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    Edge,
    Endpoint,
    ExecutionNode,
    Node,
    Pipeline,
    Step,
    Task,
    TaskNode,
)
from vhpipe.graph.model import PipelineGraph
from vhpipe.graph.order import cycles_in, topological_order
from vhpipe.graph.override import effective_step
from vhpipe.graph.references import Link, after_links, reference_links, written_references

if TYPE_CHECKING:
    from vhpipe.config.commits import CommitFile


def build_graph(config: Config, pipeline: Pipeline) -> PipelineGraph:
    """The graph of a pipeline. Never raises; takes time in proportion to nodes and edges."""
    nodes = {node.name: node for node in pipeline.nodes}
    commits = _commits(config, nodes.values())
    tasks = _blueprints(config, nodes.values())
    edges = tuple(edge for edge in pipeline.edges if edge.source.node in nodes and edge.target.node in nodes)
    steps = _steps(config, nodes.values(), tasks)
    edges_into = _group_edges(nodes, ((edge.target.node, edge) for edge in edges))
    extension = next((each for each in reversed(config.extensions) if each.pipeline == pipeline.name), None)
    references = written_references(nodes, steps, edges_into, extension)
    links = (*after_links(nodes, extension), *reference_links(nodes, references))
    pairs = [(edge.source.node, edge.target.node) for edge in edges] + [(link.source, link.target) for link in links]
    downstream = _neighbours(nodes, pairs)
    order = topological_order(downstream)
    return PipelineGraph(
        pipeline=pipeline,
        nodes=nodes,
        steps=steps,
        tasks=tasks,
        endpoints=_endpoints(config, nodes.values()),
        edges=edges,
        edges_into=edges_into,
        edges_out_of=_group_edges(nodes, ((edge.source.node, edge) for edge in edges)),
        upstream=_neighbours(nodes, ((target, source) for source, target in pairs)),
        downstream=downstream,
        order=order,
        cycles=cycles_in(downstream) if len(order) < len(nodes) else (),
        references=references,
        links=links,
        links_into=_links_into(links),
        extension=extension,
        commits=commits,
    )


def _blueprints(config: Config, nodes: Iterable[Node]) -> dict[str, Task | None]:
    known = config.tasks_by_name()
    return {
        node.name: known.get(node.task or "") if node.commit is None else _of_commit(config, node)[1]
        for node in nodes
        if isinstance(node, TaskNode)
    }


def _of_commit(config: Config, node: ExecutionNode | TaskNode) -> tuple[Step | None, Task | None]:
    from vhpipe.config.commits import step_of_commit  # few nodes have one

    return step_of_commit(config, node)


def _commits(config: Config, nodes: Iterable[Node]) -> "dict[str, CommitFile]":
    if not config.commits:
        return {}
    named = ((node.name, node.commit) for node in nodes if not isinstance(node, DeploymentNode) and node.commit)
    return {node: config.commits[commit] for node, commit in named if commit in config.commits}


def _steps(config: Config, nodes: Iterable[Node], tasks: Mapping[str, Task | None]) -> dict[str, Step | None]:
    known = config.steps_by_name()
    steps: dict[str, Step | None] = {}
    for node in nodes:
        if isinstance(node, DeploymentNode):
            continue
        if node.commit is not None:
            step = _of_commit(config, node)[0]
        else:
            blueprint = tasks.get(node.name)
            step = known.get((blueprint.step if blueprint else node.step) or "")
        steps[node.name] = None if step is None else effective_step(step, node.override)
    return steps


def _endpoints(config: Config, nodes: Iterable[Node]) -> dict[str, dict[str, Endpoint]]:
    known = config.endpoints_by_name()
    return {
        node.name: {name: known[name] for name in node.endpoints if name in known}
        for node in nodes
        if isinstance(node, DeploymentNode)
    }


def _group_edges(nodes: Iterable[str], pairs: Iterable[tuple[str, Edge]]) -> dict[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {name: [] for name in nodes}
    for name, edge in pairs:
        groups[name].append(edge)
    return {name: tuple(edges) for name, edges in groups.items()}


def _links_into(links: Iterable[Link]) -> dict[str, tuple[Link, ...]]:
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(link.target, []).append(link)
    return {name: tuple(found) for name, found in groups.items()}


def _neighbours(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The second names of the pairs by their first, each once, in the order of the nodes in the file."""
    position = {name: number for number, name in enumerate(nodes)}
    groups: dict[str, set[str]] = {name: set() for name in position}
    for name, neighbour in pairs:
        groups[name].add(neighbour)
    return {name: tuple(sorted(found, key=position.__getitem__)) for name, found in groups.items()}
