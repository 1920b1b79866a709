"""Whether this machine lets a step have `/valohai` without a container: it is tried in a child process."""

import ctypes
import os
from typing import Literal, NamedTuple

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000


class Trial(NamedTuple):
    """`way` None: it cannot be had, for `reason`; `cure` is a command that changes that."""

    way: Literal["root", "user", "all-ids"] | None
    reason: str = ""
    cure: str = ""


def tried_here() -> Trial:
    """What works for this user on this machine. Nothing of it is left."""
    child = os.fork()
    if child == 0:
        flags = CLONE_NEWNS if os.geteuid() == 0 else CLONE_NEWNS | CLONE_NEWUSER
        os._exit(0 if ctypes.CDLL(None).unshare(flags) == 0 else 1)
    if os.waitpid(child, 0)[1] == 0:
        return Trial("root" if os.geteuid() == 0 else "user")
    with open("/proc/sys/user/max_user_namespaces", encoding="ascii") as limit:
        if limit.read().strip() == "0":
            cure = "sudo sysctl user.max_user_namespaces=15000"
            return Trial(None, "user.max_user_namespaces is 0", cure)
    return Trial(None, "the system refuses namespaces", "vhpipe doctor")
