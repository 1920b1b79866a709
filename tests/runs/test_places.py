"""Whole runs whose nodes are at several places, or at one that is not the usual one."""

import json
from pathlib import Path

import pytest

from tests.runs.conftest import Project

TWO = {
    "make": "echo made > $VH_OUTPUTS_DIR/made",
    "use": {"command": "cat $VH_INPUTS_DIR/made/made", "inputs": [{"name": "made"}]},
}
EDGES = [["make.output.*", "use.input.made"]]


def info(project: Project, run: int) -> dict[str, object]:
    return dict(json.loads((project.path / f".vhpipe/runs/{run}/run.json").read_text()))


def places(project: Project, run: int) -> dict[str, str | None]:
    return {name: node.get("place") for name, node in project("show", str(run), "--json").json["nodes"].items()}


@pytest.fixture
def two(project: Project) -> Project:
    project.pipeline(TWO, EDGES)
    return project


def test_each_node_runs_at_its_place_and_what_one_makes_the_other_gets(two: Project) -> None:
    done = two("run", "--in", "make=process", "--json")
    assert done.code == 0, done.err
    assert Path(done.node("use")["executions"][0]["attempts"][0]["log"]).read_text() == "made\n"
    assert places(two, 1) == {"make": "process", "use": None}
    assert "make: execution complete, in process," in two("show").out
    assert (info(two, 1)["place"], info(two, 1)["places"]) == ("local", {"make": "process"})


@pytest.mark.long
def test_a_run_that_is_asked_again_is_where_it_was_unless_it_is_told_otherwise(two: Project) -> None:
    two.write(".vhpipe.toml", '[steps.use]\nplace = "process"\n')
    two.pipeline({**TWO, "use": {**TWO["use"], "command": "test -e $VH_REPOSITORY_DIR/go"}}, EDGES)  # type: ignore[dict-item]
    assert two("run", "--in", "make=process").code == 1
    (two.path / ".vhpipe.toml").unlink()
    assert two("resume", "--failed").code == 1
    assert places(two, 2) == {"make": None, "use": "process"}  # what is kept did not run again
    two.write("go", "")
    assert two("resume", "--with-changes", "--in", "use=local").code == 0
    assert places(two, 3) == {"make": None, "use": None}
    assert info(two, 3)["places"] == {"make": "process"}


def test_names_of_the_projects_settings_that_nothing_has_are_warned_of(two: Project) -> None:
    two.write(
        ".vhpipe.toml",
        '[nodes.mkae]\nplace = "process"\n[nodes.make]\nplace = "process"\n[steps.xyz]\nplace = "local"\n',
    )
    own = Path(two.environment["XDG_CONFIG_HOME"], "vhpipe", "config.toml")
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text('[nodes.other]\nplace = "process"\n')
    for words in (("run", "-n"), ("plan",)):
        done = two(*words)
        said = done.out + done.err
        assert "the settings have `[nodes.mkae]`, but the file has no node `mkae`; did you mean `[nodes.make]`?" in said
        assert "the settings have `[steps.xyz]`, but the file has no step `xyz`" in said
        assert (done.code, said.count("the settings have")) == (0, 2)


def test_only_a_new_run_can_be_elsewhere(two: Project) -> None:
    two.pipeline({**TWO, "use": {**TWO["use"], "command": "exit 3"}}, EDGES)  # type: ignore[dict-item]
    assert two("run").code == 1
    done = two("resume", "--in", "use=process")
    assert done.code == 2
    assert "run 1 ended in error: `use` failed" in done.err
    assert "vhpipe resume 1 --failed --in use=process" in done.err
    assert two("resume", "1", "--failed", "--in", "use=process").code == 1
    two.pipeline({"make": "true"})
    assert two("run").code == 0
    assert "run 3 is complete: there is nothing left to do" in two("resume", "--in", "make=process").err


def test_what_does_not_run_needs_no_container_tool(two: Project) -> None:
    two.environment["PATH"] = "/usr/bin:/bin"
    two.write("bin/podman", "#!/bin/sh\necho 'no luck' >&2; exit 1\n").chmod(0o755)
    two.environment["PATH"] = f"{two.path / 'bin'}:/usr/bin:/bin"
    done = two("run", "--in", "use=podman")
    assert (done.code, "place `podman` " in done.err) == (4, True), done.err
    assert not (two.path / ".vhpipe/runs/1").exists()
    assert two("run", "--in", "use=podman", "--only", "make").code == 0
