"""A folder of the machine as a step sees it where something more than the machine has is to be mounted in it.

Nothing is made on the machine: a tmpfs covers the folder and shows its entries, and the further ones. In itself it is
read-only, for what was made there would be in memory and gone with the step; its entries are as they were.
"""

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress

from vhpipe.namespaces import syscalls

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
    mode = os.fstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink("", dir_fd=source), target)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    syscalls.mount(f"/proc/self/fd/{source}", target, flags=syscalls.MS_BIND | syscalls.MS_REC)
