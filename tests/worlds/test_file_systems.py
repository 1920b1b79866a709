"""The demo pipeline on file systems that lack something: it runs as elsewhere, or says in one line what to do."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STRANGE = ("mode", "owner", "link", "fifo", "sync")
"""What a drive of Windows in WSL lacks, and more."""


def assert_all_works(project: Any) -> None:
    """Run, reuse, resume with changes, hand outputs out, verify and clean."""
    first = project("run", "--reuse", "--json")
    assert first.code == 0, first.err
    again = project("run", "--reuse", "--json")
    assert again.statuses() == {"make": "complete", "use": "complete"}
    assert again.node("make")["executions"][0]["reused_from"] is not None, again.out
    changed = project("resume", "2", "--with-changes", "-p", "make.n=7", "--json")
    assert changed.code == 0, changed.err
    assert project("outputs", "3", "use", "--get", "../got").code == 0
    assert project.side("got").joinpath("use/used.txt").read_text() == "made 7\n"
    assert project("verify").code == 0
    assert project("clean", "--keep", "1").code == 0
    assert [run["run"] for run in project("runs", "--json").json["runs"]] == [3]


def test_a_pipeline_runs_where_nothing_but_files_and_locks_is_there(world: Any) -> None:
    poorer = world.poorer(*STRANGE)
    done = poorer("run", "--json")
    assert done.code == 0, done.err
    assert done.statuses() == {"make": "complete", "use": "complete"}
    assert world.project.output(1, "use", "used.txt").read_text() == "made 1\n"


def test_a_file_system_without_locks_is_refused_with_the_file_and_the_way_out(world: Any) -> None:
    done = world.poorer("lock")("run")
    assert done.code == 4
    assert f"cannot lock `{world.project.path}/.vhpipe/counter`: its file system does not support locks" in done.err
    assert "--state DIR" in done.err
    elsewhere = world.poorer("lock")("run", "--state", "../state", "--json")
    assert elsewhere.code == 0, elsewhere.err


def test_a_device_with_another_number_is_no_other_folder(world: Any) -> None:
    assert world.project("run").code == 0
    assert world.poorer(device=7)("runs").out.count("complete") == 1


@pytest.mark.long
@pytest.mark.parametrize("lacks", [(each,) for each in (*STRANGE, "chmod")] + [STRANGE], ids="+".join)
def test_every_command_works_on_a_poorer_file_system(world: Any, lacks: tuple[str, ...]) -> None:
    assert_all_works(world.poorer(*lacks))


@pytest.mark.long
@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS])
def test_a_link_that_cannot_be_made_is_a_copy_for_whatever_reason(world: Any, number: int) -> None:
    assert_all_works(world.poorer("link", number=number))


@pytest.mark.long
def test_a_folder_that_all_may_write_to_is_refused_where_modes_are_kept(world: Any) -> None:
    assert world.project("run").code == 0
    refused = world.poorer("mode")("runs")
    assert refused.code == 3
    assert "others may write to it (mode 0777)" in refused.err


@pytest.mark.long
def test_doctor_says_what_a_file_system_lacks_and_what_is_done_instead(world: Any) -> None:
    assert world.poorer(*STRANGE)("run").code == 0
    doctor = world.poorer(*STRANGE)("doctor")
    assert doctor.code == 0, doctor.out
    for words in ("permissions are not kept", "they are copied", "requests are heard a second later"):
        assert words in doctor.out
    assert world.poorer("lock")("doctor").code == 1


@pytest.mark.long
def test_a_detached_run_is_stopped_where_there_are_no_pipes(world: Any, eventually: Any) -> None:
    poorer = world.poorer("fifo")
    poorer.pipeline({"wait": "touch $VH_OUTPUTS_DIR/begun; exec sleep 600"})
    assert poorer("run", "-d").code == 0
    eventually(lambda: list(poorer.path.glob(".vhpipe/runs/1/work/*/0.1/outputs/begun")))
    assert poorer("stop", "1").code == 0
    assert poorer("wait", "1").code == 1


def in_mounts(project: Any, script: str) -> "subprocess.CompletedProcess[str]":
    """What a shell script says in a namespace of mounts; `vhpipe` in it is that of the tests."""
    words = f'vhpipe() {{ {shlex.quote(sys.executable)} -m vhpipe "$@"; }}\nset -e\n{script}'
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", words], cwd=project.path, env=project.environment, capture_output=True, text=True
    )


@pytest.mark.long
def test_a_read_only_project_runs_with_its_state_elsewhere(project: Any, mounts: None) -> None:
    del mounts
    project.pipeline({"make": "echo made > $VH_OUTPUTS_DIR/made"})
    read_only = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD"'
    done = in_mounts(project, f"{read_only}; vhpipe run -q || echo code $?; vhpipe run -q --state ../st")
    assert "code 4" in done.stdout, done.stderr
    assert "Read-only file system" in done.stderr
    assert "hint: keep the state elsewhere: --state DIR, or VHPIPE_STATE for all projects" in done.stderr
    assert project("outputs", "latest", "--state", "../st").out.count("made") >= 1
    assert not (project.path / ".vhpipe").exists()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_the_state_is_known_after_another_mount(project: Any, mounts: None, kind: str, tmp_path: Path) -> None:
    del mounts
    if not any(os.access(f"{folder}/mkfs.{kind}", os.X_OK) for folder in ("/sbin", "/usr/sbin")):
        pytest.skip(f"there is no mkfs.{kind}")
    project.pipeline({"make": "echo made > $VH_OUTPUTS_DIR/made"})
    script = f"""
export PATH=$PATH:/sbin:/usr/sbin
truncate -s 320M {tmp_path}/disk; mkfs.{kind} -q {tmp_path}/disk
mkdir {tmp_path}/mnt; mount -o loop {tmp_path}/disk {tmp_path}/mnt || {{ echo no mount; exit 0; }}
cp valohai.yaml {tmp_path}/mnt; cd {tmp_path}/mnt; vhpipe run -q; stat -c %d .; cd /; umount {tmp_path}/mnt
truncate -s 1M {tmp_path}/other; taken=$(losetup -f --show {tmp_path}/other)
mount -o loop {tmp_path}/disk {tmp_path}/mnt; cd {tmp_path}/mnt; stat -c %d .; vhpipe runs || true; cd /
umount {tmp_path}/mnt; losetup -d $taken"""
    done = in_mounts(project, script)
    if "no mount" in done.stdout:
        pytest.skip(f"{kind} cannot be mounted here")
    assert "complete" in done.stdout, done.stderr


# ── a user without a home ────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_a_user_without_a_home_hears_what_to_set_and_leaves_no_folder_behind(world: Any) -> None:
    homeless = world.poorer("passwd")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        homeless.environment.pop(name, None)
    before = sorted(homeless.path.iterdir())
    refused = homeless("run")
    assert refused.code == 4
    assert f"`HOME` is not set, and uid {os.geteuid()} has no entry in the password file" in refused.err
    assert "VHPIPE_KEY_FILE" in refused.err
    assert sorted(homeless.path.iterdir()) == before
    world.project.side("key").write_text("0123456789abcdef0123456789abcdef")
    homeless.environment["VHPIPE_KEY_FILE"] = str(world.project.side("key"))
    assert homeless("run").code == 0
