"""Mounts of steps in whole runs: what is bound, and what is refused before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import Project


def mounting(project: Project, *mounts: Any, command: str = "true", **step: Any) -> None:
    project.pipeline({"a": {"command": command, "mounts": list(mounts), **step}})


def mount(source: str | Path, destination: str, **more: Any) -> dict[str, Any]:
    return {"source": str(source), "destination": destination, **more}


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_a_source_that_is_not_there_is_refused_with_node_and_path(project: Project) -> None:
    mounting(project, mount("/no/such/data", "/data"))
    refused = project("run")
    assert refused.code == 2
    assert "node `a` mounts `/no/such/data`, which is not there" in refused.err
    assert "--mount /no/such/data=FOLDER" in refused.err
    assert not project.path.joinpath(".vhpipe").exists()


@pytest.mark.parametrize("unreachable", [mount("nas:/exports", "/data"), mount("/usr", "/data", type="nfs")])
def test_what_is_on_the_network_is_not_mounted_here(project: Project, unreachable: Any) -> None:
    mounting(project, unreachable)
    refused = project("run")
    assert (refused.code, "which is on the network and is not mounted here" in refused.err) == (2, True)


def test_outside_of_project_and_home_only_the_user_allows_a_mount(project: Project) -> None:
    link = project.path / "link"
    link.symlink_to("/usr/share")
    for source, shown in ((str(link), f"`{link}` (that is `/usr/share`)"), ("/usr/share", "`/usr/share`")):
        mounting(project, mount(source, "/shared"))
        refused = project("run")
        assert refused.code == 3
        assert f"node `a` mounts {shown}, which is outside of the project and your home" in refused.err
    project.write(".vhpipe.toml", "[run]\nallow-mounts = true\n")
    assert "cannot be set in a project's file" in project("run").err


@pytest.mark.parametrize("destination", ["/etc", "/valohai", "/valohai/inputs", "/proc/x"])
def test_nothing_is_mounted_over_what_is_needed(project: Project, destination: str) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", destination))
    refused = project("run")
    assert refused.code == 2
    assert f"node `a` mounts `data` at `{destination}`, which would hide" in refused.err


def test_the_state_folder_cannot_be_hidden(project: Project) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", str(project.path / ".vhpipe")))
    assert "would hide" in project("run").err


def test_two_mounts_at_one_place_are_refused(project: Project) -> None:
    project.write("one/x", "")
    project.write("two/x", "")
    mounting(project, mount("one", "/data"), mount("two", "/data/"))
    assert "node `a` mounts two things at `/data`" in project("run").err


def test_a_folder_that_would_be_made_among_the_users_files_is_refused(project: Project) -> None:
    project.write("data/x", "")
    target = project.side("not-there")
    mounting(project, mount("data", str(target)))
    refused = project("run")
    assert (refused.code, f"make it: mkdir -p {target}" in refused.err) == (2, True)
    assert not target.exists()


# ── where nothing is mounted ─────────────────────────────────────────────────────────────────────


def test_a_plain_process_says_that_nothing_is_mounted_and_is_refused_where_its_command_needs_it(
    project: Project,
) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", "/some/data"))
    done = project("run", "--in", "process")
    assert done.code == 0
    assert "mounts of `a`: nothing is mounted" in done.err
    mounting(project, mount("data", "/some/data"), command="ls /some/data/x")
    refused = project("run", "--in", "process")
    assert refused.code == 3
    assert "node `a` uses `/some/data`, where nothing is mounted at place `process`" in refused.err


def test_what_is_where_it_would_be_mounted_is_no_reason_to_refuse(project: Project) -> None:
    there = project.side("there")
    there.mkdir()
    mounting(project, mount(there, str(there)), command=f"ls {there}")
    assert project("run", "--in", "process").code == 0
