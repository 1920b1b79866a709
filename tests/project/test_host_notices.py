"""What is said before a run of commands that change the machine, or that fail where they run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vhpipe.plan.model import PlannedExecution, StepSpec
from vhpipe.project.host_notices import host_notices

COMMANDS = {
    "a": "sudo apt-get install -y x",
    "b": "bash tools/prepare.sh",
    "c": "docker run -v /valohai/inputs:/i x; sshfs a: b; podman ps",
    "d": "python train.py",
}
SCRIPTS = {"tools/prepare.sh": "set -e\n. tools/more.sh\n", "tools/more.sh": "apt-get install -y y\n. tools/more.sh\n"}


Said = Callable[[str, bool], list[str]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    (tmp_path / "tools").mkdir()
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    nodes = [PlannedExecution(name, StepSpec(name, "none", (command,))) for name, command in COMMANDS.items()]

    def notices(place: str, is_user: bool) -> list[str]:
        return list(host_notices(nodes, lambda node: place, tmp_path, lambda: is_user))

    return notices


def words_of(notices: list[str]) -> list[str]:
    """The words and nodes of each sentence."""
    return [text.removeprefix("warning: ").partition(" fails")[0].partition(" changes")[0].partition(" needs root")[0]
            .partition(" gives")[0] for text in notices]  # fmt: skip


def test_each_kind_is_said_once_with_its_nodes(said: Said) -> None:
    notices = said("local", True)
    assert words_of(notices) == [
        "`sudo` of `a`",
        "`sshfs` of `c`",
        "`podman` of `c`",
        "`docker run -v` of `c`",
        "`apt-get install` of `a`, `b`",
    ]
    assert all("--in process" in text for text in notices[:3])
    assert "$VH_HOST_INPUTS_DIR" in notices[3]


@pytest.mark.parametrize(
    ("place", "is_user", "kinds"),
    [
        ("local", False, ["`docker run -v` of `c`", "`apt-get install` of `a`, `b`"]),
        ("process", True, ["`apt-get install` of `a`, `b`"]),
        ("podman", True, []),
    ],
)
def test_what_works_at_a_place_is_not_said(said: Said, place: str, is_user: bool, kinds: list[str]) -> None:
    assert words_of(said(place, is_user)) == kinds
