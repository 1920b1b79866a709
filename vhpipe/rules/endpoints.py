"""Endpoints and deployments: files that edges put in place, volumes, and where a deployment is made."""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, EdgeEnd, EdgeKind, Endpoint
from vhpipe.diagnostics import Path, RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import key_in, name_at, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject, rewrite


def unknown_endpoints(subject: Subject) -> Iterator[Finding]:
    """Endpoints that deployment nodes and edges into their files name."""
    if not subject.knows_every("endpoint"):
        return
    known = tuple(subject.config.endpoints_by_name())
    names = frozenset(known)
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode):
                for index, name in enumerate(node.endpoints):
                    if name not in names:
                        choice = NameChoice(name, known, "its endpoints")
                        yield Finding(_no_endpoint(name), value_at(node.at, "endpoints", index), choice=choice)
        for end, name, _ in _file_ends(graph):
            if name not in names:
                choice = NameChoice(name, known, "its endpoints")
                yield Finding(_no_endpoint(name), key_in(end, 0, len(name)), choice=choice)


def _no_endpoint(name: str) -> str:
    return f"there is no endpoint `{name}` in this file"


def unknown_deployments(subject: Subject) -> Iterator[Finding]:
    """Deployments that the file does not have, if it has any; one that is on the platform already is as good."""
    known = tuple(item.name for item in subject.config.deployments)
    for graph in subject.graphs if known and not subject.config.broken else ():
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode) and node.deployment not in known:
                yield Finding(
                    f"there is no deployment `{node.deployment}` in this file, so it has to be on the platform",
                    value_at(node.at, "deployment"),
                    choice=NameChoice(node.deployment, known, "those of this file"),
                )


def endpoints_not_deployed(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    known = subject.config.endpoints_by_name()
    for end, name, _ in _file_ends(graph):
        node = graph.nodes[end.node]
        assert isinstance(node, DeploymentNode), "files are of deployment nodes only"
        if name in known and name not in node.endpoints:
            yield Finding(
                f"node `{node.name}` does not deploy endpoint `{name}`",
                key_in(end, 0, len(name)),
                hint=f"add `{name}` to the `endpoints` of the node",
                related=(RelatedPlace(name_at(node.at), "this node"),),
            )


def unknown_endpoint_files(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    known = subject.config.endpoints_by_name()
    for end, name, file in _file_ends(graph):
        endpoint = known.get(name)
        if endpoint is None or endpoint.file(file) is not None or not subject.knows_all(endpoint.at, "files"):
            continue
        files = tuple(item.name for item in endpoint.files)
        yield Finding(
            f"endpoint `{name}` has no file `{file}`",
            key_in(end, len(name) + 1),
            choice=NameChoice(file, files, "its files"),
        )


def incomplete_endpoint_files(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for edge in graph.edges:
        end = edge.target
        if _is_file_of_deployment(graph, end) and "." not in end.key:
            yield Finding(
                f"`{end.key}` names an endpoint or a file, but not both",
                key_in(end),
                hint="write `file.ENDPOINT.FILE`",
            )


def _file_ends(graph: PipelineGraph) -> Iterator[tuple[EdgeEnd, str, str]]:
    """Edge ends in files of deployment nodes, with the names of the endpoint and of its file."""
    for edge in graph.edges:
        if _is_file_of_deployment(graph, edge.target):
            name, dot, file = edge.target.key.partition(".")
            if dot:
                yield edge.target, name, file


def _is_file_of_deployment(graph: PipelineGraph, end: EdgeEnd) -> bool:
    return end.kind is EdgeKind.FILE and isinstance(graph.nodes[end.node], DeploymentNode)


def relative_mount_paths(subject: Subject) -> Iterator[Finding]:
    for endpoint in subject.config.endpoints:
        for at, path in _mounts(endpoint):
            if not path.startswith("/"):
                yield Finding(
                    f"mount path `{path}` of endpoint `{endpoint.name}` is not absolute",
                    value_at(at, "mount-path"),
                    hint=f"write `/{path}`",
                    fix=rewrite(value_at(at, "mount-path"), path, f"/{path}"),
                )


def absolute_sub_paths(subject: Subject) -> Iterator[Finding]:
    for endpoint in subject.config.endpoints:
        for volume in endpoint.shared_volumes:
            if volume.sub_path is not None and volume.sub_path.startswith("/"):
                inside = volume.sub_path.lstrip("/")
                place = value_at(volume.at, "sub-path")
                yield Finding(
                    f"sub-path `{volume.sub_path}` of endpoint `{endpoint.name}` is absolute",
                    place,
                    hint=f"it is relative to the volume: write `{inside}`",
                    fix=rewrite(place, volume.sub_path, inside) if inside else None,
                )


def duplicate_mount_paths(subject: Subject) -> Iterator[Finding]:
    for endpoint in subject.config.endpoints:
        first: dict[str, Path] = {}
        for at, path in _mounts(endpoint):
            earlier = first.setdefault(path, at)
            if earlier is not at:
                yield Finding(
                    f"endpoint `{endpoint.name}` mounts a second volume at `{path}`",
                    value_at(at, "mount-path"),
                    hint="give each volume its own path",
                    related=(RelatedPlace(value_at(earlier, "mount-path"), "the first one"),),
                )


def _mounts(endpoint: Endpoint) -> Iterator[tuple[Path, str]]:
    for volume in endpoint.shared_volumes:
        yield volume.at, volume.mount_path
    if endpoint.workspace_volume is not None:
        yield endpoint.workspace_volume.at, endpoint.workspace_volume.mount_path


def deployments_without_target(subject: Subject) -> Iterator[Finding]:
    for deployment in subject.config.deployments:
        if not deployment.target and subject.is_sound(deployment.at):
            yield Finding(
                f"deployment `{deployment.name}` has no target",
                name_at(deployment.at),
                hint="the platform cannot create it without `defaults: {target: …}`",
            )
