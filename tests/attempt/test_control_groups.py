"""Control groups of both versions: what is written into them, what they tell, and that nothing of them stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vhpipe.attempt.control_groups import (
    CONTROLLERS,
    ControlGroup,
    ControlGroups,
    control_groups,
    remove_groups_of,
)
from vhpipe.attempt.launch import Limits, Usage

GROUPS = control_groups()
MIB = 1 << 20
HAVING_MEMORY = pytest.mark.skipif(not GROUPS.can_limit("memory"), reason="no control groups can be made here")


def run_in(group: ControlGroup, script: str) -> int:
    return subprocess.run((*group.entering(), sys.executable, "-c", script), stderr=subprocess.DEVNULL).returncode


def left_over() -> list[str]:
    own = f"vhpipe-{os.getpid()}-"
    return [name for base in GROUPS.bases.values() for name in os.listdir(base.folder) if name.startswith(own)]


@HAVING_MEMORY
def test_a_process_that_wants_more_memory_than_its_group_may_have_is_killed() -> None:
    group = GROUPS.made(Limits(memory_bytes=64 * MIB))
    assert group is not None
    assert run_in(group, "print(len(bytearray(9 << 20)))") == 0
    assert not group.has_run_out
    assert run_in(group, "bytearray(200 << 20)") == -9
    assert group.has_run_out
    assert 9 * MIB < (group.usage(Usage(1.0)).peak_memory or 0) <= 64 * MIB
    group.remove()
    assert left_over() == []


@HAVING_MEMORY
def test_groups_of_processes_that_are_gone_are_removed_and_those_of_living_ones_stay() -> None:
    folder = Path(GROUPS.bases["memory"].folder)
    old, mine = folder / "vhpipe-999999999-12-1", GROUPS.made(Limits(memory_bytes=MIB))
    old.mkdir()
    control_groups()
    assert (old.exists(), len(left_over())) == (False, 1)
    assert mine is not None
    remove_groups_of(os.getpid())
    assert left_over() == []


def test_without_a_limit_and_where_nothing_can_be_limited_there_is_no_group() -> None:
    assert GROUPS.made(Limits()) is None
    assert ControlGroups({}).made(Limits(MIB, 2.0)) is None
    assert not control_groups("/nowhere").bases


def second_version(folder: Path) -> ControlGroup:
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "cpu.max"):
        (folder / name).touch()
    return ControlGroup(dict.fromkeys(CONTROLLERS, str(folder)), dict.fromkeys(CONTROLLERS, 2))


def test_the_second_version_has_one_folder_with_other_files(tmp_path: Path) -> None:
    group = second_version(tmp_path)
    group.limit(Limits(64 * MIB, 1.5))
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "memory.max": str(64 * MIB), "memory.swap.max": "0", "memory.oom.group": "1", "cpu.max": "150000 100000"
    }  # fmt: skip
    (tmp_path / "memory.peak").write_text("4711\n")
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert (group.usage(Usage(0.5, 3)), group.has_run_out) == (Usage(0.5, 4711), True)


def test_a_kernel_that_does_not_tell_leaves_what_was_counted(tmp_path: Path) -> None:
    group = second_version(tmp_path)
    assert (group.usage(Usage(0.5, 3)), group.has_run_out) == (Usage(0.5, 3), False)
