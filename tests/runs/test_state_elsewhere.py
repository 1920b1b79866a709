"""A project whose state is elsewhere: every command finds it there, and nothing appears in the project."""

import pytest

from tests.runs.conftest import Project

STATE = ("--state", "../state")
COMMANDS = (
    ("runs",), ("show",), ("why", "1", "make"), ("logs", "1", "make"), ("metadata", "1", "make"), ("compare", "1"),
    ("outputs",), ("verify",), ("doctor",), ("resume", "1", "--from", "make"), ("stop", "1"), ("wait", "1"),
    ("deployments",), ("shell", "1", "make", "--command"), ("run", "--reuse", "-n"), ("clean", "--keep", "1"),
)  # fmt: skip


def test_a_run_with_its_state_elsewhere_leaves_the_project_as_it_is(project: Project) -> None:
    project.pipeline({"make": "echo '{\"loss\": 1}'; echo made > $VH_OUTPUTS_DIR/made"})
    done = project("run", *STATE)
    assert done.code == 0, done.err
    assert "vhpipe outputs 1 --state ../state" in done.err
    assert [each.name for each in project.path.iterdir()] == ["valohai.yaml"]
    assert project("show", *STATE, "--json").statuses() == {"make": "complete"}
    assert project("runs").code == 2
    (project.path.parent / "empty").mkdir()
    missed = project("runs", "--state", "../empty")
    assert (missed.code, "no runs in `" in missed.err, "/empty` yet" in missed.err) == (2, True, True)
    assert "name another folder by it" in missed.err
    assert project("run", "--state", "../empty", "-q").code == 0
    (project.path.parent / "mine").mkdir()
    (project.path.parent / "mine/.gitignore").write_text("*.pyc")
    refused = project("run", "--state", "../mine")
    assert (refused.code, "--adopt" in refused.err) == (3, False)


@pytest.mark.long
def test_every_command_that_uses_the_state_takes_the_option(project: Project) -> None:
    project.pipeline({"make": "echo '{\"loss\": 1}'; echo made > $VH_OUTPUTS_DIR/made"})
    assert project("run", "--reuse", *STATE).code == 0
    for words in COMMANDS:
        done = project(*words, *STATE)
        assert done.code == 0, (words, done.err)
    assert [each.name for each in project.path.iterdir()] == ["valohai.yaml"]


@pytest.mark.long
def test_a_detached_run_says_how_to_reach_it(project: Project) -> None:
    project.pipeline({"make": "echo made > $VH_OUTPUTS_DIR/made"})
    done = project("run", "-d", *STATE)
    assert "`vhpipe wait 1 --state ../state`" in done.err
    assert project("wait", "1", *STATE).code == 0


@pytest.mark.long
def test_a_variable_has_the_state_of_each_project_in_a_folder_of_its_own(project: Project) -> None:
    project.pipeline({"make": "echo made > $VH_OUTPUTS_DIR/made"})
    project.environment["VHPIPE_STATE"] = str(project.side("states"))
    assert project("run").code == 0
    (only,) = project.side("states").iterdir()
    assert only.name.startswith("project-")
    assert str(only) in project("doctor").out
    project.path = project.path.rename(project.path.with_name("moved"))
    assert project("show", "--json").json["status"] == "complete"
    assert project("run", "--json").json["run"] == 2
    (only,) = project.side("states").iterdir()
    assert only.name.startswith("moved-")
