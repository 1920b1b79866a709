"""Equal names, and names that cannot be used."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from vhpipe.config.model import DeploymentNode
from vhpipe.diagnostics import Path, RelatedPlace
from vhpipe.rules.places import name_at
from vhpipe.rules.subject import Finding, Subject, rewrite


class HasName(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def at(self) -> Path: ...


def duplicate_names(subject: Subject) -> Iterator[Finding]:
    config = subject.config
    kinds: dict[str, Iterable[HasName]] = {
        "step": config.steps,
        "task": config.tasks,
        "pipeline": config.pipelines,
        "endpoint": config.endpoints,
        "deployment": config.deployments,
    }
    for kind, items in kinds.items():
        yield from _repeated_names(items, kind, "this file", "the last one counts; rename or remove one of them")


def duplicate_nodes(subject: Subject) -> Iterator[Finding]:
    for pipeline in subject.config.pipelines:
        yield from _repeated_names(pipeline.nodes, "node", f"pipeline `{pipeline.name}`", "rename one of them")


def duplicate_parameters(subject: Subject) -> Iterator[Finding]:
    for where, parameters, _ in _parts(subject):
        yield from _repeated_names(parameters, "parameter", where, "rename or remove one of them")


def duplicate_inputs(subject: Subject) -> Iterator[Finding]:
    for where, _, inputs in _parts(subject):
        yield from _repeated_names(inputs, "input", where, "rename or remove one of them")


def duplicate_pipeline_parameters(subject: Subject) -> Iterator[Finding]:
    for pipeline in subject.config.pipelines:
        hint = "the last one counts; rename or remove one of them"
        yield from _repeated_names(pipeline.parameters, "parameter", f"pipeline `{pipeline.name}`", hint)


def duplicate_endpoint_files(subject: Subject) -> Iterator[Finding]:
    for endpoint in subject.config.endpoints:
        yield from _repeated_names(
            endpoint.files, "file", f"endpoint `{endpoint.name}`", "rename or remove one of them"
        )


def dotted_node_names(subject: Subject) -> Iterator[Finding]:
    for pipeline in subject.config.pipelines:
        for node in pipeline.nodes:
            if "." in node.name:
                yield Finding(
                    f"no edge or pipeline parameter can name node `{node.name}`, because its name has a dot",
                    name_at(node.at),
                    hint=f"`{node.name.replace('.', '-')}` would do",
                    fix=rewrite(name_at(node.at), node.name, node.name.replace(".", "-")),
                )


def _parts(subject: Subject) -> Iterator[tuple[str, Iterable[HasName], Iterable[HasName]]]:
    """Each step and override: what it is, its parameters, its inputs."""
    for step in subject.config.steps:
        yield f"step `{step.name}`", step.parameters, step.inputs
    for pipeline in subject.config.pipelines:
        for node in pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield f"the override of node `{node.name}`", node.override.parameters, node.override.inputs


def _repeated_names(items: Iterable[HasName], kind: str, where: str, hint: str) -> Iterator[Finding]:
    first: dict[str, HasName] = {}
    for item in items:
        earlier = first.setdefault(item.name, item)
        if earlier is not item and item.name:
            yield Finding(
                f"{where} has another {kind} `{item.name}`",
                name_at(item.at),
                hint=hint,
                related=(RelatedPlace(name_at(earlier.at), "the first one"),),
            )
