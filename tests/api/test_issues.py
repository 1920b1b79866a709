"""What users of another system asked for, or stumbled over: one test each."""

import json
import time
from types import ModuleType
from typing import Any

import pytest

from vhpipe.api import Node, Pipeline, Run


def test_results_of_many_steps_are_collected(made: Any, arithmetic: ModuleType) -> None:
    """A list of any number of steps is an argument."""
    pipeline = made.pipeline()
    for number in range(5):
        pipeline.add_function_step(f"part_{number}", arithmetic.give, {"x": number}, "y")
    pipeline.add_function_step("all", arithmetic.show, {"x": [f"${{part_{number}.y}}" for number in range(5)]}, "y")
    assert pipeline.start_locally(quiet=True).node("all").result("y") == [[0, 1, 2, 3, 4], None]


def test_models_of_one_name_of_two_steps_are_both_there(made: Any) -> None:
    """Monitored models of several steps do not overwrite each other where they are renamed."""
    functions = made.module(
        """
        from pathlib import Path

        def train(x: int):
            Path("model.txt").write_text(str(x))
            return Path("model.txt")
        """
    )
    pipeline = made.pipeline()
    for number in range(2):
        pipeline.add_function_step(
            f"train_{number}", functions.train, {"x": number}, "model", monitor_models=[("model", f"model-{number}")]
        )
    run = pipeline.start_locally(quiet=True)
    assert {name: path.read_text() for name, path in run.models.items()} == {"model-0": "0", "model-1": "1"}


