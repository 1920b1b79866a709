"""What a step mounts beside the folders of its execution: parts of this machine, and its cache volumes."""

import os
from collections.abc import Iterable

from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.paths import InsidePath, OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.plan.model import PlannedMount, StepSpec
from vhpipe.platform_paths import VALOHAI
from vhpipe.store.attempt_files import CACHE_VOLUMES

VOLUMES_VARIABLE = "VH_CACHE_VOLUMES_DIR"
"""Says where a step finds its cache volumes by their names."""
_INSIDE = f"{VALOHAI}/{CACHE_VOLUMES}"


def step_mounts(step: StepSpec, volumes: str) -> tuple[BindMount, ...]:
    """What a step mounts, what others are below first; `volumes` is the folder of the project's cache volumes.

    Errors: `CannotPrepareError` for a source that is no longer what it was when it was allowed.
    """
    if not (step.mounts or step.cache_volumes):
        return ()
    return (
        *map(_bound, step.mounts),
        *(BindMount(OutsidePath(f"{volumes}/{name}"), InsidePath(f"{_INSIDE}/{name}")) for name in step.cache_volumes),
    )


def _bound(mount: PlannedMount) -> BindMount:
    if os.path.realpath(mount.source) != mount.source or not os.path.exists(mount.source):
        raise CannotPrepareError(f"`{mount.source}`, which is mounted at `{mount.destination}`, is not there any more")
    return BindMount(OutsidePath(mount.source), InsidePath(mount.destination), mount.read_only)


def made_volumes(names: Iterable[str], volumes: str, is_inside: bool) -> str:
    """Where a step finds its cache volumes, each of which is made; `is_inside`: below `/valohai`. Errors: OSError."""
    for name in names:
        os.makedirs(f"{volumes}/{name}", 0o700, exist_ok=True)
    return _INSIDE if is_inside else volumes
