"""Paths of an attempt, of two kinds: as the host has them, and as the step sees them.

On a place where both are the same `SAME_PATHS` turns one into the other. A place that mounts the folders of an attempt
elsewhere brings a mapping of its own, and nothing else changes.
"""

from collections.abc import Callable
from typing import NamedTuple, NewType, Protocol

from vhpipe.platform_paths import VALOHAI, is_within
from vhpipe.store.attempt_files import REPOSITORY, STEP_FOLDERS

OutsidePath = NewType("OutsidePath", str)
"""A path on the machine that runs the attempt, as this program uses it."""
InsidePath = NewType("InsidePath", str)
"""A path as the step sees it: in variables, in configuration files, in its command."""




BESIDE = "/.vhpipe"
"""Where a step finds the rest of its attempt's folder when the host has that below `/valohai`, which is covered."""


class PathMapping(Protocol):
    def inside(self, path: OutsidePath) -> InsidePath:
        """Where the step finds what is at `path`: the attempt's folder, its working copy, or something below them."""
        ...


class SamePaths:
    """The step sees the paths of the host."""

    def inside(self, path: OutsidePath) -> InsidePath:
        return InsidePath(path)


SAME_PATHS = SamePaths()


class PlatformPaths(NamedTuple):
    """The step sees the folders of its attempt and its working copy below `/valohai`; all else as the host has it."""

    folder: OutsidePath
    repository: OutsidePath

    def inside(self, path: OutsidePath) -> InsidePath:
        if is_within(path, self.folder):  # it may be in the project, and that the working copy
            below = path[len(self.folder) :]
            if below[1:].partition("/")[0] in STEP_FOLDERS:
                return InsidePath(f"{VALOHAI}{below}")
            if is_within(path, self.repository) and is_within(self.repository, self.folder):
                return InsidePath(f"{VALOHAI}/{REPOSITORY}{path[len(self.repository) :]}")
            return InsidePath(f"{BESIDE}{below}" if is_hidden(self.folder) else path)
        if is_within(path, self.repository):
            return InsidePath(f"{VALOHAI}/{REPOSITORY}{path[len(self.repository) :]}")
        return InsidePath(path)


def is_hidden(path: str) -> bool:
    """Whether a step that has `/valohai` cannot see what the host has there."""
    return is_within(path, VALOHAI)


MappingOf = Callable[[OutsidePath, OutsidePath], PathMapping]
"""The mapping for one attempt: of its folder and its working copy."""


def same_paths(folder: OutsidePath, repository: OutsidePath) -> PathMapping:
    """The mapping of a place that mounts nothing."""
    return SAME_PATHS
