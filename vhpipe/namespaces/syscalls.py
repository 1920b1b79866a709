"""The system calls for namespaces and mounts, one function each: all raise `OSError`, whose file name is the call's.

Source: man pages of section 2; numbers from `asm/unistd.h`, where those from 424 on are the same everywhere.
"""

import ctypes
import functools
import os
import sys

CLONE_FS = 0x200
CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 32, 4096, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE = 1 << 17, 1 << 18, 1 << 19
MNT_DETACH = 2
AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_CLONE_ALL = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
MOVE_MOUNT_F_EMPTY_PATH = 4
MOUNT_ATTR_RDONLY = 1
PR_SET_PDEATHSIG = 1

CALLS = frozenset(
    {"unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "mount_setattr", "prctl"}
)
"""The names that failures have."""

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_PIVOT_ROOT = {"x86_64": 155, "i686": 217, "ppc64le": 203, "s390x": 217, "armv7l": 218}
_PIVOT_ROOT_ELSEWHERE = 41
"""The number of all architectures that came later, such as aarch64 and riscv64."""

_libc = ctypes.CDLL(None, use_errno=True)
_unshare, _setns, _syscall = _libc.unshare, _libc.setns, _libc.syscall  # what a library is asked for costs each time


class _MountAttributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace"))


_ENCODING = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
_ATTRIBUTES_SIZE = ctypes.sizeof(_MountAttributes)


@functools.cache
def _attributes(add: int, clear: int) -> _MountAttributes:
    return _MountAttributes(add, clear, 0, 0)


def _checked(result: int, call: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), call)
    return result


def unshare(flags: int) -> None:
    """Give this thread namespaces, or a working directory, of its own."""
    _checked(_unshare(flags), "unshare")


def setns(descriptor: int, kind: int = CLONE_NEWNS) -> None:
    """Have this thread enter a namespace; its root and working directory are that namespace's root then."""
    _checked(_setns(descriptor, kind), "setns")


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    words = (None if each is None else os.fsencode(each) for each in (source, target, kind))
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode()), "mount")


def unmount(target: str, flags: int = 0) -> None:
    _checked(_libc.umount2(os.fsencode(target), flags), "umount2")


def pivot_root(new: str, old: str) -> None:
    number = _PIVOT_ROOT.get(os.uname().machine, _PIVOT_ROOT_ELSEWHERE)
    _checked(_syscall(number, os.fsencode(new), os.fsencode(old)), "pivot_root")


def open_tree(path: str) -> int:
    """The descriptor of a copy of all mounts from `path` on, which stands nowhere yet."""
    return _checked(_syscall(_OPEN_TREE, AT_FDCWD, path.encode(*_ENCODING), _CLONE_ALL), "open_tree")


def move_mount(tree: int, target: str) -> None:
    """Put the mounts of a descriptor at `target`."""
    here = target.encode(*_ENCODING)
    _checked(_syscall(_MOVE_MOUNT, tree, b"", AT_FDCWD, here, MOVE_MOUNT_F_EMPTY_PATH), "move_mount")


def mount_setattr(tree: int, add: int = 0, clear: int = 0, recursive: bool = False) -> None:
    """Change attributes of the mounts of a descriptor."""
    wanted = ctypes.byref(_attributes(add, clear))
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    _checked(_syscall(_MOUNT_SETATTR, tree, b"", flags, wanted, _ATTRIBUTES_SIZE), "mount_setattr")


def die_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when the thread that started it ends."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")
