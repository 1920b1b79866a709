"""Versions of a pipeline: counted up where its definition or code has changed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

YAML = """\
- step:
    name: a
    image: none
    command: {command}
    parameters: [{{name: rate, type: float, default: 1}}]
- pipeline:
    name: p
    nodes: [{{name: a, type: execution, step: a}}]
    edges: []
- vhpipe: {{pipeline: p, version: "{version}", tags: [nightly, slow]}}
"""


@pytest.fixture
def version(project: Any) -> Any:
    """The version that a run gets, and what was said of it."""

    def run(*options: str, command: str = "true {parameters}", version: str = "1.2.0", before: str = "") -> Any:
        project.write("valohai.yaml", before + YAML.format(command=command, version=version))
        done = project("run", "--json", *options)
        assert done.code == 0, done.err
        said = next((line for line in done.err.splitlines() if line.startswith("version ")), None)
        return done.json["version"], said

    project.write("code.py", "one")
    return run


def test_a_version_is_counted_up_when_definition_or_code_has_changed(project: Any, version: Any) -> None:
    assert version() == ("1.2.0", None)
    assert version() == ("1.2.0", None)
    project.write("code.py", "two")
    assert version() == ("1.2.1", "version 1.2.1: definition or code changed since 1.2.0")
    assert version(command="echo changed")[0] == "1.2.2"
    project.write("code.py", "one")
    assert version() == ("1.2.0", None)
    assert version(version="2.0") == ("2.0", None)
    runs = project("runs", "--json").json["runs"]
    assert [row["version"] for row in reversed(runs)] == ["1.2.0", "1.2.0", "1.2.1", "1.2.2", "1.2.0", "2.0"]
    assert "p 1.2.2" in project("runs").out
    assert "version: 1.2.2" in project("show", "4").out


def test_neither_comments_nor_places_nor_arguments_make_another_version(version: Any) -> None:
    assert version()[0] == "1.2.0"
    assert version(before="# a comment\n\n")[0] == "1.2.0"
    assert version("-p", "a.rate=2")[0] == "1.2.0"
    assert version("--sweep", "a.rate=1,2")[0] == "1.2.0"


def test_a_pipeline_without_a_version_has_none(project: Any) -> None:
    project.pipeline({"a": "true"})
    assert project("run", "--json").json["version"] is None
    assert not (project.path / ".vhpipe/registry").exists()


def test_runs_at_once_agree_on_the_version(project: Any, version: Any) -> None:
    version()
    project.write("code.py", "two")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: project("run", "--json").json["version"], range(3)))
    assert found == ["1.2.1"] * 3


def test_tags_of_the_pipeline_are_those_of_its_runs(project: Any, version: Any) -> None:
    version("--tag", "mine", "--tag", "slow")
    assert project("runs", "--json").json["runs"][0]["tags"] == ["nightly", "slow", "mine"]
