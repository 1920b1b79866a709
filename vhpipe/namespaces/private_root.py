"""The tree of files that all steps of a run start from: that of the machine, and `/valohai` in it.

Where the machine has no such folder it is made in a root of our own: a tmpfs whose entries are those of the machine's
root. Its top is read-only, for what was made there would be in memory and gone with the run.
"""

import os
import stat
from collections.abc import Iterator

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.bound_folders import PRIVATE_ROOT, set_read_only
from vhpipe.namespaces.mount_points import bind, make_point
from vhpipe.platform_paths import VALOHAI


def prepare_root(state: str | None, is_covered: bool = False) -> None:
    """Make the tree in the mount namespace of this thread, which nobody shares. Mounts of the host keep coming in.

    `state` is a folder that becomes read-only; `is_covered` says that it lies below `/valohai`
    itself, so that something has to be mounted beside that. Errors: OSError.
    """
    is_ordinary = os.getuid() != 0
    if is_ordinary:  # before anything hides what is imported
        from vhpipe.namespaces.ssh_settings import own_ssh_settings
    syscalls.mount(None, "/", flags=syscalls.MS_REC | syscalls.MS_SLAVE)
    if is_covered or not _is_folder(VALOHAI):
        _make_private_root()
    if state is not None and os.path.isdir(state):
        syscalls.mount(state, state, flags=syscalls.MS_BIND | syscalls.MS_REC)
        set_read_only(state)
    if is_ordinary:
        own_ssh_settings()


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _make_private_root() -> None:
    entries = {name: os.lstat(f"/{name}").st_mode for name in os.listdir("/")}
    mode = stat.S_IMODE(os.stat("/").st_mode)
    root = next(f"/{name}" for name in ("tmp", *entries) if stat.S_ISDIR(entries.get(name, 0)))
    links = {name: os.readlink(f"/{name}") for name in entries if stat.S_ISLNK(entries[name])}
    sources = {name: os.open(f"/{name}", os.O_PATH | os.O_CLOEXEC) for name in entries if name not in links}
    try:
        syscalls.mount(PRIVATE_ROOT, root, "tmpfs", data=f"mode=755,{_size_of_root()}")
        syscalls.mount(None, root, flags=syscalls.MS_UNBINDABLE)  # else it would be copied with the entry it covers
        for name, goal in links.items():
            os.symlink(goal, f"{root}/{name}")
        for name, source in sources.items():
            make_point(source, f"{root}/{name}")
            bind(source, f"{root}/{name}")
        os.makedirs(f"{root}{VALOHAI}", 0o755, exist_ok=True)
    finally:
        for source in sources.values():
            os.close(source)
    os.chmod(root, mode)
    os.chdir(root)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".", syscalls.MNT_DETACH)
    os.chdir("/")
    set_read_only("/")


def _size_of_root() -> str:
    """The size of the machine's root as options of tmpfs, so that who asks how large the disk is hears that."""
    return ",".join(_sizes(os.statvfs("/")))


def _sizes(found: os.statvfs_result) -> Iterator[str]:
    if size := found.f_blocks * found.f_frsize:
        yield f"size={size}"
    if found.f_files:
        yield f"nr_inodes={found.f_files}"
