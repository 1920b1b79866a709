"""`vhpipe deployments`: the deployment versions that runs of a project made."""

from pathlib import Path

import click

from vhpipe.cli.options.run_selection import json_option, project_option
from vhpipe.cli.terminal.columns import columns
from vhpipe.project.selectors import opened_project
from vhpipe.store.registry import DeploymentVersion
from vhpipe.views.json_values import SCHEMA, json_text

HEADS = ("deployment", "version", "aliases", "run", "node", "endpoint", "file", "placed at")


@click.command("deployments", short_help="List the deployment versions that runs made.")
@project_option
@json_option
def command(project: Path, as_json: bool) -> int:
    """List the deployment versions of a project, oldest first, with the files of their endpoints."""
    store = opened_project(project)
    versions = store.registry.deployment_versions()
    if as_json:
        described = [_version_json(version, store.root) for version in versions]
        click.echo(json_text({"schema": SCHEMA, "deployments": described}))
    else:
        click.echo(columns(HEADS, [row for version in versions for row in _rows(version, store.root)], right=("run",)))
    return 0


def _version_json(version: DeploymentVersion, root: Path) -> dict[str, object]:
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
                {"path": path, "sha256": blob, "placed_at": _place(version, endpoint.name, path, root)}
                for path, blob in endpoint.files
            ]
            for endpoint in version.endpoints
        },
    }


def _rows(version: DeploymentVersion, root: Path) -> list[tuple[str, ...]]:
    """A row per file; an endpoint or a version without any has a row too."""
    head = (version.deployment, version.version, ", ".join(version.aliases), str(version.run), version.node)
    rows: list[tuple[str, ...]] = [
        (*head, endpoint.name, path, path and _place(version, endpoint.name, path, root))
        for endpoint in version.endpoints
        for path, _ in endpoint.files or (("", ""),)
    ]
    return rows or [(*head, "", "", "")]


def _place(version: DeploymentVersion, endpoint: str, path: str, root: Path) -> str:
    """Where a deployment node put the file of an endpoint."""
    return str(root / "deployments" / version.identifier / version.version / endpoint / path)
