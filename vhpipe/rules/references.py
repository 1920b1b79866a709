"""References: can they be read, is there what they speak of, and can it go where they stand."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vhpipe.config.model import DeploymentNode, EdgeKind, Override, Parameter, ParameterType, Step
from vhpipe.diagnostics import Location
from vhpipe.graph.model import PipelineGraph
from vhpipe.graph.references import ReferenceText, references_of_extension, references_of_step
from vhpipe.language.reference import FILES, PIPELINE, BareWord, MalformedReference, Reference, ReferenceKind
from vhpipe.language.template import OPENING, parse_template
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

OF_DEPLOYMENTS = (ReferenceKind.ID, ReferenceKind.VERSION_ID)
ALWAYS_TEXT = ("url", "path", "hash")


def malformed_references(subject: Subject) -> Iterator[Finding]:
    texts = tuple(_all_written(subject))
    names = _node_names(subject) if texts else frozenset()
    for written in texts:
        for part in written.parts:
            if isinstance(part, MalformedReference) and not part.known and not _stays_text(part, names):
                yield Finding(part.message, written.at._replace(chars=part.at), part.hint)
            elif isinstance(part, BareWord) and part.name in names:
                hint = f"write for example `${{{part.name}.{'NAME' if part.name == PIPELINE else 'metadata.KEY'}}}`"
                yield Finding(f"`{part.text}` does not say which value of `{part.name}`", _bare_at(written, part), hint)


def unclear_references(subject: Subject) -> Iterator[Finding]:
    texts = tuple(_all_written(subject))
    names = _node_names(subject) if texts else frozenset()
    for written in texts:
        for part in written.parts:
            if isinstance(part, MalformedReference) and _stays_text(part, names):
                message = f"`{part.text[:80]}` begins as a reference does and stays text, for it has no `}}`"
                hint = f"write `${part.text[:80]}` if that is meant"
                yield Finding(message, written.at._replace(chars=part.at), hint)
            elif isinstance(part, BareWord) and part.name not in names:
                message = f"`{part.text[:80]}` is not a reference and stays text; no shell expands it here"
                yield Finding(message, _bare_at(written, part), f"write `${part.text[:80]}` if that is meant")


def _stays_text(part: MalformedReference, names: frozenset[str]) -> bool:
    """Whether it has no end and begins with no node: the platform passes such a text on as it is, and so do we."""
    return "}" not in part.text and not any(part.text[len(OPENING) :].lstrip('"').startswith(name) for name in names)


def unknown_attributes(subject: Subject) -> Iterator[Finding]:
    for written in _all_written(subject):
        for part in written.parts:
            if isinstance(part, MalformedReference) and part.known:
                choice = NameChoice(part.word, part.known, "choose from")
                yield Finding(part.message, written.at._replace(chars=part.at), choice=choice)


def references_in_commands(subject: Subject) -> Iterator[Finding]:
    """What looks like a reference to a node in a command: a shell would stumble over it."""
    items = tuple(_suspicious_items(subject))
    names = _node_names(subject) if items else frozenset()
    for item, at in items:
        for part in parse_template(item):
            if isinstance(part, Reference) and part.node in names:
                place = at._replace(chars=(part.start, part.start + len(part.text)))
                hint = "give it to a parameter or an environment variable, and use that"
                yield Finding(f"`{part.text}` is not filled in: a command goes to the shell as it is", place, hint)


def _suspicious_items(subject: Subject) -> Iterator[tuple[str, Location]]:
    written: list[Step | Override] = list(subject.config.steps)
    for graph in subject.graphs:
        nodes = (node for node in graph.pipeline.nodes if not isinstance(node, DeploymentNode))
        written.extend(node.override for node in nodes if node.override is not None)
    for owner in written:
        for index, item in enumerate(owner.command):
            if OPENING in item:
                yield item, value_at(owner.at, "command", index)


def _bare_at(written: ReferenceText, part: BareWord) -> Location:
    return written.at._replace(chars=(part.start, part.start + len(part.text)))


def _node_names(subject: Subject) -> frozenset[str]:
    return frozenset({PIPELINE}).union(*(graph.nodes for graph in subject.graphs))


def _all_written(subject: Subject) -> Iterator[ReferenceText]:
    """Each text with references once, however many nodes run its step."""
    for step in subject.config.steps:
        yield from references_of_step(step)
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield from references_of_step(node.override)
        extension = graph.extension
        seen: set[Location] = set()
        for _, texts in references_of_extension(extension, graph.nodes) if extension else ():
            for written in texts:
                if written.at not in seen:
                    seen.add(written.at)
                    yield written


# ── what they speak of ───────────────────────────────────────────────────────────────────────────────


class _PlacedReference(NamedTuple):
    """A reference, the text it stands in, and the node that it fills something of."""

    node: str
    written: ReferenceText
    reference: Reference

    def at(self, chars: tuple[int, int]) -> Location:
        return self.written.at._replace(chars=chars)

    @property
    def whole_at(self) -> Location:
        return self.written.place_of(self.reference)


def _placed_references(graph: PipelineGraph) -> Iterator[_PlacedReference]:
    for name, texts in graph.references.items():
        for written in texts:
            yield from (_PlacedReference(name, written, reference) for reference in written.references())


def _once(find: Callable[[Subject, PipelineGraph], Iterator[Finding]]) -> Callable[[Subject], Iterator[Finding]]:
    """The findings of all pipelines; what is wrong in a step's default is reported once."""

    def find_once(subject: Subject) -> Iterator[Finding]:
        seen: set[tuple[str, Location]] = set()
        for graph in subject.graphs if any(graph.references for graph in subject.graphs) else ():
            for finding in find(subject, graph):
                if (finding.message, finding.at) not in seen:
                    seen.add((finding.message, finding.at))
                    yield finding

    return find_once


