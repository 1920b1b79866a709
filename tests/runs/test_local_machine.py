"""The default place on other machines: that refuse namespaces, that have `/valohai`, and what a step sees of each."""

import errno
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import refusing
from tests.runs.people import Person, person_with_namespaces

pytestmark = pytest.mark.long

ROOT_ALONE = pytest.mark.skipif(os.geteuid() != 0, reason="lays out another machine, as root alone can")
RESTRICTED = (
    "unshare", "--mount", "sh", "-c",
    "d=$(mktemp -d); cp -r /proc/sys/kernel/random /proc/sys/kernel/pid_max $d; mount -t tmpfs none /proc/sys/kernel; "
    "cp -r $d/* /proc/sys/kernel; rm -r $d; echo 1 > /proc/sys/kernel/apparmor_restrict_unprivileged_userns; "
    'exec "$@"', "sh",
)  # fmt: skip
"""What runs the words after it on a machine whose AppArmor says that it restricts user namespaces."""


@pytest.fixture(params=["caller", "user"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    with person_with_namespaces(request.param) as found:
        yield found


def step(command: str) -> str:
    return json.dumps([{"step": {"name": "s", "image": "none", "command": command}}])


# ── machines that refuse ─────────────────────────────────────────────────────────────────────────


def refused(calls: str, number: int) -> tuple[str, ...]:
    return sys.executable, refusing.__file__, calls, str(number)


REFUSALS = {
    "a filter": (refused("unshare", errno.EPERM), "a seccomp filter of this ", ""),
    "a profile": ((*RESTRICTED, *refused("mount,open_tree,move_mount", errno.EACCES)), "AppArmor forbids mounts",
                  "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
}  # fmt: skip


@ROOT_ALONE
@pytest.mark.skipif(platform.machine() not in refusing.NUMBERS, reason="other numbers of system calls")
@pytest.mark.parametrize("by", REFUSALS)
def test_where_it_is_refused_a_run_ends_as_it_would_and_says_why_and_the_cure(person: Person, by: str) -> None:
    around, reason, cure = REFUSALS[by]
    person.write("valohai.yaml", step("pwd -P > $VH_OUTPUTS_DIR/here; exit 7"))
    done = person.vhpipe("run", "--step", "s", "--json", around=around)
    assert done.code == 1, done.err
    assert done.node("s")["executions"][0]["attempts"][0]["exit_code"] == 7
    (said,) = (line for line in done.err.splitlines() if "no `/valohai` here" in line)
    assert reason in said
    assert cure in said
    assert person.output("here").startswith(str(person.project))
    told = person.vhpipe("doctor", around=around)
    assert reason in told.out
    assert cure in told.out
    person.write("valohai.yaml", step("pwd -P > /valohai/outputs/here"))
    assert person.vhpipe("run", "--step", "s", around=around).code == 3


# ── what a step sees of the machine ──────────────────────────────────────────────────────────────

LAYS_OUT = (
    "unshare", "--mount", "sh", "-c",
    "d=$0; mount -t tmpfs none $d; mkdir $d/upper $d/work $d/root; "
    "mount -t overlay -o lowerdir=/,upperdir=$d/upper,workdir=$d/work none $d/root; cd $d/root; "
    "for each in proc sys dev tmp run; do mount --rbind /$each $each; done; mkdir valohai; "
    "PATH=$PATH:/usr/sbin:/sbin pivot_root . mnt; "
    'cd "$1"; shift; "$@"; code=$?; test -e /data/x && echo made; echo "left: $(ls -A /valohai)"; exit $code',
)  # fmt: skip
"""What runs the words after it on a machine that has a folder `/valohai`; they begin with two folders."""


@ROOT_ALONE
def test_on_a_machine_that_has_the_folder_steps_have_the_root_of_that_machine(person: Person, tmp_path: Path) -> None:
    is_root = "setpriv" not in person.words
    made = "mkdir /data && touch /data/x" if is_root else "! mkdir /data"
    person.write("valohai.yaml", step(f"{made}; touch /valohai/outputs/x; ls -A /valohai > /valohai/outputs/names"))
    place = (str(tmp_path), str(person.project))
    done = person.vhpipe("run", "--step", "s", around=(*LAYS_OUT, *place))
    assert done.code == 0, done.err
    assert done.out.splitlines() == [*(["made"] if is_root else []), "left: "]
    assert person.output("names").split() == ["config", "inputs", "outputs", "repository"]
    assert not os.path.lexists("/data")


def test_what_a_step_would_lose_at_the_top_of_a_root_of_its_own_is_refused(person: Person) -> None:
    if os.path.isdir("/valohai"):
        pytest.skip("steps have the root of this machine")
    person.write("valohai.yaml", step("if mkdir /data; then exit 9; fi; test ! -e /data"))
    done = person.vhpipe("run", "--step", "s")
    assert done.code == 0, done.err
    log = next(person.project.glob(".vhpipe/runs/1/work/*/*/log")).read_text()
    assert "Read-only file system" in log
    assert not os.path.lexists("/valohai")
    assert not os.path.lexists("/data")


def test_temporary_files_programs_devices_and_ports_are_those_of_the_machine(person: Person) -> None:
    around = person.folder / "project/around"
    command = (
        "echo $PATH > /valohai/outputs/path; ls /dev > /valohai/outputs/devices; "
        "stat -c %i /tmp > /valohai/outputs/tmp; "
        f"cat /proc/net/tcp | wc -l > /valohai/outputs/ports; touch {around}; ulimit -a > /valohai/outputs/limits; "
        "nproc > /valohai/outputs/cores; umask > /valohai/outputs/mask"
    )
    person.write("valohai.yaml", step(command))
    seen = {}
    names = ("path", "devices", "tmp", "limits", "cores", "mask")
    for place in ("local", "process"):
        text = step(command if place == "local" else command.replace("/valohai/outputs", "$VH_OUTPUTS_DIR"))
        person.write("valohai.yaml", text)
        done = person.vhpipe("run", "--step", "s", "--in", place)
        assert done.code == 0, done.err
        seen[place] = [person.output(name) for name in names]
        shutil.rmtree(person.project / ".vhpipe")
    assert seen["local"] == seen["process"]
    assert around.exists()


@pytest.mark.skipif(shutil.which("ssh") is None or shutil.which("git") is None, reason="needs git and ssh")
@ROOT_ALONE
def test_git_over_ssh_gets_as_far_as_the_network(person: Person) -> None:
    reaches = (
        "printf 'Host somewhere\\nProxyCommand sh -c \"echo reached >&2\"\\n' > /etc/ssh/ssh_config.d/10-own.conf; "
    )
    script = f'mkdir -p /etc/ssh/ssh_config.d; mount -t tmpfs none /etc/ssh/ssh_config.d; {reaches}exec "$@"'
    person.write("valohai.yaml", step("git ls-remote ssh://somewhere/x > /valohai/outputs/said 2>&1; true"))
    done = person.vhpipe("run", "--step", "s", around=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert done.code == 0, done.err
    said = person.output("said")
    assert "reached" in said
    assert "Bad owner" not in said
