"""User namespaces: what an ordinary user, or root without the right to mount, needs before a mount namespace."""

import os

from vhpipe.namespaces import syscalls


def enter_as_user() -> None:
    """Have this process, which has no threads, be the same user in a user namespace of its own. Errors: OSError."""
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def enter_unmapped() -> None:
    """Enter one in which `map_all_ids` of another process is still to say who is who. Errors: OSError."""
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)


def map_all_ids(process: int) -> None:
    """Have all users and groups in the namespace of a child be who they are here. Errors: OSError."""
    for kind in ("uid_map", "gid_map"):
        with open(f"/proc/self/{kind}", encoding="ascii") as own:
            inside = [line.split() for line in own]
        _write(f"/proc/{process}/{kind}", "".join(f"{first} {first} {count}\n" for first, _, count in inside))


def _write(path: str, text: str) -> None:
    """In one call, as the kernel wants it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as failure:
        raise OSError(failure.errno, failure.strerror, os.path.basename(path)) from failure
