"""Mounts of steps in whole runs: what is bound, and what is refused before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import Project
from vhpipe.namespaces.sandboxes import sandbox_tried_here
from vhpipe.namespaces.trial import tried_here


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


def test_a_folder_for_a_source_that_nothing_mounts_is_warned_of(project: Project) -> None:
    project.write("data/x", "")
    mounting(project, mount("/s3/data", "/data"))
    done = project("run", "-n", "--mount", f"/s3/data={project.path}/data", "--mount", "/s3/dat=/nowhere")
    said = "no node of this run mounts `/s3/dat`, so `--mount` changes nothing; did you mean `/s3/data`?"
    assert (done.code, done.err.count(said), done.err.count("changes nothing")) == (0, 1, 1), done.err


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
@pytest.mark.long
def test_nothing_is_mounted_over_what_is_needed(project: Project, destination: str) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", destination))
    refused = project("run")
    assert refused.code == 2
    assert f"node `a` mounts `data` at `{destination}`, which would hide" in refused.err


@pytest.mark.long
def test_the_state_folder_cannot_be_hidden(project: Project) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", str(project.path / ".vhpipe")))
    assert "would hide" in project("run").err


@pytest.mark.long
def test_two_mounts_at_one_place_are_refused(project: Project) -> None:
    project.write("one/x", "")
    project.write("two/x", "")
    mounting(project, mount("one", "/data"), mount("two", "/data/"))
    assert "node `a` mounts two things at `/data`" in project("run").err


@pytest.mark.long
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


@pytest.mark.long
def test_what_is_where_it_would_be_mounted_is_no_reason_to_refuse(project: Project) -> None:
    there = project.side("there")
    there.mkdir()
    mounting(project, mount(there, str(there)), command=f"ls {there}")
    assert project("run", "--in", "process").code == 0


# ── what is bound ────────────────────────────────────────────────────────────────────────────────

BINDS = pytest.mark.skipif(tried_here().way is None, reason="steps have no mounts of their own on this machine")
NOWHERE = "/vhpipe-nowhere/data"
"""What no machine has."""


@BINDS
def test_files_and_folders_are_bound_where_the_file_says(project: Project) -> None:
    project.write("data/sets/x", "bound\n")
    other = project.side("other")
    other.mkdir()
    command = [
        f"cat {NOWHERE}/sets/x /mnt/vhpipe/alone > $VH_OUTPUTS_DIR/read",
        f"! touch {NOWHERE}/y 2> /dev/null",
        "echo written > /valohai/given/w",
        "test $(ls /valohai/repository/inside) = sets",
    ]
    mounting(
        project, mount("data", NOWHERE, readonly=True), mount("data/sets/x", "/mnt/vhpipe/alone"),
        mount("/of/the/platform", "/valohai/given"), mount("data", "/valohai/repository/inside"), command=command,
    )  # fmt: skip
    done = project("run", "--mount", f"/of/the/platform={other}")
    assert done.code == 0, done.err
    assert project.output(1, "a", "read").read_text() == "bound\nbound\n"
    assert (other / "w").read_text() == "written\n"
    assert not Path(NOWHERE).parent.exists()
    assert not Path("/mnt/vhpipe").exists()


@BINDS
@pytest.mark.long
def test_the_users_settings_say_what_stands_for_a_source_and_allow_others(project: Project) -> None:
    project.write("data/x", "mine\n")
    mounting(project, mount("/s3/data", NOWHERE), mount("/usr/share", "/mnt/shared"), command=f"cat {NOWHERE}/x")
    own = Path(project.environment["XDG_CONFIG_HOME"], "vhpipe", "config.toml")
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(f'[run]\nallow-mounts = true\n[mounts]\n"/s3/data" = "{project.path}/data"\n')
    assert project("run").code == 0


@pytest.mark.long
@BINDS
def test_a_node_with_mounts_is_reused_only_if_it_is_named(project: Project) -> None:
    project.write("data/x", "")
    step = {"command": "date +%N > $VH_OUTPUTS_DIR/now"}
    project.pipeline({"a": {**step, "mounts": [mount("data", NOWHERE, readonly=True)]}, "b": step})
    assert project("run", "--reuse").code == 0
    again = project("run", "--reuse", "--json")
    assert "`a` is not reused: nobody knows whether what it mounts is as it was" in again.err
    assert [again.node(name)["executions"][0].get("reused_from") is None for name in "ab"] == [True, False]
    asked = project("run", "--reuse=a", "--json")
    assert asked.node("a")["executions"][0]["reused_from"] is not None
    why = project("why", "2", "a").out
    assert "reuse was off: what it mounts is in no fingerprint" in why
    assert "with --reuse=a its result would have been taken" in why
    preview = project("run", "-n", "--reuse").out
    assert "reuse is off: what it mounts is in no fingerprint; --reuse=a would take it from run 2" in preview


@BINDS
@pytest.mark.long
def test_a_source_that_has_gone_fails_the_execution_and_is_asked_for_again_on_resume(project: Project) -> None:
    project.write("data/x", "")
    project.write("other/x", "")
    first = {"command": f"rm -r {project.path}/data && ln -s other {project.path}/data"}
    second = {"command": "true", "mounts": [mount("data", NOWHERE)]}
    project.pipeline({"first": first, "a": second}, [["first.dependency.ready", "a.dependency.ready"]])
    done = project("run")
    assert done.code == 1
    assert f"`{project.path}/data`, which is mounted at `{NOWHERE}`, is not there any more" in done.err
    resumed = project("resume", "1", "--failed")
    assert resumed.code == 0, resumed.err


@BINDS
def test_volumes_are_below_valohai_and_writable(project: Project) -> None:
    command = ["test $VH_CACHE_VOLUMES_DIR = /valohai/cache-volumes", "echo x > /valohai/cache-volumes/one/x"]
    project.pipeline({"a": {"command": command, "cache-volumes": ["one", "two"]}})
    done = project("run")
    assert done.code == 0, done.err
    assert (project.path / ".vhpipe/cache-volumes/one/x").read_text() == "x\n"


@pytest.mark.long
@pytest.mark.skipif(sandbox_tried_here().means is None, reason="there is no sandbox on this machine")
def test_the_sandbox_mounts_too_and_refuses_what_it_has_no_folder_for(project: Project) -> None:
    project.write("data/x", "")
    mounting(project, mount("data", NOWHERE, readonly=True), command=f"test -e {NOWHERE}/x")
    assert project("run", "--in", "sandbox").code == 0
    mounting(project, mount("data", "/usr/share/vhpipe-nowhere"))
    refused = project("run", "--in", "sandbox")
    assert (refused.code, "make it: mkdir -p /usr/share/vhpipe-nowhere" in refused.err) == (2, True)


@pytest.mark.long
@BINDS
def test_a_shell_has_the_mounts_of_its_step(project: Project) -> None:
    project.write("data/x", "bound\n")
    mounting(project, mount("data", NOWHERE, readonly=True), **{"cache-volumes": ["one"]})
    assert project("run").code == 0
    opened = project("shell", "1", "a", "-c", f"cat {NOWHERE}/x; ls $VH_CACHE_VOLUMES_DIR")
    assert (opened.code, opened.out) == (0, "bound\none\n"), opened.err
