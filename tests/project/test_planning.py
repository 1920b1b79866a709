"""The passes that finish every plan: their order, and who leaves out which."""

from pathlib import Path

import pytest

from vhpipe.errors import UsageError
from vhpipe.project.checked_file import load_file
from vhpipe.project.planning import FINISHING, LOOKING, plan_to_look_at
from vhpipe.project.request import RunArguments, ValueTexts

FILE = """
- step: {name: read, image: none, command: 'true', inputs: [{name: data, default: nowhere.txt}]}
- pipeline: {name: p, nodes: [{name: read, type: execution, step: read}], edges: []}
"""


@pytest.fixture
def file(project: Path) -> Path:
    (project / "valohai.yaml").write_text(FILE)
    return project / "valohai.yaml"


def test_who_only_looks_needs_no_data(file: Path) -> None:
    found = plan_to_look_at(load_file("valohai.yaml"), RunArguments())
    assert [node.name for node in found.plan.nodes] == ["read"]


def test_who_only_looks_is_told_what_does_not_fit_the_file(file: Path) -> None:
    with pytest.raises(UsageError, match="has no input `dat`"):
        plan_to_look_at(load_file("valohai.yaml"), RunArguments(values=ValueTexts(inputs=("read.dat=x",))))


def test_no_pass_stands_twice_and_those_that_need_the_machine_come_last() -> None:
    assert len({each.name for each in FINISHING}) == len(FINISHING)
    assert FINISHING[: len(LOOKING)] == LOOKING
