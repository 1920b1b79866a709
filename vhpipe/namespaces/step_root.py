"""Starting processes that see `/valohai`: a thread goes into a prepared mount namespace, starts one, and comes back.

What it needs is made once: a namespace with the tree of files that steps start from, which nobody is in. Every start
makes a copy of that for its process alone, with the folders of its execution; it ends with the last process in it.
"""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.bound_folders import Bound, place
from vhpipe.namespaces.kept_trees import CopyMounts, KeptTree, KeptTrees, split, this_tree
from vhpipe.namespaces.private_root import prepare_root

STREAMS = (0, 1, 2)
OWN_NAMESPACE = "/proc/thread-self/ns/mnt"


class StrandedError(Exception):
    """This thread cannot come back from the namespace of a step: nothing that it did from now on would be right."""

    def __init__(self, failure: OSError) -> None:
        super().__init__(f"cannot leave the mount namespace of a step: {failure.strerror}")
        self.failure = failure


class StepRoot:
    """The tree for the steps of one run. All methods are for the thread that made it, and its program for children.

    `state` is a folder that steps see read-only, but for what is bound of it for writing; `is_covered` as in
    `prepare_root`. The thread has a working directory of its own from the first start on.
    Errors of making one: OSError, and the thread is where it was.
    """

    def __init__(self, state: str | None = None, is_covered: bool = False) -> None:
        self._state = state
        root = _identity("/")
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._home = _own_namespace()
        self._base: int | None = None
        self._trees = KeptTrees()
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            try:
                prepare_root(state, is_covered)
                self._base = _own_namespace()
            finally:
                self._return()
            if _identity("/") != root:  # it was not the root of its namespace: a chroot
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), "chroot")
        except BaseException:
            self.close()
            raise

    def start(self, mounts: Sequence[Bound], folder: str, start: Callable[[], int]) -> int:
        """What `start` gives, called with the mounts in place and `folder`, a path among them, as working directory.

        Errors: OSError of the kernel and of `start`.
        """
        assert self._base is not None, "it is not closed"
        lasting, rest = split(mounts)
        syscalls.unshare(syscalls.CLONE_FS)  # each time: a thread that was started since shares it again
        if lasting is None:
            return self._started(self._base, mounts, True, folder, start)
        tree = self._trees.take(lasting) or self._new_tree(self._base, lasting)
        try:
            process = self._started(tree.namespace, rest, False, folder, start)
        except BaseException:
            tree.close()
            raise
        self._trees.note(process, tree)
        return process

    def ended(self, process: int) -> None:
        """Say that nothing is left of a process that was started here."""
        self._trees.ended(process)

    def _started(
        self, namespace: int, mounts: Sequence[Bound], covers: bool, folder: str, start: Callable[[], int]
    ) -> int:
        syscalls.setns(namespace)
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            place(mounts, self._state, covers)
            os.chdir(folder)
            return start()
        finally:
            self._return()

    def _new_tree(self, base: int, lasting: CopyMounts) -> KeptTree:
        syscalls.setns(base)
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            place(lasting.mounts, self._state)
            return this_tree(lasting, _own_namespace())
        finally:
            self._return()

    def _return(self) -> None:
        try:
            syscalls.setns(self._home)
            os.fchdir(self._here)
        except OSError as failure:
            raise StrandedError(failure) from failure

    def close(self) -> None:
        self._trees.close()
        for descriptor in (self._here, self._home, self._base):
            if descriptor is not None:
                with suppress(OSError):
                    os.close(descriptor)
        self._base = None


def _own_namespace() -> int:
    return os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino
