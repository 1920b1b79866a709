"""Executions and tasks that end early because of what they have measured."""

from typing import Any

CLIMBS = """i=0; while test $i -lt 400; do i=$((i+1)); echo "{\\"score\\": $i}"; sleep 0.02; done; exit 9"""


def test_an_execution_ends_early_and_well_by_the_condition_of_its_step(project: Any) -> None:
    project.pipeline({"train": {"command": f"echo kept > $VH_OUTPUTS_DIR/model.txt; {CLIMBS}",
                                "stop-condition": "metadata.score >= 5"}})  # fmt: skip
    done = project("run", "--json")
    assert done.code == 0, done.err
    execution = done.node("train")["executions"][0]
    assert execution["status"] == "complete"
    assert 5 <= execution["metadata"]["score"] < 400
    assert "stop-condition `metadata.score >= 5` is met" in execution["attempts"][0]["because"]
    assert project.output(1, "train", "model.txt").read_text() == "kept\n"


def test_a_condition_sees_parameters(project: Any) -> None:
    project.pipeline({"train": {"command": CLIMBS, "stop-condition": "metadata.score > parameter.enough",
                                "parameters": [{"name": "enough", "type": "integer", "default": 3}]}})  # fmt: skip
    done = project("run", "--json")
    assert done.code == 0, done.err
    assert done.node("train")["executions"][0]["metadata"]["score"] >= 4


def blueprint(**properties: Any) -> Any:
    rules = {"items": [0, 1, 2]}
    return {"task": {"name": "sweep", "type": "grid_search", "step": "one",
                     "parameters": [{"name": "n", "style": "multiple", "rules": rules}], **properties}}  # fmt: skip


def test_a_task_ends_when_one_of_its_executions_meets_its_condition(project: Any) -> None:
    step = {"step": {"name": "one", "image": "x", "parameters": [{"name": "n", "type": "integer", "default": 0}],
                     "command": f"test {{parameter-value:n}} = 1 || exec sleep 60; {CLIMBS}"}}  # fmt: skip
    node = {"node": {"type": "task", "task": "sweep"}, "command": "true"}
    project.pipeline({"sweep": node}, more=[step, blueprint(**{"stop-condition": "score >= 2"})])
    text = (project.path / "valohai.yaml").read_text().replace('"step": "sweep",', "")
    (project.path / "valohai.yaml").write_text(text)
    done = project("run", "--json", "-j", "2")
    assert done.code == 0, done.err
    assert done.node("sweep")["status"] == "complete"
    assert [each["status"] for each in done.node("sweep")["executions"]] == ["stopped", "complete", "stopped"]


def test_a_condition_that_is_never_met_changes_nothing(project: Any) -> None:
    project.pipeline({"train": {"command": "echo '{\"score\": 1}'", "stop-condition": "metadata.score > 5"}})
    done = project("run", "--json")
    assert done.code == 0
    assert "because" not in done.node("train")["executions"][0]["attempts"][0] or (
        done.node("train")["executions"][0]["attempts"][0]["because"] is None
    )
