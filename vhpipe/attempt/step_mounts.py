"""What a step mounts beside the folders of its execution: parts of this machine, and its cache volumes."""

import os

from vhpipe.attempt.mounts import BindMount
from vhpipe.attempt.paths import VALOHAI, InsidePath, OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.plan.model import PlannedMount, StepSpec
from vhpipe.store.attempt_files import CACHE_VOLUMES

VOLUMES_VARIABLE = "VH_CACHE_VOLUMES_DIR"
"""Says where a step finds its cache volumes by their names."""
_INSIDE = InsidePath(f"{VALOHAI}/{CACHE_VOLUMES}")


def with_step_mounts(mounts: tuple[BindMount, ...], step: StepSpec, volumes: str) -> tuple[BindMount, ...]:
    """The mounts of an attempt with those of its step, at a place that mounts anything.

    `volumes` is the folder of the cache volumes, in which those of the step are made.
    Errors: `CannotPrepareError` for a source that is no longer what it was when it was allowed, OSError.
    """
    for name in step.cache_volumes:
        os.makedirs(f"{volumes}/{name}", 0o700, exist_ok=True)
    if not mounts:
        return ()
    return (
        *mounts,
        *map(_bound, step.mounts),
        *(BindMount(OutsidePath(f"{volumes}/{name}"), InsidePath(f"{_INSIDE}/{name}")) for name in step.cache_volumes),
    )


def _bound(mount: PlannedMount) -> BindMount:
    if os.path.realpath(mount.source) != mount.source or not os.path.exists(mount.source):
        raise CannotPrepareError(f"`{mount.source}`, which is mounted at `{mount.destination}`, is not there any more")
    return BindMount(OutsidePath(mount.source), InsidePath(mount.destination), mount.read_only)


def volumes_inside(mounts: tuple[BindMount, ...], volumes: str) -> str:
    """Where the step finds the folder of its cache volumes."""
    return _INSIDE if any(each.target.startswith(f"{_INSIDE}/") for each in mounts) else volumes
