"""Properties that no place of this program honours, and those that a run honours only when it is told to.

Nothing here depends on the machine: what works on one is for `vhpipe doctor` to say.
"""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, Endpoint, Override, Step
from vhpipe.rules.places import key_at, value_at
from vhpipe.rules.subject import Finding, Subject

OF_STEPS = (
    ("runtime-config-preset", "a preset belongs to an environment of the platform"),
    ("autorestart", "what runs here is not taken away; `retry` of the extension starts a failed execution again"),
)
"""Properties of steps and overrides, and what is true here instead."""
OF_ENDPOINTS = ("node-selector", "tolerations", "resources", "shared-volumes", "workspace-volume")


def platform_only_properties(subject: Subject) -> Iterator[Finding]:
    for step in _steps_and_overrides(subject):
        for name, instead in OF_STEPS:
            if getattr(step, name.replace("-", "_")):
                yield Finding(f"only the platform honours `{name}`", key_at(step.at, name), hint=instead)
    for step in subject.config.steps:
        if step.upload_store:
            instead = "outputs are kept on this machine, in the state folder"
            yield Finding("only the platform honours `upload-store`", key_at(step.at, "upload-store"), hint=instead)
    for endpoint in subject.config.endpoints:
        yield from _of_endpoint(endpoint)


def _of_endpoint(endpoint: Endpoint) -> Iterator[Finding]:
    for name in OF_ENDPOINTS:
        if getattr(endpoint, name.replace("-", "_")):
            instead = "a deployment makes a version here, and nothing is served"
            yield Finding(f"only the platform honours `{name}`", key_at(endpoint.at, name), hint=instead)


def outside_mounts(subject: Subject) -> Iterator[Finding]:
    """Mounts from anywhere on the machine: a run refuses them unless its user allows them."""
    for step in _steps_and_overrides(subject):
        for index, mount in enumerate(step.mounts or ()):
            if mount.source.startswith("/"):
                yield Finding(
                    f"a run mounts `{mount.source}` only where its user allows it",
                    value_at(step.at, "mounts", index),
                    hint="outside of the project and of the user's home it needs `--allow-mounts`, or a folder in its "
                    "place: `--mount SOURCE=FOLDER`",
                )


def _steps_and_overrides(subject: Subject) -> Iterator[Step | Override]:
    yield from subject.config.steps
    for pipeline in subject.config.pipelines:
        for node in pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield node.override
