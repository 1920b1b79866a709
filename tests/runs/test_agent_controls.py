"""Variables by which a step asks something of the platform's agent, in whole runs."""

import os

import pytest

from tests.runs.conftest import Project


@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core only")
def test_a_step_is_kept_to_its_cores_and_its_neighbours_are_not(project: Project) -> None:
    limit = {"environment-variables": [{"name": "VH_CPU_LIMIT", "default": "1"}]}
    project.pipeline({"kept": {"command": "test $(nproc) = 1", **limit}, "free": "test $(nproc) -gt 1"})
    done = project("run")
    assert done.code == 0, done.err
    assert "VH_CPU_LIMIT" not in done.err


def test_a_control_may_be_typed_and_one_that_cannot_be_read_refuses_the_run(project: Project) -> None:
    project.pipeline({"a": "test $(nproc) = 1"})
    assert project("run", "-e", "VH_CPU_LIMIT=1").code == 0
    refused = project("run", "-e", "VH_CPU_LIMIT=some")
    assert (refused.code, "node `a`: `VH_CPU_LIMIT` is `some`" in refused.err) == (2, True)


@pytest.mark.long
def test_what_the_platforms_cluster_does_with_endpoints_is_said(project: Project) -> None:
    volume = {"pvc-name": "v", "mount-path": "/v"}
    endpoint = {
        "name": "serve", "image": "none", "server-command": "run", "node-selector": "a=b", "shared-volumes": [volume],
        "workspace-volume": {"mount-path": "/w", "size": 1}, "tolerations": [{"operator": "Exists"}],
    }  # fmt: skip
    node = {"node": {"type": "deployment", "deployment": "d", "endpoints": ["serve"]}}
    deployment = {"name": "d", "defaults": {"target": "t"}}
    project.pipeline({"deploy": node}, (), [{"endpoint": endpoint}, {"deployment": deployment}])
    said = project("plan").out
    for word in ("node-selector", "tolerations", "shared-volumes", "workspace-volume"):
        assert f"{word} of endpoint `serve`: it is for the cluster that serves it" in said
