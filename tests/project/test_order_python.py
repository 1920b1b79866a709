"""Which Python steps see where nobody has chosen one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import run
from vhpipe.api.functions import WORDS
from vhpipe.project.order import FUNCTION_STEP
from vhpipe.project.request import RunArguments
from vhpipe.project.run_conditions import RunChoices

STEP = "- step: {{name: s, image: none, command: \"{command}\"}}\n"


@pytest.fixture
def other_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first on PATH, which is not the one that runs this."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "python").write_text("#!/bin/sh\necho other\n")
    (folder / "python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    return folder


def remark(tmp_path: Path, command: str) -> str:
    from vhpipe.project.order import order_from_file

    path = tmp_path / "valohai.yaml"
    path.write_text(STEP.format(command=command))
    return order_from_file(RunArguments(str(path), step="s"), RunChoices()).remarks[0]


def test_steps_of_generated_files_see_the_one_that_runs_vhpipe(tmp_path: Path, other_python: Path) -> None:
    assert " ".join((*WORDS[1:], "")) == FUNCTION_STEP
    command = " ".join((*WORDS, "module", "function"))
    assert remark(tmp_path, command).startswith(f"steps see {sys.executable}, which runs vhpipe")
    assert remark(tmp_path, "python x.py") == f"steps see {other_python}/python, the first on PATH"


def test_a_program_that_runs_a_file_gives_its_steps_its_own(tmp_path: Path, other_python: Path) -> None:
    path = tmp_path / "valohai.yaml"
    path.write_text(STEP.format(command="python -c 'import sys; print(sys.prefix)'"))
    done: Any = run(path, step="s", quiet=True)
    assert done.node("s").executions[0].log == f"{sys.prefix}\n"
