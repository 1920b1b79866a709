"""What could be typed at a place: names of the file, kinds of edge ends, ids of rules."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from vhpipe.config.edge_kinds import EDGE_KINDS, SLOTS, declared_items, kinds_of_node
from vhpipe.config.model import Config, DeploymentNode, EdgeKind, Input, Node, Parameter, Step, TaskNode
from vhpipe.document.scalars import NotReadableError, resolve
from vhpipe.graph.model import PipelineGraph
from vhpipe.lsp.typing_place import TypingPlace

What = Literal["node", "kind", "key", "step", "task", "deployment", "endpoint", "rule"]


class Offer(NamedTuple):
    """A text that could stand from column `start` (from 1) up to the cursor."""

    text: str
    what: What
    start: int
    detail: str = ""
    documentation: str = ""


class RuleOffer(NamedTuple):
    id: str
    detail: str


def offers(
    typed: TypingPlace, config: Config, graphs: Sequence[PipelineGraph], rules: Sequence[RuleOffer]
) -> tuple[Offer, ...]:
    """All that fits the place, the likeliest first; what is typed already does not count, editors choose by it."""
    match typed.wanted:
        case "rule":
            return tuple(Offer(rule.id, "rule", typed.start, rule.detail) for rule in rules)
        case "step":
            return _names(typed, "step", ((step.name, step.image, step.description) for step in config.steps))
        case "task":
            return _names(typed, "task", ((task.name, f"of {task.step}", task.description) for task in config.tasks))
        case "deployment":
            return _names(typed, "deployment", ((item.name, "", None) for item in config.deployments))
        case "endpoint":
            return _names(typed, "endpoint", ((item.name, item.image, item.description) for item in config.endpoints))
        case "edge-end" | "parameter-target":
            found = [offer for graph in _around(typed, graphs) for offer in _ends(typed, graph)]
            return tuple(dict.fromkeys(found))


def _names(typed: TypingPlace, what: What, found: Iterable[tuple[str, str, str | None]]) -> tuple[Offer, ...]:
    known = {name: (detail, text) for name, detail, text in found if name}
    return tuple(
        Offer(name if typed.quote else as_written(name, typed.in_flow), what, typed.start, detail, text or "")
        for name, (detail, text) in known.items()
    )


def as_written(name: str, in_flow: bool) -> str:
    """The name as a value of YAML: with quotation marks where it would not be read as this text without."""
    is_plain = name[0] not in "-?:,[]{}#&*!|>'\"%@` " and ": " not in name and " #" not in name
    is_plain = is_plain and name[-1] not in ": " and not (in_flow and any(mark in name for mark in ",[]{}?:"))
    try:
        if is_plain and name.isprintable() and resolve(name) == name:
            return name
    except NotReadableError:
        pass
    from json import dumps

    return dumps(name, ensure_ascii=False)


# ── ends of edges ────────────────────────────────────────────────────────────────────────────────


def _around(typed: TypingPlace, graphs: Sequence[PipelineGraph]) -> Sequence[PipelineGraph]:
    """The pipeline that is typed in; all of them where it cannot be determined."""
    return [graph for graph in graphs if graph.pipeline.name == typed.pipeline] or graphs


def _ends(typed: TypingPlace, graph: PipelineGraph) -> Iterator[Offer]:
    node, dot, rest = typed.text.partition(".")
    if not dot:
        yield from _nodes(typed, graph)
        return
    if node not in graph.nodes:
        return
    kind, dot, _ = rest.partition(".")
    start = typed.start + len(node) + 1
    if not dot:
        yield from (Offer(kind, "kind", start) for kind in _kinds(typed, graph, node))
    else:
        yield from _keys(typed, graph, node, kind, start + len(kind) + 1)


def _nodes(typed: TypingPlace, graph: PipelineGraph) -> Iterator[Offer]:
    other = (typed.other or "").partition(".")[0] if typed.side == "target" else ""
    for name, node in graph.nodes.items():
        if name and "." not in name and name != other:
            yield Offer(name, "node", typed.start, summary_of(node))


def summary_of(node: Node) -> str:
    """What a node is and what it is made from, in a few words."""
    match node:
        case DeploymentNode():
            return f"deployment to {node.deployment}"
        case TaskNode():
            return f"task {node.task}" if node.task else f"task over step {node.step}"
    return f"execution of step {node.step}"


def _kinds(typed: TypingPlace, graph: PipelineGraph, node: str) -> list[EdgeKind]:
    """The kinds that a node has on this side of an edge and, on the other side of a known source, that it can fill."""
    if typed.wanted == "parameter-target":
        return [EdgeKind.PARAMETER]
    is_source = typed.side == "source"
    kinds = kinds_of_node(isinstance(graph.nodes[node], DeploymentNode), "gives" if is_source else "takes")
    fitting = _kinds_filled_by(typed.other) if not is_source else None
    step = graph.steps.get(node)
    return [kind for kind in kinds if (fitting is None or kind in fitting) and _may_have(step, kind)]


def _kinds_filled_by(source: str | None) -> tuple[EdgeKind, ...] | None:
    parts = (source or "").split(".", 2)
    kind = next((kind for kind in EdgeKind if len(parts) > 1 and kind.value == parts[1]), None)
    return None if kind is None else EDGE_KINDS[kind].fills


def _may_have(step: Step | None, kind: EdgeKind) -> bool:
    """Outputs need not be declared; of everything else a step has what it declares."""
    return step is None or kind not in SLOTS or bool(declared_items(step, kind))


def _keys(typed: TypingPlace, graph: PipelineGraph, node: str, kind: str, start: int) -> Iterator[Offer]:
    declared = {name: (detail, text) for name, detail, text in _declared_keys(typed, graph, node, kind)}
    for name, (detail, text) in declared.items():
        yield Offer(name, "key", start, detail, text or "")
    if typed.side == "source":
        for name in _used_keys(graph, node, kind):
            if name not in declared:
                yield Offer(name, "key", start, "in another edge")


def _declared_keys(
    typed: TypingPlace, graph: PipelineGraph, node: str, kind: str
) -> Iterator[tuple[str, str, str | None]]:
    """Name, detail and description of what a node has of a kind."""
    step, found = graph.steps.get(node), graph.nodes[node]
    match kind.removesuffix("s"):
        case "input" if step is not None:
            yield from ((item.name, _needs(item), item.description) for item in step.inputs)
        case "parameter" if step is not None:
            yield from ((item.name, parameter_summary(item), item.description) for item in step.parameters)
        case "environment-variable" if step is not None:
            yield from ((item.name, "", item.description) for item in step.environment_variables)
        case "output" if typed.side == "source":
            yield from ((item.name, "output", item.description) for item in (step.outputs if step else ()))
            yield "*", "all outputs", None
        case "deployment" if isinstance(found, DeploymentNode):
            yield from ((key, "", None) for key in EDGE_KINDS[EdgeKind.DEPLOYMENT].keys)
        case "file" if isinstance(found, DeploymentNode):
            endpoints = graph.endpoints.get(node, {})
            yield from (
                (f"{name}.{file.name}", file.path, file.description)
                for name, endpoint in endpoints.items()
                for file in endpoint.files
            )
        case "dependency":
            yield "*", "wait for it", None


def _needs(item: Input) -> str:
    if item.default:
        return "has a default"
    return "optional" if item.optional else "required"


def parameter_summary(parameter: Parameter) -> str:
    """The type of a parameter and its default, if it has one."""
    default = parameter.default
    if default is None:
        return str(parameter.type)
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return f"{parameter.type} = {shown if len(shown) <= 40 else shown[:39] + '…'}"


def _used_keys(graph: PipelineGraph, node: str, kind: str) -> Iterator[str]:
    """Keys that other edges take from the node: outputs and metadata are seldom declared."""
    for edge in graph.edges_out_of.get(node, ()):
        if edge.source.kind == kind:
            yield edge.source.key
