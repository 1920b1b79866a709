"""`vhpipe deployments`: the deployment versions that runs of a project made."""

from pathlib import Path

import click

from vhpipe.cli.columns import columns
from vhpipe.cli.selecting import json_option, opened_project, project_option
from vhpipe.store.blobs import Blobs
from vhpipe.store.registry import DeploymentVersion
from vhpipe.views.json_values import SCHEMA, json_text

HEADS = ("deployment", "version", "aliases", "run", "node", "endpoint", "file", "stored at")


@click.command("deployments", short_help="List the deployment versions that runs made.")
@project_option
@json_option
def command(project: Path, as_json: bool) -> int:
    """List the deployment versions of a project, oldest first, with the files of their endpoints."""
    store = opened_project(project)
    versions = store.registry.deployment_versions()
    if as_json:
        described = [_described(version, store.blobs) for version in versions]
        click.echo(json_text({"schema": SCHEMA, "deployments": described}))
    else:
        click.echo(columns(HEADS, [row for version in versions for row in _rows(version, store.blobs)], right=("run",)))
    return 0


def _described(version: DeploymentVersion, blobs: Blobs) -> dict[str, object]:
    return {
        "deployment": version.deployment,
        "version": version.version,
        "identifier": version.identifier,
        "version_identifier": version.version_identifier,
        "aliases": version.aliases,
        "run": version.run,
        "node": version.node,
        "endpoints": {
            endpoint.name: [
                {"path": path, "sha256": blob, "stored_at": str(blobs.path(blob))} for path, blob in endpoint.files
            ]
            for endpoint in version.endpoints
        },
    }


def _rows(version: DeploymentVersion, blobs: Blobs) -> list[tuple[str, ...]]:
    """A row per file; an endpoint or a version without any has a row too."""
    head = (version.deployment, version.version, ", ".join(version.aliases), str(version.run), version.node)
    rows: list[tuple[str, ...]] = [
        (*head, endpoint.name, path, str(blobs.path(blob)) if blob else "")
        for endpoint in version.endpoints
        for path, blob in endpoint.files or (("", ""),)
    ]
    return rows or [(*head, "", "", "")]
