"""Paths of an attempt, of two kinds: as the host has them, and as the step sees them.

On a place where both are the same `SAME_PATHS` turns one into the other. A place that mounts the folders of an attempt
elsewhere brings a mapping of its own, and nothing else changes.
"""

from collections.abc import Callable
from typing import NewType, Protocol

OutsidePath = NewType("OutsidePath", str)
"""A path on the machine that runs the attempt, as this program uses it."""
InsidePath = NewType("InsidePath", str)
"""A path as the step sees it: in variables, in configuration files, in its command."""


class PathMapping(Protocol):
    def inside(self, path: OutsidePath) -> InsidePath:
        """Where the step finds what is at `path`: the attempt's folder, its working copy, or something below them."""
        ...


class SamePaths:
    """The step sees the paths of the host."""

    def inside(self, path: OutsidePath) -> InsidePath:
        return InsidePath(path)


SAME_PATHS = SamePaths()

MappingOf = Callable[[OutsidePath, OutsidePath], PathMapping]
"""The mapping for one attempt: of its folder and its working copy."""


def same_paths(folder: OutsidePath, repository: OutsidePath) -> PathMapping:
    """The mapping of a place that mounts nothing."""
    return SAME_PATHS
