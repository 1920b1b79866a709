"""A kill instead of every call that changes a file, one after the other: what is resumed ends as if undisturbed."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from pipelines import (
    CHANGING,
    assert_each_completed_once,
    assert_never_twice_at_once,
    assert_no_process_survives,
    assert_store_is_intact,
    ended_well,
    four,
    kept_outputs,
    run_numbers,
    with_variables,
)

WAYS = ("kill", "torn", "kill-all")
"""The engine is killed; it is killed in the middle of a write; its supervisor is killed with it."""
CLEAN_REFUSALS = (2, 3, 4)


class Undisturbed(NamedTuple):
    """`outputs` that every run shall have, and `calls` that one makes to files."""

    outputs: dict[Any, str]
    calls: list[str]


@pytest.fixture(scope="module")
def undisturbed(new_in_module: Any, faults: Any) -> Undisturbed:
    project = new_in_module()
    calls = faults.count(project, four(project), CHANGING)
    assert len(kept_outputs(project, 1)) == 4
    return Undisturbed(kept_outputs(project, 1), calls)


VARYING = 12
"""Calls by which the numbers of two undisturbed runs may differ: one that has fewer ends before a late point."""


def kill_at_each(points: Iterable[int], way: str, new: Any, faults: Any, undisturbed: Undisturbed) -> None:
    for point in points:
        print(f"{way} at call {point}: {undisturbed.calls[point - 1]}")
        project = new()
        words = four(project)
        killed = with_variables(project, faults.variables(project, point, way, CHANGING)).start(*words)
        _, told = killed.communicate(timeout=60)
        assert killed.returncode in (4, -9), told
        assert "Traceback" not in told
        number = finished(project, words)
        assert kept_outputs(project, number) == undisturbed.outputs
        assert_each_completed_once(project, number)
        assert_never_twice_at_once(project)
        assert_store_is_intact(project)
        assert_no_process_survives(project)


def finished(project: Any, words: tuple[str, ...]) -> int:
    """The run, resumed; another where it had not begun, or had ended already."""
    if any(ended_well(project, number) for number in run_numbers(project)):
        return 1
    done = project("resume")
    if done.code != 0:
        assert done.code in CLEAN_REFUSALS, done.err
        assert not (project.path / ".vhpipe/runs/1/run.json").exists(), done.err
        done = project(*words)
    assert done.code == 0, done.err
    return max(run_numbers(project))


def test_a_kill_at_any_call_loses_nothing(new: Any, faults: Any, undisturbed: Undisturbed) -> None:
    for start, way in zip((5, 40, 75), WAYS, strict=True):
        kill_at_each(range(start, len(undisturbed.calls) - VARYING, 109), way, new, faults, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1, 5))
def test_a_kill_at_every_call_loses_nothing(new: Any, faults: Any, undisturbed: Undisturbed, first: int) -> None:
    kill_at_each(range(first, len(undisturbed.calls) - VARYING, 4), "kill", new, faults, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1, 5))
def test_half_a_write_loses_nothing(new: Any, faults: Any, undisturbed: Undisturbed, first: int) -> None:
    writes = [number for number, call in enumerate(undisturbed.calls, 1) if call.startswith("write")]
    kill_at_each(writes[first - 1 :: 4], "torn", new, faults, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1, 5))
def test_a_kill_of_all_at_every_call_loses_nothing(new: Any, faults: Any, undisturbed: Undisturbed, first: int) -> None:
    kill_at_each(range(first, len(undisturbed.calls) + 1, 4), "kill-all", new, faults, undisturbed)
