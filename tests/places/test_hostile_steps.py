"""The deeds of the default place in containers: what they do there, and what is left of it."""

import time
from typing import Any

import pytest

from tests.places.conftest import ContainerProject
from tests.runs.test_hostile_steps import DEEDS, EDGES, assert_results_are_right, sleeping, steps_of


@pytest.mark.parametrize("kind", DEEDS)
def test_a_hostile_step_harms_nobody_and_leaves_nothing(project: ContainerProject, mark: Any, kind: str) -> None:
    deed = DEEDS[kind]
    project.pipeline(steps_of(deed, str(mark), "/tmp/done", "/valohai/state"), EDGES)
    project.write("code.txt", "code")
    done = project.in_containers("-j", "1")
    print(done.err)
    assert done.code in (0, 1), done.err
    assert_results_are_right(done, deed._replace(ends=frozenset({"complete", "error", "crashed"})), project.kept)
    deadline = time.monotonic() + 10
    while sleeping(str(mark)):
        assert time.monotonic() < deadline
    assert project("verify").code == 0
    assert project("clean", "--keep", "0").code == 0
    assert not list(project.path.glob(".vhpipe/runs/*"))