def _unknown_nodes(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    if not subject.knows_all(graph.pipeline.at, "nodes"):
        return
    for placed in _placed_references(graph):
        reference = placed.reference
        if not reference.is_of_pipeline and reference.node not in graph.nodes:
            message = f"there is no node `{reference.node}` in pipeline `{graph.pipeline.name}`"
            choice = NameChoice(reference.node, (*graph.nodes, PIPELINE), "its nodes")
            yield Finding(message, placed.at(reference.node_at), choice=choice)


def _unknown_parameters(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    of_pipeline = tuple(parameter.name for parameter in graph.pipeline.parameters)
    for placed in _placed_references(graph):
        reference, at = placed.reference, placed.at(placed.reference.key_at)
        if reference.is_of_pipeline:
            if reference.key not in of_pipeline and subject.knows_all(graph.pipeline.at, "parameters"):
                message = f"pipeline `{graph.pipeline.name}` has no parameter `{reference.key}`"
                yield Finding(message, at, choice=NameChoice(reference.key, of_pipeline, "its parameters"))
        elif reference.kind is ReferenceKind.PARAMETER:
            step = graph.steps.get(reference.node)
            is_known = step is not None and subject.knows_all(step.at, "parameters")
            if step is not None and is_known and not _has_parameter(step, reference.key):
                known = tuple(parameter.name for parameter in step.parameters)
                message = f"step `{step.name}` of node `{reference.node}` has no parameter `{reference.key}`"
                yield Finding(message, at, choice=NameChoice(reference.key, known, "its parameters"))


def _has_parameter(step: Step, key: str) -> bool:
    return step.parameter(key) is not None or step.parameter(key.rpartition("/")[2]) is not None


def _self_references(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for placed in _placed_references(graph):
        if placed.reference.node == placed.node and not placed.reference.is_of_pipeline:
            message = f"node `{placed.node}` refers to itself"
            hint = "a node can only use what nodes before it have made"
            yield Finding(message, placed.at(placed.reference.node_at), hint)


def _unfit_references(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for placed in _placed_references(graph):
        fault = _fault_of_node(graph, placed.reference) or _fault_of_place(graph, placed)
        if fault is not None:
            message, hint = fault
            yield Finding(f"`{placed.reference.text}`: {message}", placed.whole_at, hint)


Fault = tuple[str, str]


def _fault_of_node(graph: PipelineGraph, reference: Reference) -> Fault | None:
    """Whether nodes of this kind have what the reference asks for."""
    node = graph.nodes.get(reference.node)
    if node is None or reference.is_of_pipeline:
        return None
    if isinstance(node, DeploymentNode):
        if reference.kind in OF_DEPLOYMENTS and not reference.metric:
            return None
        return f"a deployment has no {reference.kind}s", "it has `id` and `version_id`"
    if reference.kind is ReferenceKind.VERSION_ID:
        return f"`{reference.node}` is not a deployment", "only deployments have a `version_id`; use `id`"
    return None


def _fault_of_place(graph: PipelineGraph, placed: _PlacedReference) -> Fault | None:
    """Whether what the reference brings can go where it stands."""
    reference, where = placed.reference, placed.written.where
    if where is EdgeKind.INPUT:
        if reference.kind is ReferenceKind.ID or reference.attribute in ("hash", "size"):
            return "this is not a file", "an input takes `url`"
        if reference.kind in FILES and len(placed.written.parts) > 1:
            return "a file has to be the entire value of an input", "write nothing before or after it"
        return None
    step = graph.steps.get(placed.node)
    parameter = step.parameter(placed.written.name) if step and where is EdgeKind.PARAMETER else None
    if parameter is None or parameter.type is ParameterType.STRING or len(placed.written.parts) > 1:
        return None
    is_text = reference.attribute in ALWAYS_TEXT or reference.kind in OF_DEPLOYMENTS
    return _not_of_type(parameter) if is_text else None


def _not_of_type(parameter: Parameter) -> Fault:
    return f"this is a string, but `{parameter.name}` is of type `{parameter.type}`", "write `type: string`"


unknown_nodes = _once(_unknown_nodes)
unknown_parameters = _once(_unknown_parameters)
self_references = _once(_self_references)
unfit_references = _once(_unfit_references)
