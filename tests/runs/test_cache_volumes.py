"""Cache volumes: folders that the executions of a project share by name, and that stay when runs go."""

import json

import pytest

from tests.runs.conftest import Project

COUNTING = 'echo x >> "$VH_CACHE_VOLUMES_DIR/models/count"; cp "$VH_CACHE_VOLUMES_DIR/models/count" $VH_OUTPUTS_DIR/'


def counting(project: Project) -> None:
    step = {"command": COUNTING, "cache-volumes": ["models"]}
    project.pipeline({"a": step, "b": step}, [["a.dependency.done", "b.dependency.done"]])


def test_executions_and_runs_share_a_volume_by_its_name(project: Project) -> None:
    counting(project)
    for run in (1, 2):
        done = project("run")
        assert done.code == 0, done.err
        assert "cache-volumes" not in done.err
        assert project.output(run, "b", "count").read_text() == "x\n" * 2 * run


@pytest.mark.long
def test_clean_leaves_volumes_until_it_is_asked_and_says_so(project: Project) -> None:
    counting(project)
    assert project("run").code == 0
    assert "1 cache volume stays" in project("clean", "--keep", "0").out
    assert project("clean", "--cache-volumes", "--dry-run", "--json").json["volumes"] == 1
    assert "1 cache volume with" in project("doctor").out
    assert "removed 1 cache volume" in project("clean", "--cache-volumes").out
    assert not (project.path / ".vhpipe/cache-volumes/models").exists()
    assert json.loads(project("clean", "--json").out)["kept_volumes"] == 0


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b"])
@pytest.mark.long
def test_what_is_no_name_of_a_volume_is_refused_before_the_start(project: Project, name: str) -> None:
    project.pipeline({"a": {"command": "true", "cache-volumes": [name]}})
    refused = project("run")
    assert refused.code == 2
    assert "node `a` names the cache volume" in refused.err
