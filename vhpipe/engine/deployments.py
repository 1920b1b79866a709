"""Local deployment versions: the endpoints' files at their paths, recorded in the registry with their aliases."""

import os
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from vhpipe.attempt.fatal_failures import survivable
from vhpipe.attempt.identifiers import derived_id, project_identifier
from vhpipe.config.paths import path_fault
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import InputFile, PlannedDeployment, PlannedEndpoint
from vhpipe.schedule import stimuli
from vhpipe.store.long_paths import make_folders
from vhpipe.store.project import ProjectStore
from vhpipe.store.registry import DeploymentVersion, EndpointVersion


class Deployer:
    """Makes the deployment versions of one run; making one twice gives the same version."""

    def __init__(self, store: ProjectStore, run: int) -> None:
        self._store = store
        self._run = run
        self._project = project_identifier(str(store.project))

    def make(self, node: PlannedDeployment, files: dict[str, tuple[InputFile, ...]]) -> stimuli.DeploymentReported:
        """The version that was made, or why it could not be. `files` is by `endpoint.file`."""
        try:
            version = self._store.registry.version_for(self._run, node.name) or self._create(node, files)
        except (VhpipeError, OSError, ValueError) as failure:
            return stimuli.DeploymentReported(node.name, because=survivable(failure, "cannot deploy"))
        paths = tuple(f"{endpoint.name}/{path}" for endpoint in version.endpoints for path, _ in endpoint.files)
        return stimuli.DeploymentReported(
            node.name, version.version, version.identifier, version.version_identifier, paths
        )

    def _create(self, node: PlannedDeployment, files: dict[str, tuple[InputFile, ...]]) -> DeploymentVersion:
        name = self._free_version(node.deployment)
        identifier = derived_id(self._project, "deployment", node.deployment)
        folder = self._store.root / "deployments" / identifier / name
        endpoints = tuple(self._place(endpoint, folder / endpoint.name, files) for endpoint in node.endpoints)
        version = DeploymentVersion(
            deployment=node.deployment,
            version=name,
            identifier=identifier,
            version_identifier=derived_id(identifier, name),
            run=self._run,
            node=node.name,
            endpoints=endpoints,
            aliases=node.aliases,
            created_at=datetime.now(UTC).timestamp(),
        )
        self._store.registry.add(version)
        return version

    def _place(
        self, endpoint: PlannedEndpoint, folder: Path, files: dict[str, tuple[InputFile, ...]]
    ) -> EndpointVersion:
        placed = []
        for declared in endpoint.files:
            for file in files.get(f"{endpoint.name}.{declared.name}", ()):
                assert file.datum is not None, "only outputs reach an endpoint"
                placed.append(self._place_file(declared.path, folder, file.datum.blob))
        return EndpointVersion(endpoint.name, tuple(placed))

    def _place_file(self, path: str, folder: Path, blob: str) -> tuple[str, str]:
        reason = path_fault(path)
        if reason is not None:
            raise ValueError(f"endpoint file path `{path}` is unsafe: it {reason}")
        target = folder / path
        make_folders(os.fspath(target.parent))
        target.unlink(missing_ok=True)
        self._store.blobs.copy_to(blob, target, 0o444)  # whoever serves the file may write into it
        return path, blob

    def _free_version(self, deployment: str) -> str:
        """The date and the run, as the platform dates its versions; a further one of the same run gets a counter."""
        day = datetime.now(UTC).strftime("%Y%m%d")
        taken = {each.version for each in self._store.registry.deployment_versions() if each.deployment == deployment}
        names = chain([f"{day}.{self._run}"], (f"{day}.{self._run}.{further}" for further in count(1)))
        return next(name for name in names if name not in taken)
