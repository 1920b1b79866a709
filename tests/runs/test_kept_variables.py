"""What an attempt's folder keeps of its variables is what its process had."""

from pathlib import Path
from typing import Any

import pytest

from vhpipe.attempt.recorded_variables import kept_variables

YAML = """\
- step:
    name: tell
    image: none
    command: env -0 > "$VH_OUTPUTS_DIR"/env; exit {parameter-value:code}
    environment-variables:
      - {name: DECLARED, default: 'one "word" and $another'}
      - {name: VH_PARAM_HIDDEN, default: the step's own}
      - {name: VH_PARAM_TOKEN, default: of nobody}
    parameters:
      - {name: code, type: integer, default: 0}
      - {name: learning-rate, type: float, default: 0.00001}
      - {name: words, type: string, multiple: repeat, default: [a, b c]}
      - {name: hidden, type: string, default: by the variable above}
      - {name: none, type: string, optional: true}
      - {name: verbose, type: flag, default: true}
- task:
    name: several
    step: tell
    type: grid_search
    parameters: [{name: learning-rate, style: multiple, rules: {items: [0.5, 1.0e-7]}}]
"""
OF_THE_SHELL = {"_", "PWD", "OLDPWD", "SHLVL"}


def _had(folder: Path) -> dict[str, str]:
    entries = (folder / "outputs/env").read_text().rstrip("\0").split("\0")
    had = dict(entry.split("=", 1) for entry in entries)
    return {name: text for name, text in had.items() if name not in OF_THE_SHELL}


def _folders(project: Any) -> list[Path]:
    return sorted((project.path / ".vhpipe/runs/1/work").glob("*/*.*/"), key=lambda path: path.name)


@pytest.mark.parametrize("arguments", [("--step", "tell"), ("--task", "several"), ("--step", "tell", "-p", "code=3")])
def test_what_is_kept_is_what_the_process_had(project: Any, arguments: tuple[str, ...]) -> None:
    project.run(YAML, *arguments)
    folders = [folder for folder in _folders(project) if (folder / "outputs/env").exists()]
    assert folders
    for folder in folders:
        kept = kept_variables(folder)
        assert kept is not None
        del kept["VH_PARAM_TOKEN"]  # secret by its name
        had = _had(folder)
        repository = {name: had[name] for name in ("VH_REPOSITORY_DIR", "VH_HOST_REPOSITORY_DIR")}
        assert kept | repository | {"VH_PARAM_TOKEN": "of nobody"} == had


def test_executions_of_a_node_share_one_file(project: Any) -> None:
    project.run(YAML, "--task", "several")
    first, second = _folders(project)[:2]
    assert (first / "environment.json").samefile(second / "environment.json")
    assert (first / "log").samefile(second / "log")
    assert (first / "log").read_bytes() == b""
