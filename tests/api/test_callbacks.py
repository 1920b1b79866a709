"""Functions that are called beside steps."""

import threading
from types import ModuleType
from typing import Any

import pytest

from vhpipe.api import Node, Pipeline, PipelineFailed


def test_each_is_called_once_and_told_of_the_step(made: Any, arithmetic: ModuleType) -> None:
    told: list[object] = []

    def before(pipeline: Pipeline, node: Node, parameters: dict[str, object]) -> None:
        told.append(("before", pipeline.name, node.name, node.status, dict(parameters)))

    def after(pipeline: Pipeline, node: Node) -> None:
        told.append(("after", node.name, node.status, node.result("z")))

    pipeline = made.pipeline()
    pipeline.add_parameter("x", 2)
    pipeline.add_function_step(
        "a", arithmetic.add, {"x": "${pipeline.x}"}, "z", pre_execute_callback=before, post_execute_callback=after
    )
    pipeline.start_locally(quiet=True)
    assert told == [("before", "p", "a", "created", {"x": 2, "y": 1}), ("after", "a", "complete", 3)]


def test_parameters_that_are_changed_before_the_start_count(made: Any, arithmetic: ModuleType) -> None:
    def change(pipeline: Pipeline, node: Node, parameters: dict[str, object]) -> None:
        parameters["x"] = 40

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.add, {"x": 1}, "z", pre_execute_callback=change)
    run = pipeline.start_locally(quiet=True)
    assert run.node("a").result("z") == 41
    assert run.node("a").parameters["x"] == 40


def test_a_parameter_that_is_none_fails_the_step(made: Any, arithmetic: ModuleType) -> None:
    def change(pipeline: Pipeline, node: Node, parameters: dict[str, object]) -> None:
        parameters["xx"] = 40

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.add, {"x": 1}, "z", pre_execute_callback=change)
    with pytest.raises(PipelineFailed, match="returned `xx`, which is not one of its parameters"):
        pipeline.start_locally(quiet=True)


def test_false_skips_the_step_and_what_relies_on_it(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y", pre_execute_callback=lambda *told: False)
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y")
    pipeline.add_function_step("c", arithmetic.give, {}, "y", parents=["b"])
    pipeline.start_locally(quiet=True)
    assert {name: node.status for name, node in pipeline.get_pipeline_dag().items()} == dict.fromkeys("abc", "skipped")
    assert pipeline.is_successful()


def test_what_a_callback_raises_fails_the_step_with_the_message(made: Any, arithmetic: ModuleType) -> None:
    def refuse(*told: object) -> None:
        raise RuntimeError("the data is too old")

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y", pre_execute_callback=refuse)
    with pytest.raises(PipelineFailed, match="RuntimeError: the data is too old"):
        pipeline.start_locally(quiet=True)


def test_what_a_later_callback_raises_is_a_warning(made: Any, arithmetic: ModuleType) -> None:
    def refuse(*told: object) -> None:
        raise RuntimeError("no mail today")

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y", post_execute_callback=refuse)
    run = pipeline.start_locally(quiet=True)
    assert run.status == "complete"
    assert "no mail today" in made.vhpipe("show", "1", "--json").stdout


def test_every_change_of_a_status_is_told(made: Any, arithmetic: ModuleType) -> None:
    told: list[tuple[str, str, str]] = []

    def changed(pipeline: Pipeline, node: Node, previous: str) -> None:
        told.append((node.name, previous, node.status))

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.fail, status_change_callback=changed)
    pipeline.add_function_step("b", arithmetic.give, {}, parents=["a"], status_change_callback=changed)
    pipeline.start_locally(raise_on_failure=False, quiet=True)
    assert told == [("a", "created", "started"), ("a", "started", "error"), ("b", "created", "skipped")]


def test_a_callback_may_stop_the_pipeline(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y", post_execute_callback=lambda own, node: own.stop())
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y")
    run = pipeline.start_locally(raise_on_failure=False, quiet=True)
    assert (run.status, run.exit_code) == ("stopped", 1)
    assert run.node("b").status != "complete"


def test_the_ones_of_start_are_for_steps_without_their_own(made: Any, arithmetic: ModuleType) -> None:
    told: list[tuple[str, str]] = []
    pipeline = made.pipeline()
    own = {"pre_execute_callback": lambda own, node, parameters: told.append(("own", node.name))}
    pipeline.add_function_step("a", arithmetic.give, {}, **own)
    pipeline.add_function_step("b", arithmetic.give, {}, parents=["a"])
    pipeline.start(
        step_task_created_callback=lambda own, node, parameters: told.append(("before", node.name)),
        step_task_completed_callback=lambda own, node: told.append(("after", node.name)),
        quiet=True,
    )
    assert pipeline.wait()
    assert told == [("own", "a"), ("after", "a"), ("before", "b"), ("after", "b")]


def test_they_are_called_in_a_thread_of_their_own(made: Any, arithmetic: ModuleType) -> None:
    names: list[str] = []
    pipeline = made.pipeline()
    note = lambda *told: names.append(threading.current_thread().name)  # noqa: E731
    pipeline.add_function_step("a", arithmetic.give, {}, pre_execute_callback=note)
    pipeline.start_locally(quiet=True)
    assert names[0].startswith("vhpipe-hooks")


def test_a_resumed_run_has_no_callbacks_and_goes_on(made: Any, arithmetic: ModuleType) -> None:
    called: list[str] = []

    def stop(own: Pipeline, node: Node, parameters: object) -> None:
        called.append(node.name)
        if node.name == "a":
            own.stop()

    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {}, "y", pre_execute_callback=stop)
    pipeline.add_function_step("b", arithmetic.give, {"x": "${a.y}"}, "y", pre_execute_callback=stop)
    assert pipeline.start_locally(raise_on_failure=False, quiet=True).status == "stopped"
    made.vhpipe("resume", "1")
    assert called == ["a"]
    assert '"status": "complete"' in made.vhpipe("show", "1", "--json").stdout
