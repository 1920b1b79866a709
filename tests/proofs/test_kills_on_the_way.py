"""`kill -9` while something is made that later runs find: environments, code of commits, copies for a shell, groups."""

import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pipelines import assert_no_process_survives, assert_store_is_intact

from tests.proofs.test_kills import ENDS, VICTIMS, kill
from tests.wheels import installing, wheel
from vhpipe.attempt.control_groups import control_groups

pytestmark = pytest.mark.long
KILLS = 20


def killed_again_and_again(
    project: Any, words: Callable[[int], tuple[str, ...]], check: Callable[[int], None], kills: int = KILLS
) -> None:
    """Call with the words for a number, kill it at some moment, and check; each number is a new thing to make.

    Number 0 is undisturbed, to see how long it takes.
    """
    seed = time.time_ns() % 1_000_000_007
    print(f"seed {seed}")
    draw, begun, done = random.Random(seed), time.monotonic(), 0
    first = project(*words(0))
    usual_s = time.monotonic() - begun
    assert first.code == 0, first.err
    check(0)
    for number in range(1, 2 * kills):
        asked = words(number)
        begun, process = time.monotonic(), project.start(*asked)
        with suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.1, usual_s))
        if process.poll() is None:
            kill(process, draw.choice(VICTIMS))
            done += 1
        else:
            usual_s = min(usual_s, time.monotonic() - begun)
        _, told = process.communicate(timeout=60)
        assert process.returncode in ENDS, told
        assert "Traceback" not in told, told
        assert_no_process_survives(project, 5.0)
        assert str(project.path) not in Path("/proc/self/mountinfo").read_text()
        check(number)
        assert_store_is_intact(project)
        if done == kills:
            break
    verified = project("verify")
    assert verified.code == 0, verified.out
    print(f"{done} kills")
    assert done >= kills // 2


def test_a_half_made_environment_is_never_used(project: Any, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    for name in ("one", "two", "three"):
        wheel(wheels, name, needs=() if name == "three" else ("three",))
    project.environment |= installing(tmp_path / "user", wheels, "uv")
    looks = "python -c 'import one, two, three; print(one.VERSION, two.VERSION, three.VERSION)' > $VH_OUTPUTS_DIR/seen"

    def words(number: int) -> tuple[str, ...]:
        project.write("requirements.txt", f"# {number}\none\ntwo\n")
        project.pipeline({"a": ["pip install -r requirements.txt", looks]})
        return ("run",)

    def check(number: int) -> None:
        done = project("run")
        assert done.code == 0, done.err
        latest = max(project.path.glob(".vhpipe/runs/*/work/*/*/outputs/seen"), key=lambda path: path.stat().st_mtime)
        assert latest.read_text() == "1.0 1.0 1.0\n"
        kept = project.path / ".vhpipe/environments"
        made = {path.stem for path in kept.glob("*.json")}
        for record in kept.glob("*.json"):
            assert set(json.loads(record.read_text())["packages"]) == {"one", "two", "three"}
        folders = sorted(path.name.rpartition("-")[0] for path in kept.iterdir() if path.is_dir())
        assert folders == sorted(made)

    killed_again_and_again(project, words, check)


def test_half_the_files_of_a_commit_are_never_used(project: Any) -> None:
    def git(*arguments: str) -> None:
        words = ("git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments)
        subprocess.run(words, cwd=project.path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    files = 300
    looks = "cat files/* | sort | uniq -c > $VH_OUTPUTS_DIR/seen"

    def words(number: int) -> tuple[str, ...]:
        for each in range(files):
            project.write(f"files/{each}", f"{number}\n")
        project.pipeline({"a": looks})
        git("add", "valohai.yaml", "files")
        git("commit", "-qm", "next")
        git("tag", f"v{number}")
        shutil.rmtree(project.path / "files")
        project.pipeline({"a": {"command": looks, "node": {"commit": f"v{number}"}}})
        return ("run",)

    def check(number: int) -> None:
        done = project("run")
        assert done.code == 0, done.err
        latest = max(project.path.glob(".vhpipe/runs/*/work/*/*/outputs/seen"), key=lambda path: path.stat().st_mtime)
        assert latest.read_text().split() == [str(files), str(number)]

    killed_again_and_again(project, words, check)


def test_a_shell_that_is_killed_leaves_nothing_and_changes_nothing(project: Any) -> None:
    project.pipeline({"a": "head -c 3000000 /dev/zero > $VH_OUTPUTS_DIR/x; mkdir d; seq 999 > d/y; exit 3"})
    assert project("run").code == 1
    (stored,) = project.path.glob(".vhpipe/runs/1/work/*/*/outputs/x")

    def words(number: int) -> tuple[str, ...]:
        return ("shell", "a", "-c", "echo bad > $VH_OUTPUTS_DIR/x; cd $VH_OUTPUTS_DIR; sleep 0.1; ls /valohai > y")

    def check(number: int) -> None:
        assert stored.stat().st_size == 3_000_000
        assert not stored.with_name("y").exists()
        cleaned = project("clean")
        assert cleaned.code == 0, cleaned.err
        assert list((project.path / ".vhpipe/scratch").iterdir()) == []

    killed_again_and_again(project, words, check)


@pytest.mark.skipif(not control_groups().can_limit("memory"), reason="no groups can be made here")
def test_no_group_outlives_the_run_after_the_one_that_was_killed(project: Any) -> None:
    limits = {"resources": {"memory": {"max": 60}, "cpu": {"max": 1}}}
    project.pipeline({name: {"command": "sleep 0.1; echo 1 > $VH_OUTPUTS_DIR/x", **limits} for name in "abcdef"})

    def check(number: int) -> None:
        done = project("run")
        assert done.code == 0, done.err
        bases = {base.folder for base in control_groups().bases.values()}
        for group in (group for base in bases for group in Path(base).glob("vhpipe-*")):
            with suppress(OSError):  # that of another run may end meanwhile
                owner = int(group.name.split("-")[1])
                assert Path(f"/proc/{owner}").exists(), group

    killed_again_and_again(project, lambda number: ("run", "-j", "3"), check)