def test_a_pipeline_can_be_run_twice(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y")
    assert [pipeline.start_locally(quiet=True).number for _ in range(2)] == [1, 2]


def test_every_point_of_a_decreasing_metric_is_kept(made: Any) -> None:
    functions = made.module(
        """
        import json

        def train():
            for loss in (5, 3, 9, 1):
                print(json.dumps({"loss": loss}))
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("train", functions.train, {}, monitor_metrics=[("train", "loss")])
    run = pipeline.start_locally(quiet=True)
    assert run.metadata["train"] == {"loss": 1}
    (series,) = run.path.glob("work/train-*/0.1/metadata.jsonl")
    assert [json.loads(line)["loss"] for line in series.read_text().splitlines()] == [5, 3, 9, 1]
    assert [point["train/loss"] for point in run.points] == [5, 3, 9, 1]


def test_a_cached_step_can_be_run_again_all_the_same(made: Any, arithmetic: ModuleType) -> None:
    """Caches can be refreshed: by `vhpipe run --refresh` on the file, and here by not asking for the cache."""
    for is_cached, reused in ((True, False), (True, True), (False, False)):
        pipeline = made.pipeline()
        pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y", cache_executed_step=is_cached)
        run = pipeline.start_locally(quiet=True)
        assert run.node("a").is_reused == reused


def test_a_pipeline_of_cached_steps_is_successful(made: Any, arithmetic: ModuleType) -> None:
    def build() -> Pipeline:
        pipeline: Pipeline = made.pipeline()
        pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y", cache_executed_step=True)
        pipeline.add_function_step("b", arithmetic.add, {"x": "${a.y}"}, "y", cache_executed_step=True)
        return pipeline

    build().start_locally(quiet=True)
    again = build()
    run = again.start_locally(quiet=True)
    assert all(node.is_reused for node in run.nodes.values())
    assert run.node("b").result("y") == 2
    assert again.is_successful()


def test_another_argument_is_not_found_in_the_cache(made: Any, arithmetic: ModuleType) -> None:
    for value, reused in ((1, False), (2, False), (1, True)):
        pipeline = made.pipeline()
        pipeline.add_parameter("x", 0)
        pipeline.set_parameters(x=value)
        pipeline.add_function_step("a", arithmetic.give, {"x": "${pipeline.x}"}, "y", cache_executed_step=True)
        run = pipeline.start_locally(quiet=True)
        assert (run.node("a").is_reused, run.node("a").result("y")) == (reused, value)


def test_a_step_that_is_tried_again_starts_with_fresh_metadata(made: Any, side: Any) -> None:
    functions = made.module(
        f"""
        import json
        from pathlib import Path

        def train():
            print(json.dumps({{"epoch": 1}}))
            if not Path({str(side("tried"))!r}).exists():
                Path({str(side("tried"))!r}).write_text("")
                print(json.dumps({{"broken": 1}}))
                raise ValueError("no")
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("train", functions.train, {}, retry_on_failure=1)
    assert pipeline.start_locally(quiet=True).metadata["train"] == {"epoch": 1}


def test_several_references_stand_in_one_text_and_in_lists(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_parameter("s", "S")
    pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y")
    pipeline.add_function_step("b", arithmetic.show, {"x": "${pipeline.s}/x/${pipeline.s}", "y": ["${a.y}"]}, "y")
    assert pipeline.start_locally(quiet=True).node("b").result("y") == ["S/x/S", [1]]


def test_decorated_functions_and_helpers_and_globals_work(made: Any) -> None:
    functions = made.module(
        """
        import functools

        SCALE = 3

        def logged(function):
            @functools.wraps(function)
            def inner(*arguments, **named):
                print("called", function.__name__)
                return function(*arguments, **named)
            return inner

        def helper(x):
            return x * SCALE

        @logged
        def scale(x: int):
            return helper(x)
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("scale", functions.scale, {"x": 2}, "y")
    run = pipeline.start_locally(quiet=True)
    assert run.node("scale").result("y") == 6
    assert "called scale" in run.node("scale").executions[0].log


def test_a_callback_may_end_the_pipeline_without_an_error_of_its_own(made: Any, arithmetic: ModuleType) -> None:
    told: list[str] = []

    def stop(own: Pipeline, node: Node) -> None:
        own.stop()
        told.append("went on")

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y", post_execute_callback=stop)
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y")
    assert pipeline.start_locally(raise_on_failure=False, quiet=True).status == "stopped"
    assert told == ["went on"]


def test_a_step_of_an_earlier_run_can_be_a_base(made: Any, arithmetic: ModuleType) -> None:
    """What another run had: its node, with its parameters of then."""
    first = made.pipeline()
    first.add_function_step("a", arithmetic.add, {"x": 1, "y": 5}, "z")
    first.start_locally(quiet=True)
    second = made.pipeline()
    second.add_step("again", base_task_id="1/a", parameter_override={"kwargs/x": 2})
    assert second.start_locally(quiet=True).node("again").result("z") == 7


def test_module_level_names_of_a_script_are_there_in_its_steps(made: Any) -> None:
    made.program(
        """
        from vhpipe.api import Pipeline

        TABLE = {"a": 1}

        def look(key: str):
            return TABLE[key]

        if __name__ == "__main__":
            pipeline = Pipeline("p")
            pipeline.add_function_step("look", look, {"key": "a"}, "found")
            assert pipeline.start_locally().node("look").result("found") == 1
        """
    )


def test_time_limits_hold_while_steps_wait_for_a_slot(made: Any) -> None:
    """The time of a step begins when it runs, not when it is queued."""
    functions = made.module("import time\n\ndef sleep(s: float):\n    time.sleep(s)\n    return s\n")
    pipeline = made.pipeline()
    for name in "abc":
        pipeline.add_function_step(name, functions.sleep, {"s": 1.0}, "y", time_limit=2)
    run = pipeline.start_locally(jobs=1, quiet=True)
    assert run.status == "complete"


@pytest.mark.parametrize("value", [1, 0.5, True, "1", [1, 2], {"a": [1.5]}])
def test_types_survive_parameters_of_the_pipeline(made: Any, arithmetic: ModuleType, value: object) -> None:
    pipeline = made.pipeline()
    pipeline.add_parameter("x", value)
    pipeline.add_function_step("a", arithmetic.give, {"x": "${pipeline.x}"}, "y")
    back = pipeline.start_locally(quiet=True).node("a").result("y")
    assert (back, type(back)) == (value, type(value))


def test_two_hundred_steps_are_added_and_planned_in_a_moment(made: Any, arithmetic: ModuleType) -> None:
    began = time.monotonic()
    pipeline = made.pipeline()
    pipeline.add_function_step("step_0", arithmetic.give, {"x": 0}, "y")
    for number in range(1, 200):
        pipeline.add_function_step(f"step_{number}", arithmetic.add, {"x": f"${{step_{number - 1}.y}}"}, "y")
    assert len(pipeline.plan().nodes) == 200
    assert time.monotonic() - began < 10


def test_a_run_from_code_is_listed_with_its_name_and_project(made: Any, arithmetic: ModuleType) -> None:
    pipeline = Pipeline("shown", "demo", "2.0", folder=made.folder)
    pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y")
    pipeline.start_locally(quiet=True)
    (listed,) = json.loads(made.vhpipe("runs", "--json").stdout)["runs"]
    assert (listed["pipeline"], listed["status"], listed["tags"]) == ("shown", "complete", ["demo"])
    assert Run.open(made.folder).pipeline == "shown"


def test_the_version_is_counted_up_when_the_code_has_changed(made: Any, arithmetic: ModuleType) -> None:
    versions = []
    for change in ("", "# a remark", "# a remark"):
        (made.folder / "other.py").write_text(change)
        pipeline = Pipeline("p", version="1.0.0", folder=made.folder)
        pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y")
        versions.append(pipeline.start_locally(quiet=True).version)
    assert versions == ["1.0.0", "1.0.1", "1.0.1"]
