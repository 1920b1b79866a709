"""A graph as text: for eyes, for Mermaid, for Graphviz, for programs."""

import json
from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, Edge, EdgeEnd, ExecutionNode, Node, TaskNode
from vhpipe.diagnostics import NO_MARKS, NodeMarks
from vhpipe.graph.model import PipelineGraph
from vhpipe.wording import counted

FORMATS = ("text", "mermaid", "dot", "json")


def draw(graph: PipelineGraph, format: str, marks: NodeMarks = NO_MARKS) -> str:
    """The drawing in one of FORMATS, without a line break at its end; what is wrong is marked.

    Names are escaped so that none of them can say anything in the language of the drawing, or steer a terminal.
    """
    return {"text": _text, "mermaid": _mermaid, "dot": _dot, "json": _json}[format](graph, marks)


def layers(graph: PipelineGraph) -> dict[str, int]:
    """How many nodes, counted along the longest path, stand before each node; what a cycle blocks is left out."""
    import networkx  # 140 ms, so only where something is drawn

    drawn: networkx.DiGraph[str] = networkx.DiGraph()
    drawn.add_nodes_from(graph.order)
    drawn.add_edges_from((upstream, name) for name in graph.order for upstream in graph.upstream[name])
    layer = {name: number for number, names in enumerate(networkx.topological_generations(drawn)) for name in names}
    return {name: layer[name] for name in graph.order}


# ── for eyes ─────────────────────────────────────────────────────────────────────────────────────


def _text(graph: PipelineGraph, marks: NodeMarks) -> str:
    counts = f"{counted(len(graph.nodes), 'node')}, {counted(len(graph.edges), 'edge')}"
    lines = [f"{_visible(graph.pipeline.name)}: {counts}"]
    last_layer = -1
    for name, layer in layers(graph).items():
        if layer > last_layer:
            lines.append("")
        last_layer = max(layer, last_layer)
        lines.extend(_node_lines(graph, name, marks))
    ordered = set(graph.order)
    blocked = [name for name in graph.nodes if name not in ordered]
    if blocked:
        lines.extend(["", "in or after a cycle:"])
        lines.extend(line for name in blocked for line in _node_lines(graph, name, marks))
    if marks.others:
        lines.extend(["", "cannot be drawn:", *(f"  ! {_visible(each)}" for each in marks.others)])
    return "\n".join(lines)


def _node_lines(graph: PipelineGraph, name: str, marks: NodeMarks) -> Iterator[str]:
    yield f"{_visible(name)}  ({_visible(_what_it_is(graph, graph.nodes[name]))})"
    yield from (f"  ! {_visible(each)}" for each in marks.of(name))
    width = max((len(_visible(_end(edge.source))) for edge in graph.edges_into[name]), default=0)
    for edge in graph.edges_into[name]:
        target = f"{edge.target.written_kind}.{edge.target.key}"
        yield f"  <- {_visible(_end(edge.source)).ljust(width)}  as {_visible(target)}"
    for source, why in _links_into(graph, name):
        yield f"  <- {_visible(source)}  {why}"


def _links_into(graph: PipelineGraph, name: str) -> Iterator[tuple[str, str]]:
    """The nodes that links make a node wait for, each once, and why."""
    found = {link.source: link.is_after for link in reversed(graph.links_into.get(name, ()))}
    for source, is_after in reversed(found.items()):
        yield source, "before it" if is_after else "by reference"


def _what_it_is(graph: PipelineGraph, node: Node) -> str:
    match node:
        case ExecutionNode():
            return f"execution of {node.step}"
        case TaskNode(task=None):
            return f"task over {node.step}"
        case TaskNode():
            blueprint = graph.tasks.get(node.name)
            return f"task {node.task} over {blueprint.step}" if blueprint else f"task {node.task}"
        case DeploymentNode():
            return f"deployment to {node.deployment}"


def _end(end: EdgeEnd) -> str:
    return f"{end.node}.{end.kind or end.written_kind}.{end.key}"


