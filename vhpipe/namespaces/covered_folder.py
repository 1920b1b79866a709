"""A folder of the machine as a step sees it where something more than the machine has is to be mounted in it.

Nothing is made on the machine: a tmpfs covers the folder and shows its entries, and the further ones. In itself it is
read-only, for what was made there would be in memory and gone with the step; its entries are as they were.
"""

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.mount_points import bind, make_point

COVER = "vhpipe-cover"
"""The name by which one is known in the list of mounts."""
_MODE_BITS = 0o7777


def cover(folder: str, add: Callable[[], None]) -> None:
    """Have `add` make further entries in the folder, in the mount namespace of this thread. Errors: OSError."""
    mode = os.stat(folder).st_mode & _MODE_BITS
    with ExitStack() as opened:
        sources = {name: _opened(f"{folder}/{name}", opened) for name in os.listdir(folder)}
        syscalls.mount(COVER, folder, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, f"mode={mode:o}")
        for name, source in sources.items():
            if source is not None:
                _show(source, f"{folder}/{name}")
    add()


def _opened(path: str, opened: ExitStack) -> int | None:
    """A descriptor of an entry, whatever it is; None for one that has gone meanwhile."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        opened.callback(os.close, descriptor)
        return descriptor
    return None


def _show(source: int, target: str) -> None:
    if stat.S_ISLNK(os.fstat(source).st_mode):
        os.symlink(os.readlink("", dir_fd=source), target)
        return
    make_point(source, target)
    bind(source, target)
