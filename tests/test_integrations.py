"""The files by which hooks and CI use vhpipe: the very command lines in them, on a good and on a bad file."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
GOOD = "- step:\n    name: train\n    image: python:3.11\n    command: python train.py\n"
BAD = GOOD + "- pipeline:\n    name: p\n    nodes: []\n    edges: [[a.output.x, b.input.y]]\n"
WARNED = GOOD + GOOD


def read_yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def blocks(language: str) -> list[str]:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with `vhpipe` on PATH, as the command lines find it once it is installed."""
    program = tmp_path / "venv" / "bin" / "vhpipe"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m vhpipe "$@"\n')
    program.chmod(0o755)
    (tmp_path / "project").mkdir()
    return tmp_path


def call(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI"))},
        "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line]
    return subprocess.run(command, cwd=folder / "project", env=environment, capture_output=True, text=True, timeout=60)


def write(folder: Path, text: str, name: str = "valohai.yaml") -> None:
    path = folder / "project" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# ── pre-commit ──


def hook() -> dict[str, Any]:
    (found,) = read_yaml((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (WARNED, 0), (BAD, 1)])
def test_the_hook_passes_good_files_and_fails_bad_ones(folder: Path, text: str, code: int) -> None:
    write(folder, GOOD, "sub/valohai.yml")
    write(folder, text)
    done = call(f"{hook()['entry']} valohai.yaml sub/valohai.yml", folder)
    assert done.returncode == code
    assert all(line.startswith("valohai.yaml:") for line in done.stdout.splitlines())


def test_the_hook_is_installed_from_this_repository_and_has_the_id_of_the_docs() -> None:
    assert {"id", "name", "entry", "language"} <= set(hook())
    assert hook()["language"] == "python"
    (config,) = [read_yaml(text) for text in blocks("yaml") if "repos:" in text]
    assert config["repos"][0]["hooks"] == [{"id": hook()["id"]}]


@pytest.mark.parametrize(
    ("path", "is_checked"),
    [
        ("valohai.yaml", True),
        ("a/b/valohai.yml", True),
        ("my-valohai.yaml", False),
        ("valohai.yaml.bak", False),
        ("valohaiXyaml", False),
    ],
)
def test_the_hook_looks_at_files_of_that_name(path: str, is_checked: bool) -> None:
    assert bool(re.search(hook()["files"], path)) is is_checked


# ── GitHub ──


def action() -> dict[str, Any]:
    found = read_yaml((ROOT / "action.yml").read_text())
    assert isinstance(found, dict)
    return found


def run_action(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The last step, with the variables that it declares, as the runner fills them in."""
    known = {"runner.temp": str(folder)}
    for name, item in action()["inputs"].items():
        known[f"inputs.{name}"] = given.get(name.replace("-", "_"), str(item["default"]))
    step = action()["runs"]["steps"][-1]
    (folder / "vhpipe").unlink(missing_ok=True)
    (folder / "vhpipe").symlink_to("venv")
    filled = {
        name: re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: known[found[1]], value)
        for name, value in step["env"].items()
    }
    return call(step["run"], folder, **filled)


def test_the_action_is_a_composite_one_whose_steps_have_a_shell() -> None:
    assert action()["runs"]["using"] == "composite"
    steps = action()["runs"]["steps"]
    assert all(("run" in step) == ("shell" in step) for step in steps)
    assert all(("run" in step) != ("uses" in step) for step in steps)


def test_nothing_that_a_user_gives_becomes_a_part_of_a_script() -> None:
    assert [step["name"] for step in action()["runs"]["steps"] if "${{" in step.get("run", "")] == []


def test_the_action_passes_a_good_file(folder: Path) -> None:
    write(folder, GOOD)
    done = run_action(folder)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_action_makes_annotations_of_what_it_finds_below_a_folder(folder: Path) -> None:
    write(folder, BAD, "deep/er/valohai.yaml")
    done = run_action(folder)
    assert done.returncode == 1
    assert any(line.startswith("::error ") and "file=deep/er/valohai.yaml" in line for line in done.stdout.splitlines())


def test_the_inputs_of_the_action_count(folder: Path) -> None:
    write(folder, WARNED, "one.yaml")
    write(folder, GOOD, "two.yaml")
    assert run_action(folder, paths="one.yaml\ntwo.yaml").returncode == 0
    assert run_action(folder, paths="two.yaml\none.yaml", fail_on="warning").returncode == 1
    ignoring = run_action(folder, paths="one.yaml", fail_on="warning", args="--ignore duplicate-name")
    assert ignoring.returncode == 0


def test_a_path_is_no_command(folder: Path) -> None:
    write(folder, GOOD)
    done = run_action(folder, paths="$(touch${IFS}made) ;touch made; --fix *")
    assert done.returncode == 2
    assert not (folder / "project" / "made").exists()


def test_the_docs_give_the_action_only_inputs_that_it_has() -> None:
    (workflow,) = [read_yaml(text) for text in blocks("yaml") if "OWNER/vhpipe@" in text]
    given = [step["with"] for step in workflow["jobs"]["validate"]["steps"] if "vhpipe" in step["uses"]]
    assert given
    assert all(set(item) <= set(action()["inputs"]) for item in given)


# ── GitLab, other CI, what else the docs show ──


@pytest.mark.parametrize(("text", "code", "count"), [(GOOD, 0, 0), (BAD, 1, None)])
def test_the_job_for_gitlab_leaves_its_report(folder: Path, text: str, code: int, count: int | None) -> None:
    (job,) = [read_yaml(text)["valohai"] for text in blocks("yaml") if ".gitlab-ci.yml" in text]
    write(folder, text)
    (line,) = job["script"]
    assert call(line, folder).returncode == code
    report = json.loads((folder / "project" / job["artifacts"]["reports"]["codequality"]).read_text())
    assert len(report) == count if count is not None else report


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (BAD, 1)])
def test_the_upload_for_code_scanning_has_its_file(folder: Path, text: str, code: int) -> None:
    (steps,) = [read_yaml(text) for text in blocks("yaml") if "upload-sarif" in text]
    write(folder, text)
    assert call(steps[1]["run"], folder).returncode == code
    report = json.loads((folder / "project" / steps[2]["with"]["sarif_file"]).read_text())
    assert report["version"] == "2.1.0"


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (BAD, 1)])
def test_the_line_for_any_other_ci_works(folder: Path, text: str, code: int) -> None:
    write(folder, text)
    assert call(blocks("sh")[0], folder).returncode == code


def test_the_settings_and_editor_files_of_the_docs_can_be_read(folder: Path) -> None:
    settings = tomllib.loads(blocks("toml")[0])
    write(folder, blocks("toml")[0], "pyproject.toml")
    write(folder, WARNED)
    assert set(settings["tool"]["vhpipe"]["validate"]) == {"ignore", "fail-on"}
    assert call("vhpipe validate", folder).returncode == 1
    assert tomllib.loads(blocks("toml")[1])["language-server"]["vhpipe"] == {"command": "vhpipe", "args": ["lsp"]}
    assert json.loads(blocks("json")[0])


def test_the_extra_of_the_docs_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"vhpipe\[([\w,]+)\]", "".join(blocks("sh")))
    assert named
    assert set(named) <= set(project["optional-dependencies"])
