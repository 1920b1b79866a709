"""The folders of one execution, put where its step sees them, in the mount namespace that this thread has just made."""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.covered_folder import cover
from vhpipe.namespaces.mount_points import bind, make_point
from vhpipe.platform_paths import FOLDERS, VALOHAI, is_within

SKELETON = "mode=755,size=256m"
"""What a step writes below `/valohai` beside its folders is in memory, and gone when it ends."""
Bound = tuple[str, str, bool]
"""Source, target, and whether it is read-only."""
_KEPT_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""Flags of statvfs and of mount: who is not allowed to take them away has to give them again."""


class TreeNotThereError(OSError):
    """A target outside of `/valohai` that this machine does not have."""


def place(mounts: Sequence[Bound], read_only_below: str | None, covers: bool = True) -> None:
    """Put all mounts in their order, with `covers` into a fresh `/valohai` over the one that is there.

    `read_only_below` is a folder of the host that is mounted read-only: what is bound of it for writing is writable.
    Without, that one is there already. All sources are opened before anything is covered. Errors: OSError.
    """
    if _calls.are_new:
        try:
            _place_trees(mounts, read_only_below, covers)
            return
        except OSError as failure:
            if failure.errno != errno.ENOSYS:
                raise
            _calls.are_new = False
    place_by_old_calls(mounts, read_only_below, covers)


class _Calls:
    are_new = True
    """Whether the kernel has `open_tree` and `mount_setattr` (5.12), as far as is known."""


_calls = _Calls()


def _place_trees(mounts: Sequence[Bound], read_only_below: str | None, covers: bool) -> None:
    trees: list[int] = []
    try:
        for source, _, read_only in mounts:
            trees.append(syscalls.open_tree(source))
            if read_only:
                syscalls.mount_setattr(trees[-1], add=syscalls.MOUNT_ATTR_RDONLY, recursive=True)
            elif _is_in(source, read_only_below):
                syscalls.mount_setattr(trees[-1], clear=syscalls.MOUNT_ATTR_RDONLY)
        if covers:
            _cover()
        for tree, (_, target, _) in zip(trees, mounts, strict=True):
            _make_target(target, tree)
            syscalls.move_mount(tree, target)
    finally:
        for tree in trees:
            os.close(tree)


def place_by_old_calls(mounts: Sequence[Bound], read_only_below: str | None, covers: bool = True) -> None:
    """As `place`, for kernels before 5.12: a path of a descriptor leads to what is covered meanwhile."""
    sources: list[int] = []
    try:
        for source, _, _ in mounts:
            sources.append(os.open(source, os.O_PATH | os.O_CLOEXEC))
        if covers:
            _cover()
        for descriptor, (source, target, read_only) in zip(sources, mounts, strict=True):
            _make_target(target, descriptor)
            bind(descriptor, target)
            if read_only or _is_in(source, read_only_below):
                set_read_only(target, read_only)
    finally:
        for descriptor in sources:
            os.close(descriptor)


def set_read_only(target: str, read_only: bool = True) -> None:
    """Make a mount read-only, or writable again; its other flags stay."""
    found = os.statvfs(target).f_flag
    flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | (syscalls.MS_RDONLY if read_only else 0)
    for known, flag in _KEPT_FLAGS.items():
        flags |= flag if found & known else 0
    syscalls.mount(None, target, flags=flags)


def _cover() -> None:
    syscalls.mount("vhpipe", VALOHAI, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, SKELETON)
    for folder in FOLDERS:
        os.mkdir(folder, 0o755)


def _make_target(target: str, descriptor: int) -> None:
    """Make the folder or file at which something is to be mounted, where only this namespace has it.

    Errors: `TreeNotThereError` for one that would have to be made on the host.
    """
    if target in FOLDERS or os.path.lexists(target):
        return
    folder = os.path.dirname(target)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if is_within(folder, VALOHAI):
        _make_like(descriptor, target)
    elif folder != "/":
        cover(folder, lambda: _make_like(descriptor, target))
        set_read_only(folder)
    elif is_private_root():
        set_read_only("/", False)
        try:
            _make_like(descriptor, target)
        finally:
            set_read_only("/")
    else:
        raise TreeNotThereError(errno.ENOENT, "a mount's folder is not there on this machine", target)


def _make_like(descriptor: int, target: str) -> None:
    """Make a folder or an empty file, as the descriptor is one, and the folders before it."""
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    with suppress(FileExistsError):
        make_point(descriptor, target)


PRIVATE_ROOT = "vhpipe-root"
"""The name by which a private root is known in the list of mounts."""


def is_private_root() -> bool:
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        return any(line.split()[4] == "/" and f" - tmpfs {PRIVATE_ROOT} " in line for line in mounts)


def _is_in(path: str, folder: str | None) -> bool:
    return folder is not None and is_within(path, folder)
