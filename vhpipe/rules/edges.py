"""Edges: do both ends exist, can the one fill the other, and is anything filled twice."""

from collections.abc import Callable, Iterator

from vhpipe.config.edge_kinds import BOTH, EDGE_KINDS, Side, declared_items, kinds_of_node
from vhpipe.config.model import DeploymentNode, Edge, EdgeEnd, EdgeKind
from vhpipe.diagnostics import Location, RelatedPlace, Span
from vhpipe.graph.model import PipelineGraph
from vhpipe.language.globs import match_names
from vhpipe.rules.places import key_in, kind_in, node_in
from vhpipe.rules.subject import Finding, NameChoice, Subject

LISTS = {EdgeKind.INPUT: "inputs", EdgeKind.PARAMETER: "parameters"}


def unknown_edge_nodes(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    if not subject.knows_all(graph.pipeline.at, "nodes"):
        return
    known = tuple(graph.nodes)
    for edge in graph.pipeline.edges:
        for end in (edge.source, edge.target):
            if end.node not in graph.nodes:
                yield Finding(
                    f"there is no node `{end.node}` in pipeline `{graph.pipeline.name}`",
                    node_in(end),
                    choice=NameChoice(end.node, known, "its nodes"),
                )


def incompatible_kinds(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for edge in graph.edges:
        source, target = edge.source.kind, edge.target.kind
        if source is None or target is None or target in EDGE_KINDS[source].fills:
            continue
        can = " or ".join(f"`{kind}`" for kind in EDGE_KINDS[source].fills)
        yield Finding(
            f"`{source}` of a node cannot go into `{target}` of another",
            kind_in(edge.target),
            hint=f"an edge from `{source}` goes into {can}" if can else f"no edge comes from `{source}`",
        )


def kinds_that_nodes_lack(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for edge in graph.edges:
        for end, side in zip((edge.source, edge.target), BOTH, strict=True):
            is_deployment = isinstance(graph.nodes[end.node], DeploymentNode)
            if end.kind is not None and end.kind not in kinds_of_node(is_deployment, side):
                yield _kind_not_of_node(end, is_deployment, side)


def _kind_not_of_node(end: EdgeEnd, is_deployment: bool, side: Side) -> Finding:
    is_what = "a deployment node" if is_deployment else "not a deployment node"
    message = f"`{end.node}` is {is_what} and {side} no `{end.kind}`"
    has = sorted(kinds_of_node(is_deployment, side))
    return Finding(message, kind_in(end), hint=f"it {side} {' or '.join(f'`{kind}`' for kind in has)}")


def unknown_deployment_keys(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for edge in graph.edges:
        end = edge.source
        keys = EDGE_KINDS[end.kind].keys if end.kind is not None else ()
        if keys and end.key not in keys:
            choice = NameChoice(end.key, keys, "what it provides")
            yield Finding(f"a deployment does not provide `{end.key}`", key_in(end), choice=choice)


def unknown_inputs(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    names_of = _names_by_node(subject, graph, EdgeKind.INPUT)
    for edge in graph.edges:
        for end in (edge.source, edge.target):
            known = names_of(end.node) if end.kind is EdgeKind.INPUT else None
            if known is None or end.key in known or (end is edge.source and _selects_any(end.key, known)):
                continue
            yield _step_has_no(graph, end, known)


def unknown_parameters(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    names_of = _names_by_node(subject, graph, EdgeKind.PARAMETER)
    for edge in graph.edges:
        for end in (edge.source, edge.target):
            known = names_of(end.node) if end.kind is EdgeKind.PARAMETER else None
            if known is not None and end.key not in known:
                yield _step_has_no(graph, end, known)


def is_edge_without_need(graph: PipelineGraph, at: Location | Span) -> bool:
    """Whether an edge from an undeclared parameter stands there that leads into one with a value of its own."""
    path = at.path if isinstance(at, Location) else None
    edge = next((edge for edge in graph.edges if edge.source.at == path), None)
    if edge is None or edge.target.kind is not EdgeKind.PARAMETER:
        return False
    end = edge.target
    step = graph.steps.get(end.node)
    parameter = step.parameter(end.key) if step is not None else None
    if parameter is None:
        return False
    targets = ((each, target) for each in graph.pipeline.parameters for target in each.targets)
    is_given = any(each.default is not None and target[:3] == end[:3] for each, target in targets)
    task = graph.tasks.get(end.node)
    varies = task is not None and any(each.name == end.key for each in task.parameters)
    return parameter.default is not None or is_given or varies


def parameters_filled_twice(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    first: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        end = edge.target
        if end.kind is not EdgeKind.PARAMETER:
            continue
        earlier = first.setdefault((end.node, end.key), edge)
        if earlier is not edge:
            yield Finding(
                f"parameter `{end.key}` of node `{end.node}` is filled by two edges",
                key_in(end),
                hint="only one edge can fill a parameter; remove one of them",
                related=(RelatedPlace(key_in(earlier.target), "the first one"),),
            )


def duplicate_edges(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Edges that appear twice; two edges into one parameter are another rule's findings."""
    first: dict[tuple[object, ...], Edge] = {}
    for edge in graph.edges:
        if edge.target.kind is EdgeKind.PARAMETER:
            continue
        earlier = first.setdefault((edge.source[:3], edge.target[:3]), edge)
        if earlier is not edge:
            yield Finding(
                f"the same edge from `{edge.source.node}` to `{edge.target.node}` appears here again",
                node_in(edge.source),
                hint="it changes nothing; remove it",
                related=(RelatedPlace(node_in(earlier.source), "the first one"),),
            )


def _names_by_node(subject: Subject, graph: PipelineGraph, kind: EdgeKind) -> Callable[[str], frozenset[str] | None]:
    """A look-up of the inputs or parameters of a node's step; None where they are not known for certain."""
    memory: dict[str, frozenset[str] | None] = {}

    def names_of(node: str) -> frozenset[str] | None:
        if node not in memory:
            step = graph.steps.get(node)
            if step is None or not subject.knows_all(step.at, LISTS[kind]):
                memory[node] = None
            else:
                memory[node] = frozenset(item.name for item in declared_items(step, kind) or ())
        return memory[node]

    return names_of


def _selects_any(pattern: str, names: frozenset[str]) -> bool:
    return bool(match_names(pattern, tuple(names)))


def _step_has_no(graph: PipelineGraph, end: EdgeEnd, known: frozenset[str]) -> Finding:
    step = graph.steps[end.node]
    assert step is not None, "names are known of steps that exist only"
    return Finding(
        f"step `{step.name}` of node `{end.node}` has no {end.kind} `{end.key}`",
        key_in(end),
        choice=NameChoice(end.key, tuple(sorted(known)), f"its {end.kind}s"),
    )
