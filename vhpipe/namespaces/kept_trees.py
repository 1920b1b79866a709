"""Trees of files that are kept between executions, each a mount namespace that nobody is in.

In one are `/valohai` and the working copy of a slot; an execution gets a copy with its own folders. A tree is for one
execution at a time, and for a further one only as long as nothing has been written to `/valohai` itself.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.namespaces.bound_folders import Bound
from vhpipe.platform_paths import REPOSITORY, VALOHAI, is_within

MOST_KEPT = 64
"""Of trees that nobody uses; the oldest are let go."""
_Look = tuple[int, ...]


class CopyMounts(NamedTuple):
    """Mounts that one execution after the other has, and the folder behind them, which is the same as long as they do.

    A folder that was made anew is another one: mounts of the one before would lead to nothing.
    """

    mounts: tuple[Bound, ...]
    device: int
    inode: int


class KeptTree(NamedTuple):
    """A tree: its namespace, the top of its `/valohai`, and how that looked when it was new."""

    lasting: CopyMounts
    namespace: int
    top: int
    new: _Look

    def is_new(self) -> bool:
        return _look(self.top) == self.new

    def close(self) -> None:
        os.close(self.namespace)
        os.close(self.top)


def split(mounts: Sequence[Bound]) -> tuple[CopyMounts | None, Sequence[Bound]]:
    """The mounts of the working copy, which comes first, and the others; no lasting ones where one hides a source.

    Errors: OSError where the working copy is not there.
    """
    if not mounts or mounts[0][1] != REPOSITORY:
        return None, mounts
    copy = mounts[0][0]
    lasting: list[Bound] = []
    rest: list[Bound] = []
    for each in mounts:
        source, target, _ = each
        if is_within(source, VALOHAI):
            return None, mounts
        (lasting if source == copy and target in (REPOSITORY, copy) else rest).append(each)
    found = os.stat(copy)
    return CopyMounts(tuple(lasting), found.st_dev, found.st_ino), rest


class KeptTrees:
    """Trees in use, by the process that uses them, and those that are free. Not thread-safe."""

    def __init__(self) -> None:
        self._free: list[KeptTree] = []
        self._used: dict[int, KeptTree] = {}

    def take(self, lasting: CopyMounts) -> KeptTree | None:
        """A free tree as good as new; it is nobody's then, until it is noted or closed."""
        for tree in reversed(self._free):
            if tree.lasting == lasting:
                self._free.remove(tree)
                if tree.is_new():
                    return tree
                tree.close()
        return None

    def note(self, process: int, tree: KeptTree) -> None:
        """Who uses a tree."""
        self._used[process] = tree

    def ended(self, process: int) -> None:
        """Nothing of the process is left: its tree can be another one's."""
        tree = self._used.pop(process, None)
        if tree is None:
            return
        if tree.is_new():
            self._free.append(tree)
            if len(self._free) > MOST_KEPT:
                self._free.pop(0).close()
        else:
            tree.close()

    def close(self) -> None:
        for tree in (*self._free, *self._used.values()):
            tree.close()
        self._free.clear()
        self._used.clear()


def this_tree(lasting: CopyMounts, namespace: int) -> KeptTree:
    """The tree that this thread is in; `namespace` is its descriptor."""
    top = os.open(VALOHAI, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return KeptTree(lasting, namespace, top, _look(top))


def _look(top: int) -> _Look:
    """What changes with a folder or its entries, whatever the clock says, and with how it is mounted and filled.

    All copies of a tree have the one tmpfs: where root mounts it anew with other options, or writes below what is
    mounted in it, that would be there for the next.
    """
    found, mounted = os.fstat(top), os.fstatvfs(top)
    return (
        found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_nlink, found.st_mode, found.st_uid, found.st_gid,
        mounted.f_flag, mounted.f_blocks, mounted.f_bfree, mounted.f_files, mounted.f_ffree,
    )  # fmt: skip
