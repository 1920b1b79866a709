"""What a place puts where for one execution: folders and files of the host at the paths that its step sees."""

import os
from typing import NamedTuple

from vhpipe.attempt.paths import BESIDE, InsidePath, OutsidePath, is_hidden
from vhpipe.platform_paths import VALOHAI
from vhpipe.store.attempt_files import CONFIG, INPUTS, OUTPUTS, REPOSITORY


class BindMount(NamedTuple):
    """`source` of the host stands at `target` for the step, with all that is below it."""

    source: OutsidePath
    target: InsidePath
    read_only: bool = False


def platform_folders(
    folder: OutsidePath, repository: OutsidePath, writable: tuple[str, ...] = ()
) -> tuple[BindMount, ...]:
    """The four folders of an attempt where the platform has them; `writable` names inputs whose folders are no guard.

    Source: docs on the platform's directories.
    """
    return (
        BindMount(repository, _REPOSITORY),
        BindMount(OutsidePath(f"{folder}/{INPUTS}"), _INPUTS, read_only=True),
        BindMount(OutsidePath(f"{folder}/{OUTPUTS}"), _OUTPUTS),
        BindMount(OutsidePath(f"{folder}/{CONFIG}"), _CONFIG, read_only=True),
        *(BindMount(OutsidePath(f"{folder}/{INPUTS}/{each}"), _at(f"{INPUTS}/{each}")) for each in writable),
    )


OWN = frozenset(f"{VALOHAI}/{name}" for name in (INPUTS, OUTPUTS, CONFIG))
"""What no two attempts share, while they may share the repository."""


def is_mounted_for(process: int, mount: BindMount) -> bool:
    """Whether a process sees one of the folders that an attempt has for itself, where its step sees it."""
    if mount.target not in OWN:
        return False
    try:
        return os.path.samefile(f"/proc/{process}/root{mount.target}", mount.source)
    except OSError:
        return False


def own_folders(folder: OutsidePath, repository: OutsidePath) -> tuple[BindMount, ...]:
    """The folders of an attempt at the paths of the host, for writing, where all around them is read-only.

    What lies below `/valohai` on the host is hidden there: then the attempt's folder stands beside it.
    """
    if is_hidden(folder):
        return (BindMount(folder, InsidePath(BESIDE)),)
    return BindMount(folder, InsidePath(folder)), BindMount(repository, InsidePath(repository))


def _at(name: str) -> InsidePath:
    return InsidePath(f"{VALOHAI}/{name}")


_REPOSITORY, _INPUTS, _OUTPUTS, _CONFIG = map(_at, (REPOSITORY, INPUTS, OUTPUTS, CONFIG))
