"""What can be set for containers."""

from typing import Literal, NamedTuple

PullPolicy = Literal["missing", "always", "never"]
SHM_BYTES = 8 << 30
"""Programs that load data with several processes need more than the 64 MB that tools give."""
TOOLS = ("podman", "docker")
"""The places that run containers."""


class ContainerSettings(NamedTuple):
    """When images are pulled, and how much shared memory a container may use."""

    pull: PullPolicy = "missing"
    shm_bytes: int = SHM_BYTES
