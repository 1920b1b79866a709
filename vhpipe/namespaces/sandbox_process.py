"""The sandbox without `bwrap`: a process that makes namespaces of its own, lays out the tree, and runs the step in it.

Three processes: one outside that waits and ends as the step did; process 1 of the namespace, which buries orphans and
with which all of them die; and the step. It is started by `python -I -S` and imports little.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

from vhpipe.namespaces import syscalls
from vhpipe.namespaces.inherited_signals import heed_again
from vhpipe.namespaces.user_namespace import enter_as_user

CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x4000000, 0x8000000, 0x20000000, 0x40000000
MS_NOEXEC = 8
ROOT, OLD_ROOT = "/newroot", "/oldroot"
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
LAST_CAPABILITY = 63
KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10})
"""The numbers of those that `bubblewrap.KEPT_CAPABILITIES` names."""
MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 2, 4
NODES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
    "core": "/proc/kcore", "ptmx": "pts/ptmx",
}  # fmt: skip
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
CANNOT = 126
"""The exit code where the sandbox could not be made, which is said on standard error."""


def main(words: Sequence[str]) -> None:
    """Run `program arguments…` as the JSON in the first word says. Does not come back."""
    try:
        request = json.loads(words[0])
        _end_with(request["parent"])
        status = _run(request, words[1], words[2:])
    except OSError as failure:
        print(f"vhpipe: the sandbox cannot be made: {failure.strerror} ({failure.filename})", file=sys.stderr)
        os._exit(CANNOT)
    _end_as(status)


def _end_with(parent: int) -> None:
    syscalls.die_with_parent(signal.SIGKILL)
    if parent and os.getppid() != parent:
        os._exit(1)


def _run(request: dict[str, Any], program: str, arguments: Sequence[str]) -> int:
    """The wait status of the step."""
    if os.geteuid() != 0 or not request["is_root"]:
        enter_as_user()
    network = 0 if request["network"] else CLONE_NEWNET
    syscalls.unshare(syscalls.CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | network)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_first(request, program, arguments, writing)
    os.close(writing)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    told = os.read(reading, 4)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if len(told) == 4:
        return int(struct.unpack("i", told)[0])
    return code << 8 if code >= 0 else -code


def _end_as(status: int) -> None:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


# ── process 1 ────────────────────────────────────────────────────────────────────────────────────


def _be_the_first(request: dict[str, Any], program: str, arguments: Sequence[str], told: int) -> None:
    try:
        syscalls.die_with_parent(signal.SIGKILL)
        if not request["network"]:
            _raise_loopback()
        _lay_out(request["parts"])
        os.chdir(request["folder"])
        _drop_privileges()
        step = os.fork()
        if step == 0:
            os.close(told)
            _become(program, arguments)
        _bury(step, told)
    except OSError as failure:
        print(f"vhpipe: the sandbox cannot be made: {failure.strerror} ({failure.filename})", file=sys.stderr)
    os._exit(CANNOT)


def _become(program: str, arguments: Sequence[str]) -> None:
    try:
        heed_again()
        os.execv(program, list(arguments))
    except OSError as failure:
        print(f"vhpipe: cannot start {program}: {failure.strerror}", file=sys.stderr)
    os._exit(CANNOT)


def _bury(step: int, told: int) -> None:
    """Wait for the step and for every orphan; all that is left when the step has ended dies with this process."""
    while True:
        process, status = os.wait()
        if process == step:
            os.write(told, struct.pack("i", status))
            os._exit(0)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))


def _drop_privileges() -> None:
    """What root keeps can change no mount; other users keep nothing once their program starts."""
    libc = ctypes.CDLL(None)
    for number in range(LAST_CAPABILITY + 1):
        if number not in KEPT_CAPABILITIES:
            libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────


def _lay_out(parts: Sequence[tuple[str, str, str, bool]]) -> None:
    """Build the tree beside the old root, then have it be the root, with nothing of the old one left."""
    syscalls.mount(None, "/", flags=syscalls.MS_REC | syscalls.MS_SLAVE)
    syscalls.mount("vhpipe-sandbox", "/tmp", "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=755")
    for folder in (ROOT, OLD_ROOT):
        os.mkdir(f"/tmp{folder}")
    os.chdir("/tmp")
    syscalls.pivot_root("/tmp", f"/tmp{OLD_ROOT}")
    os.chdir("/")
    syscalls.mount("vhpipe-root", ROOT, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=755")
    for part in parts:
        _put(*part)
    syscalls.unmount(OLD_ROOT, syscalls.MNT_DETACH)
    os.chdir(ROOT)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".", syscalls.MNT_DETACH)
    os.chdir("/")


def _put(kind: str, target: str, source: str, is_optional: bool) -> None:
    place = f"{ROOT}{target}"
    if kind == "link":
        os.symlink(source, place)
    elif kind == "proc":
        _make_folder(place)
        syscalls.mount("proc", place, "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | MS_NOEXEC)
    elif kind == "dev":
        _make_devices(place)
    elif kind == "empty":
        _make_folder(place)
        syscalls.mount("vhpipe-empty", place, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=755")
    elif kind == "folder":
        _make_folder(place)
    elif kind == "closed":
        flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | syscalls.MS_NOSUID | syscalls.MS_NODEV
        syscalls.mount(None, place, flags=flags)
    elif not is_optional or os.path.exists(f"{OLD_ROOT}{source}"):
        _bind(f"{OLD_ROOT}{source}", place, kind)


def _bind(source: str, place: str, kind: str) -> None:
    tree = syscalls.open_tree(source)
    try:
        attributes = MOUNT_ATTR_NOSUID | (0 if kind == "device" else MOUNT_ATTR_NODEV)
        attributes |= syscalls.MOUNT_ATTR_RDONLY if kind == "read-only" else 0
        syscalls.mount_setattr(tree, add=attributes, recursive=True)
        if os.path.isdir(source):
            _make_folder(place)
        elif not os.path.lexists(place):
            _make_folder(os.path.dirname(place))
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        syscalls.move_mount(tree, place)
    finally:
        os.close(tree)


def _make_folder(place: str) -> None:
    os.makedirs(place, 0o755, exist_ok=True)


def _make_devices(place: str) -> None:
    _make_folder(place)
    syscalls.mount("vhpipe-dev", place, "tmpfs", syscalls.MS_NOSUID, "mode=755")
    for name in NODES:
        _bind(f"{OLD_ROOT}/dev/{name}", f"{place}/{name}", "device")
    for name, goal in LINKS.items():
        os.symlink(goal, f"{place}/{name}")
    for name in ("shm", "pts"):
        os.mkdir(f"{place}/{name}", 0o1777)
    options = "newinstance,ptmxmode=0666,mode=620"
    syscalls.mount("devpts", f"{place}/pts", "devpts", syscalls.MS_NOSUID | MS_NOEXEC, options)
