"""The passes that finish every plan: their order, and who leaves out which."""

from pathlib import Path

import pytest

from vhpipe.errors import UsageError
from vhpipe.plan.model import Hook, Hooks
from vhpipe.plan.reuse_policy import reuses
from vhpipe.project.checked_file import check_path
from vhpipe.project.order import order_from_file
from vhpipe.project.planning import FINISHING, LOOKING, plan_to_look_at
from vhpipe.project.request import ReuseNames, RunArguments, ValueTexts
from vhpipe.project.run_conditions import RunChoices

FILE = """
- step: {name: read, image: none, command: 'true', inputs: [{name: data, default: nowhere.txt}]}
- pipeline: {name: p, nodes: [{name: read, type: execution, step: read}], edges: []}
"""


@pytest.fixture
def file(project: Path) -> Path:
    (project / "valohai.yaml").write_text(FILE)
    return project / "valohai.yaml"


def test_who_only_looks_needs_no_data(file: Path) -> None:
    found = plan_to_look_at(check_path("valohai.yaml"), RunArguments())
    assert [node.name for node in found.plan.nodes] == ["read"]


def test_who_only_looks_is_told_what_does_not_fit_the_file(file: Path) -> None:
    with pytest.raises(UsageError, match="has no input `dat`"):
        plan_to_look_at(check_path("valohai.yaml"), RunArguments(values=ValueTexts(inputs=("read.dat=x",))))


def test_hooks_of_a_program_come_after_those_of_the_file(project: Path) -> None:
    file = project / "valohai.yaml"
    own = "- vhpipe: {pipeline: p, nodes: {read: {hooks: {pre: 'true'}}}}"
    file.write_text(FILE.replace("default: nowhere.txt", "optional: true") + own)
    added = {"read": Hooks(pre=(Hook(command=": added"),))}
    order = order_from_file(RunArguments(hooks=added), RunChoices(1)).order
    node = order.plan.node("read")
    assert node.hooks is not None
    assert [hook.command for hook in node.hooks.pre] == ["true", ": added"]


@pytest.mark.parametrize("choices", [RunChoices(1, inherits_environment=True), RunChoices(1, repository="in-place")])
def test_nothing_is_reused_where_steps_depend_on_what_is_not_known(project: Path, choices: RunChoices) -> None:
    (project / "valohai.yaml").write_text(FILE.replace("default: nowhere.txt", "optional: true"))
    order = order_from_file(RunArguments(reuse=ReuseNames(("",))), choices).order
    assert not reuses(order.plan.node("read"))
    assert any(notice.startswith("nothing is reused") for notice in order.plan.notices)


def test_no_pass_stands_twice_and_those_that_need_the_machine_come_last() -> None:
    assert len({each.name for each in FINISHING}) == len(FINISHING)
    assert FINISHING[: len(LOOKING)] == LOOKING
