"""Where things are inside of a container: the platform's folders, and below `/vhpipe` what else a step needs."""

from typing import NamedTuple

from vhpipe.attempt.deferred_files import FOLDER as REFERRED
from vhpipe.attempt.paths import InsidePath, OutsidePath, PlatformPaths

FOLDER = "/vhpipe"


class ContainerPaths(NamedTuple):
    """The mapping for the attempt with this folder and working copy."""

    folder: OutsidePath
    repository: OutsidePath

    def inside(self, path: OutsidePath) -> InsidePath:
        found = PlatformPaths(self.folder, self.repository).inside(path)
        if str(found) != path or not f"{path}/".startswith(f"{self.folder}/"):
            return found
        return InsidePath(f"{FOLDER}{path[len(self.folder) :]}")


__all__ = ["FOLDER", "REFERRED", "ContainerPaths"]
