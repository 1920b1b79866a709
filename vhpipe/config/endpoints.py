"""Endpoints and deployments."""

from vhpipe.config.members import (
    Raw,
    flag_of,
    integer_of,
    mapping_of,
    name_of,
    objects_of,
    text_of,
    texts_of,
)
from vhpipe.config.model import (
    Deployment,
    Endpoint,
    EndpointFile,
    SharedVolume,
    Toleration,
    WorkspaceVolume,
)
from vhpipe.config.paths import check_path
from vhpipe.config.steps import read_resources
from vhpipe.diagnostics import Diagnostic, Path


def read_endpoint(raw: Raw, at: Path, notes: list[Diagnostic]) -> Endpoint:
    """The endpoint that stands at a path."""
    return Endpoint(
        name=name_of(raw),
        image=name_of(raw, "image"),
        server_command=texts_of(raw, "server-command"),
        wsgi=text_of(raw, "wsgi"),
        port=integer_of(raw, "port") or 8000,
        files=tuple(_file(item, place, notes) for item, place in objects_of(raw, "files", at)),
        description=text_of(raw, "description"),
        node_selector=text_of(raw, "node-selector"),
        resources=read_resources(raw),
        tolerations=tuple(_toleration(item) for item, _ in objects_of(raw, "tolerations", at)),
        shared_volumes=tuple(_shared_volume(item, place) for item, place in objects_of(raw, "shared-volumes", at)),
        workspace_volume=_workspace_volume(raw, at),
        at=at,
    )


def read_deployment(raw: Raw, at: Path, notes: list[Diagnostic]) -> Deployment:
    """The deployment that stands at a path."""
    return Deployment(name_of(raw), text_of(mapping_of(raw, "defaults") or {}, "target"), at)


def _file(raw: Raw, at: Path, notes: list[Diagnostic]) -> EndpointFile:
    path = name_of(raw, "path")
    if "path" in raw:
        check_path(text_of(raw, "path"), "path", (*at, "path"), notes)
    return EndpointFile(name_of(raw), path, text_of(raw, "description"), at)


def _toleration(raw: Raw) -> Toleration:
    return Toleration(text_of(raw, "key"), text_of(raw, "operator"), text_of(raw, "value"), text_of(raw, "effect"))


def _shared_volume(raw: Raw, at: Path) -> SharedVolume:
    return SharedVolume(
        pvc_name=name_of(raw, "pvc-name"),
        mount_path=name_of(raw, "mount-path"),
        sub_path=text_of(raw, "sub-path"),
        read_only=flag_of(raw, "read-only"),
        at=at,
    )


def _workspace_volume(raw: Raw, at: Path) -> WorkspaceVolume | None:
    found = mapping_of(raw, "workspace-volume")
    if found is None:
        return None
    return WorkspaceVolume(
        mount_path=name_of(found, "mount-path"),
        size_gib=integer_of(found, "size") or 1,
        storage_class_name=text_of(found, "storage-class-name"),
        at=(*at, "workspace-volume"),
    )
