"""Runs from Python follow the settings of the project and the user where an argument is not given."""

import sys
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import plan, run
from vhpipe.errors import UsageError

TEXT = """
- step: {name: s, image: none, command: "echo $SHOWN > $VH_OUTPUTS_DIR/shown; stat -c %h a.txt > $VH_OUTPUTS_DIR/links"}
- pipeline: {name: p, nodes: [{name: a, type: execution, step: s}], edges: []}
- vhpipe: {pipeline: p, nodes: {a: {queue: gpu}}}
"""


@pytest.fixture
def file(made: Any) -> Path:
    (made.folder / "a.txt").write_text("text")
    path: Path = made.folder / "valohai.yaml"
    path.write_text(TEXT)
    return path


def test_repository_and_queues_are_those_of_the_project(file: Path) -> None:
    (file.parent / ".vhpipe.toml").write_text('[run]\nrepository = "link"\n[queues]\ngpu = 1\nother = 2\n')
    assert plan(file).queues == {"gpu": 1}
    done = run(file, quiet=True, raise_on_failure=False)
    assert int(done.node("a").outputs["links"].read_text()) > 1


def test_variables_reach_steps_only_if_the_user_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWN", "inherited")
    monkeypatch.setenv("VHPIPE_INHERIT_ENV", "true")
    shown = run(file, quiet=True).node("a").outputs["shown"].read_text()
    monkeypatch.delenv("VHPIPE_INHERIT_ENV")
    hidden = run(file, quiet=True).node("a").outputs["shown"].read_text()
    assert (shown, hidden) == ("inherited\n", "\n")


def test_a_python_that_is_not_there_is_found_out_unless_another_is_given(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VHPIPE_PYTHON", "/nowhere")
    with pytest.raises(UsageError, match="no python in `/nowhere`"):
        run(file, quiet=True)
    assert run(file, python=sys.executable, quiet=True).status == "complete"


def test_a_required_variable_refuses_a_run_and_is_given_by_the_program(file: Path) -> None:
    text = '- step: {name: s, image: none, command: "echo $SHOWN > $VH_OUTPUTS_DIR/shown", environment-variables: '
    file.write_text(text + "[{name: SHOWN, optional: false}]}\n")
    with pytest.raises(UsageError, match="nothing fills environment-variable `SHOWN`"):
        run(file, step="s", quiet=True)
    shown = run(file, step="s", quiet=True, variables={"SHOWN": "given"}).node("s").outputs["shown"].read_text()
    assert shown == "given\n"
    with pytest.raises(UsageError, match="its value must be a string"):
        plan(file, step="s", variables={"SHOWN": 1})  # type: ignore[dict-item]
