"""A disk that is full, broken, or read-only at any call: one clear line, nothing lost, and all goes on afterwards."""

import errno
import re
import subprocess
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from pipelines import (
    CHANGING,
    assert_no_process_survives,
    assert_store_is_intact,
    ended_well,
    four,
    kept_outputs,
    run_numbers,
    with_variables,
)

from tests.runs.conftest import VHPIPE

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EMFILE": errno.EMFILE, "EROFS": errno.EROFS}


class Undisturbed(NamedTuple):
    outputs: dict[Any, str]
    calls: list[str]


@pytest.fixture(scope="module")
def undisturbed(new_in_module: Any, faults: Any) -> Undisturbed:
    project = new_in_module()
    calls = faults.count(project, four(project), CHANGING)
    return Undisturbed(kept_outputs(project, 1), calls)


class Trial:
    """A run in which calls fail, and what can be done once they do not any more."""

    def __init__(self, project: Any, variables: dict[str, str], undisturbed: Undisturbed) -> None:
        self.project, self.undisturbed = project, undisturbed
        self.words = four(project)
        self.done = with_variables(project, {**variables, "TMPDIR": str(project.path.parent)})(*self.words)

    def assert_told(self, name: str) -> None:
        """Exit 0 where the call was not needed, 1 where it cost an execution, 4 where the run cannot continue."""
        code, told = self.done.code, self.done.err
        assert code in (0, 1, 4), told
        assert not list(self.project.path.parent.glob("vhpipe-report-*")), told
        if code:
            assert f"(errno {ERRORS[name]})" in told, told
        if code == 4:
            (line,) = re.findall("vhpipe: error: .*", told)
            assert f"`{self.project.path}/.vhpipe" in line
        assert self.has_ended_well() if code == 0 else code == 4 or not self.has_ended_well(), told
        assert_no_process_survives(self.project)

    def assert_goes_on(self) -> None:
        """Once the fault is gone a resumed run, or one with changes where it has failed, ends as if undisturbed."""
        if not self.has_ended_well():  # with exit 4 it may have, if nothing but the last sync has failed
            self._go_on()
        assert kept_outputs(self.project, max(run_numbers(self.project))) == self.undisturbed.outputs
        assert_store_is_intact(self.project)

    def has_ended_well(self) -> bool:
        return any(ended_well(self.project, number) for number in run_numbers(self.project))

    def _go_on(self) -> None:
        begun = (self.project.path / ".vhpipe/runs/1/run.json").exists()
        words = ("resume", *(["--with-changes"] if self.done.code == 1 else [])) if begun else self.words
        again = self.project(*words)
        assert again.code == 0, again.err
        assert ended_well(self.project, max(run_numbers(self.project)))


class Fault:
    """An error of the system at one call, or from there on."""

    def __init__(self, new: Any, faults: Any, undisturbed: Undisturbed) -> None:
        self.new, self.faults, self.undisturbed = new, faults, undisturbed

    def at_each(self, points: Iterable[int], name: str, do: str | None = None, stays: bool = False) -> None:
        for point in points:
            print(f"{name} at call {point}: {self.undisturbed.calls[point - 1]}")
            project = self.new()
            more = {"FAULT_STAYS": "yes"} if stays else {}
            variables = self.faults.variables(project, point, do or str(ERRORS[name]), CHANGING, **more)
            trial = Trial(project, variables, self.undisturbed)
            trial.assert_told(name)
            trial.assert_goes_on()

    def every(self, distance: int, first: int = 1) -> range:
        return range(first, len(self.undisturbed.calls) + 1, distance)


@pytest.fixture
def fault(new: Any, faults: Any, undisturbed: Undisturbed) -> Fault:
    return Fault(new, faults, undisturbed)


FIRST = [("ENOSPC", 1), ("EIO", 2), ("EMFILE", 3), ("EROFS", 4)]


@pytest.mark.parametrize(
    ("name", "first"), [pytest.param(*each, marks=pytest.mark.long if each[1] % 2 == 0 else ()) for each in FIRST]
)
def test_a_call_that_fails_is_told_in_one_line_and_loses_nothing(fault: Fault, name: str, first: int) -> None:
    fault.at_each(fault.every(109, 20 * first), name)


@pytest.mark.long
@pytest.mark.parametrize(("name", "first"), FIRST)
def test_any_call_may_fail(fault: Fault, name: str, first: int) -> None:
    fault.at_each(fault.every(4, first), name)


@pytest.mark.long
@pytest.mark.parametrize("name", ["ENOSPC", "EROFS", "EIO"])
def test_a_disk_may_stay_broken_until_the_end(fault: Fault, name: str) -> None:
    fault.at_each(fault.every(9), name, stays=True)


@pytest.mark.long
def test_a_disk_may_fill_up_in_the_middle_of_any_write(fault: Fault) -> None:
    writes = [number for number, call in enumerate(fault.undisturbed.calls, 1) if call.startswith("write")]
    fault.at_each(writes, "ENOSPC", do="short")


@pytest.mark.parametrize("descriptors", [9, 16])
def test_too_few_descriptors_are_one_line_and_no_end(project: Any, descriptors: int) -> None:
    words = four(project)
    environment = {**project.environment, "TMPDIR": str(project.path.parent)}
    shell = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"]
    limited = subprocess.run(
        [*shell, *VHPIPE, *words], cwd=project.path, env=environment, capture_output=True, text=True
    )
    assert limited.returncode == 4, limited.stderr
    assert f"(errno {errno.EMFILE})" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert not list(project.path.parent.glob("vhpipe-report-*"))
    again = project("resume") if (project.path / ".vhpipe/runs/1/run.json").exists() else project(*words)
    assert again.code == 0, again.err
