"""Whether steps can have `/valohai` on this machine, tried out in processes that end with the trial; else why not."""

import errno
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

from vhpipe.namespaces.step_root import StepRoot, StrandedError

Manner = Literal["root", "user", "all-ids"]


class Trial(NamedTuple):
    """What works: `root` enters mount namespaces as it is, `user` by a user namespace, `all-ids` is root in one.

    Where nothing does `way` is None, `reason` says why, and `cure` is the command that allows it, if one is known.
    """

    way: Manner | None
    reason: str = ""
    cure: str = ""


class Refusal(NamedTuple):
    """What the kernel has refused, and what it says about itself."""

    call: str
    number: int
    user_namespaces: int | None
    apparmor_restricts: bool
    unprivileged_allowed: bool
    has_seccomp: bool
    is_container: bool


@cache
def tried_here() -> Trial:
    """What works for this process, found out once."""
    failure: OSError | None = None
    for way in ("root", "all-ids") if os.geteuid() == 0 else ("user",):
        try:
            _TRIED[way]()
            return Trial(way)
        except OSError as refused:
            failure = refused
    assert failure is not None, "one was tried"
    return trial_of(_refusal(failure))


def _try_as_root() -> None:
    """In a thread, which has namespaces of its own then and ends with them: no fork, that other threads may mind."""
    said: list[OSError | None] = []

    def attempt() -> None:
        try:
            root = StepRoot()
            root.start((), "/", lambda: 0)
            root.close()
            said.append(None)
        except OSError as failure:
            said.append(failure)
        except StrandedError as stranded:  # root of a user namespace in the mount namespace of others
            said.append(stranded.failure)

    thread = threading.Thread(target=attempt, name="vhpipe-trial")
    thread.start()
    thread.join()
    failure = said[0] if said else OSError(0, "no answer", "start")
    if failure is not None:
        raise failure


def _try_as_user(all_ids: bool = False) -> None:
    from vhpipe.namespaces.holder import Holder  # root needs none

    holder = Holder(all_ids=all_ids)
    try:
        holder.try_out()
    finally:
        holder.close()


_TRIED: dict[Manner, Callable[[], None]] = {
    "root": _try_as_root,
    "user": _try_as_user,
    "all-ids": lambda: _try_as_user(True),
}


# ── why not ──────────────────────────────────────────────────────────────────────────────────────

_NONE_LEFT = (errno.ENOSPC, errno.EUSERS)
_FORBIDDEN = (errno.EPERM, errno.EACCES)
_UNKNOWN_HERE = (errno.ENOSYS, errno.EINVAL)


def trial_of(refusal: Refusal) -> Trial:
    """The reason and the cure for a refusal. Source: the table of what kernels and distributions refuse, and how."""
    call, number = refusal.call, refusal.number
    if call == "unshare" and (number in _NONE_LEFT or refusal.user_namespaces == 0):
        count = refusal.user_namespaces
        used_up = "is 0" if count == 0 else f"is {count}, and all of them are in use"
        return Trial(None, f"user.max_user_namespaces {used_up}", "sudo sysctl user.max_user_namespaces=15000")
    if number in _FORBIDDEN:
        for applies, reason, cure in _FORBIDDERS:
            if applies(refusal):
                return Trial(None, reason, cure)
    if call in ("unshare", "setns") and number in _UNKNOWN_HERE:
        return Trial(None, f"this kernel has no namespaces for it ({call}: {_said(number)})")
    if call in ("chroot", "mount") and number == errno.EINVAL:
        return Trial(None, "vhpipe runs in a chroot, where mounts cannot be made")
    return Trial(None, f"the system refuses it ({call or 'start'}: {_said(number)})")


_FORBIDDERS: tuple[tuple[Callable[[Refusal], bool], str, str], ...] = (
    (lambda it: it.apparmor_restricts, "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor forbids mounts",
     "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    (lambda it: not it.unprivileged_allowed, "kernel.unprivileged_userns_clone is 0",
     "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (lambda it: it.has_seccomp and it.is_container, "a seccomp filter of this container forbids namespaces",
     "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …"),
    (lambda it: it.has_seccomp, "a seccomp filter of this session forbids namespaces", ""),
    (lambda it: it.call == "unshare", "namespaces cannot be made here, as in a chroot", ""),
)  # fmt: skip


def _said(number: int) -> str:
    return os.strerror(number) if number else "no answer"


def _refusal(failure: OSError) -> Refusal:
    return Refusal(
        call=str(failure.filename or ""),
        number=failure.errno or 0,
        user_namespaces=_number("/proc/sys/user/max_user_namespaces"),
        apparmor_restricts=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1,
        unprivileged_allowed=_number("/proc/sys/kernel/unprivileged_userns_clone") != 0,
        has_seccomp="\nSeccomp:\t2\n" in _text("/proc/self/status"),
        is_container=os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"),
    )


def _number(path: str) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
