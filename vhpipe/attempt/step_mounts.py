"""What a step mounts beside the folders of its execution: parts of this machine, and its cache volumes."""

import os
from collections.abc import Iterable

from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.paths import VALOHAI, InsidePath, OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.plan.model import PlannedMount
from vhpipe.store.attempt_files import CACHE_VOLUMES

VOLUMES_VARIABLE = "VH_CACHE_VOLUMES_DIR"


def step_mounts(mounts: Iterable[PlannedMount], volumes: Iterable[str], folder: str) -> tuple[BindMount, ...]:
    """What is mounted, those that others are below first. `folder` has a folder for each of the `volumes`.

    Errors: `CannotPrepareError` for a source that is no longer what it was when it was allowed.
    """
    for mount in mounts:
        if os.path.realpath(mount.source) != mount.source or not os.path.exists(mount.source):
            raise CannotPrepareError(f"`{mount.source}`, which is mounted at `{mount.destination}`, is not there")
    inside = f"{VALOHAI}/{CACHE_VOLUMES}"
    return (
        *(BindMount(OutsidePath(each.source), InsidePath(each.destination), each.read_only) for each in mounts),
        *(BindMount(OutsidePath(f"{folder}/{name}"), InsidePath(f"{inside}/{name}")) for name in volumes),
    )


def make_volumes(volumes: Iterable[str], folder: str) -> None:
    """Make the folders of those volumes that are not there. Errors: OSError."""
    for name in volumes:
        os.makedirs(f"{folder}/{name}", 0o700, exist_ok=True)
