"""Where something is mounted: a folder or an empty file, made for it, as what stands there will be."""

import os
import stat

from vhpipe.namespaces import syscalls


def make_point(like: int, target: str) -> None:
    """Make a folder or an empty file, as the descriptor is one. Errors: OSError, also where there is something."""
    if stat.S_ISDIR(os.fstat(like).st_mode):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))


def bind(source: int, target: str) -> None:
    """Mount what a descriptor stands for, with all mounts below it. Errors: OSError."""
    syscalls.mount(f"/proc/self/fd/{source}", target, flags=syscalls.MS_BIND | syscalls.MS_REC)
