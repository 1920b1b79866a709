"""Why steps have no `/valohai` on a machine, and the command that changes that."""

import errno
import os
import subprocess
import sys

import pytest

from vhpipe.namespaces.trial import Refusal, Trial, trial_of, tried_here


def refusal(call: str, number: int, **found: object) -> Refusal:
    usual = {
        "user_namespaces": 96000, "apparmor_restricts": False, "unprivileged_allowed": True, "has_seccomp": False,
        "is_container": False,
    }  # fmt: skip
    return Refusal(call, number, **{**usual, **found})  # type: ignore[arg-type]


REFUSALS = [
    (refusal("unshare", errno.ENOSPC, user_namespaces=0), "user.max_user_namespaces is 0",
     "sudo sysctl user.max_user_namespaces=15000"),
    (refusal("unshare", errno.ENOSPC, user_namespaces=20), "user.max_user_namespaces is 20, and all of them are in use",
     "sudo sysctl user.max_user_namespaces=15000"),
    (refusal("unshare", errno.EPERM, user_namespaces=0, has_seccomp=True), "user.max_user_namespaces is 0",
     "sudo sysctl user.max_user_namespaces=15000"),
    (refusal("mount", errno.EACCES, apparmor_restricts=True), "AppArmor forbids",
     "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    (refusal("uid_map", errno.EPERM, apparmor_restricts=True), "AppArmor forbids",
     "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    (refusal("unshare", errno.EPERM, unprivileged_allowed=False), "kernel.unprivileged_userns_clone is 0",
     "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (refusal("unshare", errno.EPERM, has_seccomp=True, is_container=True), "seccomp filter of this container",
     "--security-opt seccomp=unconfined"),
    (refusal("unshare", errno.EPERM, has_seccomp=True), "seccomp filter of this session", ""),
    (refusal("unshare", errno.EPERM), "as in a chroot", ""),
    (refusal("mount", errno.EINVAL), "chroot", ""),
    (refusal("unshare", errno.ENOSYS), "this kernel has no namespaces", ""),
    (refusal("open_tree", errno.EIO), "open_tree: Input/output error", ""),
    (refusal("holder", 0), "holder: no answer", ""),
]  # fmt: skip


@pytest.mark.parametrize(("refused", "reason", "cure"), REFUSALS)
def test_a_refusal_has_its_reason_and_the_command_that_cures_it(refused: Refusal, reason: str, cure: str) -> None:
    found = trial_of(refused)
    assert found.way is None
    assert reason in found.reason
    assert cure in found.cure
    assert bool(cure) == bool(found.cure)


def test_the_trial_leaves_this_process_where_it_was() -> None:
    before = os.readlink("/proc/self/ns/mnt"), os.readlink("/proc/self/ns/user"), os.getcwd(), open_files()
    tried_here.cache_clear()
    found = tried_here()
    assert isinstance(found, Trial)
    assert bool(found.way) != bool(found.reason)
    assert (os.readlink("/proc/self/ns/mnt"), os.readlink("/proc/self/ns/user"), os.getcwd(), open_files()) == before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_root_of_a_user_namespace_alone_has_another_way_without_a_word() -> None:
    words = [sys.executable, "-c", "from vhpipe.namespaces.trial import tried_here; print(tried_here().way)"]
    done = subprocess.run(["unshare", "-Ur", *words], capture_output=True, text=True)
    if "unshare" in done.stderr:
        pytest.skip("user namespaces are refused here")
    assert (done.stdout, done.stderr) == ("all-ids\n", "")
