"""What the file names at a place, and where that is declared."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vhpipe.config.edge_kinds import declared_items
from vhpipe.config.model import (
    Config,
    DeclaredOutput,
    Deployment,
    DeploymentNode,
    EdgeKind,
    Endpoint,
    EndpointFile,
    EnvironmentVariable,
    Input,
    Node,
    Parameter,
    PipelineParameter,
    Step,
    Task,
)
from vhpipe.diagnostics import Location, Path, Span
from vhpipe.document.spans import Document, value_at
from vhpipe.graph.model import PipelineGraph
from vhpipe.lsp.open_text import covers, location_at
from vhpipe.project.checked_file import CheckedFile

Thing = (
    Step
    | Task
    | Node
    | Input
    | Parameter
    | DeclaredOutput
    | EnvironmentVariable
    | PipelineParameter
    | Endpoint
    | EndpointFile
    | Deployment
)

_PLACEHOLDER = re.compile(r"\{(?:parameter|parameter-value):([^{}]+)\}")


class NamedThing(NamedTuple):
    """A thing, and the span of the name by which the file names it at the place that was asked for."""

    thing: Thing
    span: Span


def thing_at(file: CheckedFile, line: int, column: int) -> NamedThing | None:
    """What is named at a line and column, both from 1; None where nothing is, or nothing that exists."""
    document = file.document
    if document is None:
        return None
    at = location_at(document, line, column)
    text = value_at(document.data, at.path)
    if at.part == "key" or not isinstance(text, str):
        return None
    for start, end, thing in _things(file, at.path, text):
        span = document.span(Location(at.path, chars=(start, end)))
        if thing is not None and covers(span, line, column):
            return NamedThing(thing, span)
    return None


def declaration_of(document: Document, thing: Thing) -> Span:
    """Where the name of a thing is declared."""
    return document.span(Location((*thing.at, "name")))


Part = tuple[int, int, Thing | None]
"""The characters from start to end of a text name a thing."""


def _things(file: CheckedFile, path: Path, text: str) -> Iterator[Part]:
    config = file.config
    match path:
        case (_, "pipeline", "edges", _, _) | (_, "pipeline", "parameters", _, "target" | "targets", *_):
            yield from _parts_of_end(_graph_at(file, path), text)
        case (_, "pipeline", "nodes", _, "step" | "task" | "deployment" as key):
            yield 0, len(text), _by_name(config, key, text)
        case (_, "pipeline", "nodes", _, "endpoints", _):
            yield 0, len(text), config.endpoints_by_name().get(text)
        case (_, "task", "step"):
            yield 0, len(text), config.steps_by_name().get(text)
        case (_, "task", "parameters", _, "name"):
            task = next((item for item in config.tasks if item.at == path[:2]), None)
            step = config.steps_by_name().get(task.step) if task else None
            yield 0, len(text), step.parameter(text) if step else None
        case (_, "pipeline", "nodes", _, "override", "inputs" | "parameters" as kind, _, "name"):
            yield 0, len(text), _overridden(file, path, kind, text)
        case (_, "step", "command", *_):
            yield from _placeholders(config, path, text)
        case (*_, "name"):
            yield 0, len(text), _thing_declared_at(config, path[:-1])


def _by_name(config: Config, kind: str, name: str) -> Thing | None:
    if kind == "step":
        return config.steps_by_name().get(name)
    if kind == "task":
        return config.tasks_by_name().get(name)
    return next((item for item in config.deployments if item.name == name), None)


def _graph_at(file: CheckedFile, path: Path) -> PipelineGraph | None:
    return next((graph for graph in file.graphs if graph.pipeline.at == path[:2]), None)


def _parts_of_end(graph: PipelineGraph | None, text: str) -> Iterator[Part]:
    """The node and the kind of an edge end stand for the node, the key for what the node has under it."""
    if graph is None:
        return
    name, _, rest = text.partition(".")
    kind, _, key = rest.partition(".")
    key_start = len(name) + len(kind) + 2
    node = graph.nodes.get(name)
    if key:
        yield key_start, len(text), node and _item_of(graph, node, kind.removesuffix("s"), key)
    yield 0, min(len(text), key_start - 1), node


def _item_of(graph: PipelineGraph, node: Node, kind: str, key: str) -> Thing | None:
    if isinstance(node, DeploymentNode):
        name, _, file = key.partition(".")
        endpoint = graph.endpoints.get(node.name, {}).get(name)
        return endpoint and (endpoint.file(file) or endpoint)
    step = graph.steps.get(node.name)
    if step is None:
        return None
    known = next((each for each in EdgeKind if each.value == kind), None)
    items = declared_items(step, known) if known is not None else None
    return next((item for item in items or () if item.name == key), None)


def _overridden(file: CheckedFile, path: Path, kind: str, name: str) -> Thing | None:
    """What of the step itself an item of an override changes; the item where the step has none of that name."""
    from vhpipe.rules.subject import unmerged_steps

    graph = _graph_at(file, path)
    node = graph and next((node for node in graph.pipeline.nodes if node.at == path[:4]), None)
    step = node and unmerged_steps(file.config)(node)
    if step is None:
        return None
    return step.input(name) if kind == "inputs" else step.parameter(name)


def _placeholders(config: Config, path: Path, text: str) -> Iterator[Part]:
    """Not in a text of several lines: where a word of it stands is not known."""
    step = next((item for item in config.steps if item.at == path[:2]), None)
    if step is None or "\n" in text:
        return
    for found in _PLACEHOLDER.finditer(text):
        yield found.start(1), found.end(1), step.parameter(found[1])


def _thing_declared_at(config: Config, at: Path) -> Thing | None:
    """The thing whose own name stands in the mapping at a path."""
    for find in _DECLARED:
        for thing in find(config):
            if thing.at == at:
                return thing
    return None


_DECLARED: tuple[Callable[[Config], Iterator[Thing]], ...] = (
    lambda config: iter((*config.steps, *config.tasks, *config.endpoints, *config.deployments)),
    lambda config: (node for pipeline in config.pipelines for node in pipeline.nodes),
    lambda config: (item for step in config.steps for item in step.inputs),
    lambda config: (item for step in config.steps for item in step.parameters),
    lambda config: (item for step in config.steps for item in step.outputs),
    lambda config: (item for step in config.steps for item in step.environment_variables),
    lambda config: (item for pipeline in config.pipelines for item in pipeline.parameters),
    lambda config: (file for endpoint in config.endpoints for file in endpoint.files),
)