def _visible(text: str) -> str:
    """The text on one line, with everything escaped that is not a printable character."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


# ── for Mermaid and Graphviz ─────────────────────────────────────────────────────────────────────


def _mermaid(graph: PipelineGraph, marks: NodeMarks) -> str:
    brackets = {ExecutionNode: ("[", "]"), TaskNode: ("[[", "]]"), DeploymentNode: ("([", "])")}
    ids = {name: f"n{number}" for number, name in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    for name, node in graph.nodes.items():
        opening, closing = brackets[type(node)]
        texts = (name, _what_it_is(graph, node), *(f"! {each}" for each in marks.of(name)))
        label = "<br/>".join(map(_mermaid_text, texts))
        lines.append(f'    {ids[name]}{opening}"{label}"{closing}')
    for edge in graph.edges:
        label = _mermaid_text(_edge_label(edge))
        lines.append(f'    {ids[edge.source.node]} -->|"{label}"| {ids[edge.target.node]}')
    for name in ids if graph.links else ():
        lines.extend(f'    {ids[source]} -.->|"{why}"| {ids[name]}' for source, why in _links_into(graph, name))
    lines.extend(f"    style {ids[name]} stroke:#c00,stroke-dasharray:4" for name in ids if marks.of(name))
    lines.extend(f"    %% cannot be drawn: {_mermaid_text(each)}" for each in marks.others)
    return "\n".join(lines)


def _mermaid_text(text: str) -> str:
    """Everything but letters, digits and harmless marks as Mermaid's own numeric entities."""
    return "".join(c if c.isalnum() or c in " _-.,:/" else f"#{ord(c)};" for c in text)


def _dot(graph: PipelineGraph, marks: NodeMarks) -> str:
    shapes = {ExecutionNode: "box", TaskNode: "box3d", DeploymentNode: "oval"}
    lines = [f"digraph {_dot_text(graph.pipeline.name)} {{", "    edge [fontsize=10];"]
    for name, node in graph.nodes.items():
        label = _dot_text("\n".join((name, _what_it_is(graph, node), *(f"! {each}" for each in marks.of(name)))))
        look = " color=red style=dashed" if marks.of(name) else ""
        lines.append(f"    {_dot_text(name)} [shape={shapes[type(node)]} label={label}{look}];")
    for edge in graph.edges:
        label = _dot_text(_edge_label(edge))
        lines.append(f"    {_dot_text(edge.source.node)} -> {_dot_text(edge.target.node)} [label={label}];")
    for name in graph.nodes if graph.links else ():
        for source, why in _links_into(graph, name):
            lines.append(f"    {_dot_text(source)} -> {_dot_text(name)} [style=dashed label={_dot_text(why)}];")
    lines.extend(f"    // cannot be drawn: {_visible(each)}" for each in marks.others)
    return "\n".join([*lines, "}"])


def _dot_text(text: str) -> str:
    r"""A quoted string of Graphviz. A line break of ours is `\n`; all other escapes of its labels are defused."""
    return '"' + "\\n".join(_dot_line(line) for line in text.split("\n")) + '"'


def _dot_line(line: str) -> str:
    return _visible(line).replace("\\", "\\\\").replace('"', '\\"')


def _edge_label(edge: Edge) -> str:
    source, target = edge.source, edge.target
    return f"{source.kind or source.written_kind} {source.key} to {target.kind or target.written_kind} {target.key}"


# ── for programs ─────────────────────────────────────────────────────────────────────────────────


def _json(graph: PipelineGraph, marks: NodeMarks) -> str:
    layer = layers(graph)
    nodes = [
        {
            "name": name,
            "type": _type(node),
            "step": None if isinstance(node, DeploymentNode) else _step_name(graph, node),
            "task": node.task if isinstance(node, TaskNode) else None,
            "deployment": node.deployment if isinstance(node, DeploymentNode) else None,
            "layer": layer.get(name),
            "upstream": graph.upstream[name],
            "downstream": graph.downstream[name],
        }
        for name, node in graph.nodes.items()
    ]
    edges = [{"source": _json_end(edge.source), "target": _json_end(edge.target)} for edge in graph.edges]
    links = [
        {"source": source, "target": name, "why": why}
        for name in graph.nodes
        for source, why in _links_into(graph, name)
    ]
    drawing = {
        "schema": 1, "pipeline": graph.pipeline.name, "order": graph.order, "nodes": nodes, "edges": edges,
        "links": links,
        "problems": [
            *({"node": name, "message": each} for name in graph.nodes for each in marks.of(name)),
            *({"node": None, "message": each} for each in marks.others),
        ],
    }  # fmt: skip
    return json.dumps(drawing, indent=2)


def _type(node: Node) -> str:
    return {ExecutionNode: "execution", TaskNode: "task", DeploymentNode: "deployment"}[type(node)]


def _step_name(graph: PipelineGraph, node: ExecutionNode | TaskNode) -> str | None:
    blueprint = graph.tasks.get(node.name)
    return blueprint.step if blueprint else node.step


def _json_end(end: EdgeEnd) -> dict[str, str]:
    return {"node": end.node, "kind": end.kind or end.written_kind, "key": end.key}
