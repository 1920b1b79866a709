"""The file of a pipeline built in code validates, also for others, and runs the same."""

import json
import sys
from types import ModuleType
from typing import Any

import pytest
import yaml

from vhpipe.api import Pipeline, validate


def everything(made: Any, functions: ModuleType) -> Pipeline:
    pipeline = Pipeline("all of it", "demo", "1.2.0", folder=made.folder)
    pipeline.add_parameter("x", 3, "a number")
    pipeline.set_default_execution_queue("cpu")
    pipeline.set_pipeline_execution_time_limit(10)
    pipeline.connect_configuration({"key": {"deep": [1, 2]}}, "settings")
    pipeline.add_function_step("give", functions.give, {"x": "${pipeline.x}"}, "y", cache_executed_step=True)
    pipeline.add_function_step("add", functions.add, {"x": "${give.y}", "y": 2}, "y", retry_on_failure=1, time_limit=30)
    pipeline.add_function_step(
        "show", functions.show, {"x": {"sum": "${add.y}"}, "y": "sum of ${pipeline.x} and 2 by ${give.id}"}, "y",
        parents=["give"], monitor_metrics=[("all", "y")], monitor_artifacts=["y"], execution_queue="gpu",
        configuration_overrides={"settings": {"key": 1}},
    )  # fmt: skip
    return pipeline


def test_it_has_no_fault(made: Any, arithmetic: ModuleType) -> None:
    path = made.folder / "valohai.yaml"
    path.write_text(everything(made, arithmetic).to_yaml())
    assert [item.message for item in validate(path) if item.severity != "info"] == []
    assert "no errors" in made.vhpipe("validate").stdout or made.vhpipe("validate").stdout == ""


def test_others_read_it_too(made: Any, arithmetic: ModuleType) -> None:
    valohai_yaml = pytest.importorskip("valohai_yaml", reason="valohai-yaml is not installed")
    items = [item for item in yaml.safe_load(everything(made, arithmetic).to_yaml()) if "vhpipe" not in item]
    config = valohai_yaml.parse(yaml.safe_dump(items), validate=True)
    assert list(config.steps) == ["give", "add", "show"]
    assert not list(config.lint().messages)
    assert [node.name for node in config.pipelines["all of it"].nodes] == ["give", "add", "show"]


def test_it_runs_the_same_from_the_file(made: Any, arithmetic: ModuleType) -> None:
    pipeline = everything(made, arithmetic)
    from_code = pipeline.start_locally(quiet=True)
    (made.folder / "valohai.yaml").write_text(pipeline.to_yaml())
    made.vhpipe("run", "--python", sys.executable, "-q")
    shown = [json.loads(made.vhpipe("show", number, "--json").stdout)["nodes"] for number in ("1", "2")]
    for nodes in shown:
        nodes["show"]["executions"][0]["metadata"] = None
    assert from_code.node("show").result("y")[0] == {"sum": 5}
    assert from_code.node("show").result("y")[1].startswith("sum of 3 and 2 by ")
    for name in shown[0]:
        ours, theirs = (nodes[name]["executions"][0] for nodes in shown)
        assert ours["status"] == theirs["status"] == "complete"
        assert ours["outputs"] == theirs["outputs"]
        if name != "show":
            assert ours["parameters"] == theirs["parameters"]
            assert ours["metadata"] == theirs["metadata"]
    assert shown[1]["give"]["executions"][0]["reused_from"]["run"] == 1


def test_configuration_arrives_and_can_be_overridden(made: Any) -> None:
    functions = made.module(
        """
        import json, os
        from pathlib import Path

        def read():
            return json.loads(Path(os.environ["VH_CONFIG_DIR"], "settings.json").read_text())
        """
    )
    (made.folder / "other.json").write_text('{"from": "file"}')
    pipeline = made.pipeline()
    pipeline.connect_configuration({"key": 1}, name="settings")
    pipeline.add_function_step("a", functions.read, {}, "y")
    pipeline.add_function_step("b", functions.read, {}, "y", configuration_overrides={"settings": {"key": 2}})
    run = pipeline.start_locally(quiet=True)
    assert (run.node("a").result("y"), run.node("b").result("y")) == ({"key": 1}, {"key": 2})


def test_an_image_can_be_named(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline(docker="registry/base:1")
    pipeline.add_function_step("a", arithmetic.give)
    pipeline.add_function_step("b", arithmetic.give, docker="other")
    images = [item["step"]["image"] for item in yaml.safe_load(pipeline.to_yaml()) if "step" in item]
    assert images == ["registry/base:1", "other"]


def test_a_version_is_made_of_numbers(made: Any) -> None:
    from vhpipe.errors import UsageError

    with pytest.raises(UsageError, match="is not a version"):
        Pipeline("p", version="one", folder=made.folder)
