"""The cache volumes of a project: folders that steps name, which stay when runs go."""

import os
from typing import NamedTuple

from vhpipe.store.attempt_files import CACHE_VOLUMES
from vhpipe.store.removal import bytes_of


class CacheVolume(NamedTuple):
    name: str
    path: str
    size_bytes: int


def cache_volumes(root: str | os.PathLike[str]) -> tuple[CacheVolume, ...]:
    """Those of a state folder by name, none where no step has had any. Errors: OSError."""
    folder = os.path.join(root, CACHE_VOLUMES)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return ()
    paths = {name: os.path.join(folder, name) for name in names}
    return tuple(CacheVolume(name, path, bytes_of((path,))) for name, path in paths.items())
