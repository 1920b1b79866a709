"""What happens when steps fail: a to b to c, and d beside them."""

from types import ModuleType
from typing import Any

import pytest

from vhpipe.api import Node, Pipeline, PipelineFailed
from vhpipe.errors import UsageError


def diamondless(made: Any, functions: ModuleType, failing: str = "fail", **options: Any) -> Pipeline:
    """a → b → c, and d; b is what is tried."""
    of_pipeline = {name: options.pop(name) for name in ("abort_on_failure",) if name in options}
    pipeline: Pipeline = made.pipeline(**of_pipeline)
    pipeline.add_function_step("a", functions.give, {"x": 1}, "y")
    pipeline.add_function_step("b", getattr(functions, failing), {"x": "${a.y}"}, "y", **options)
    pipeline.add_function_step("c", functions.show, {"x": "${b.y}"}, "y")
    pipeline.add_function_step("d", functions.give, {"x": 1}, "y")
    return pipeline


def statuses(pipeline: Pipeline) -> dict[str, str]:
    return {name: node.status for name, node in pipeline.get_pipeline_dag().items()}


def test_what_relies_on_a_failed_step_is_skipped_and_the_pipeline_fails(made: Any, arithmetic: ModuleType) -> None:
    pipeline = diamondless(made, arithmetic)
    with pytest.raises(PipelineFailed, match="`b` failed") as failed:
        pipeline.start_locally(quiet=True)
    assert statuses(pipeline) == {"a": "complete", "b": "error", "c": "skipped", "d": "complete"}
    assert failed.value.run.status == "error"
    assert "ValueError: as asked" in failed.value.run.node("b").executions[0].log
    assert not pipeline.is_successful()


def test_continue_on_fail_completes_the_pipeline_but_it_is_not_successful(made: Any, arithmetic: ModuleType) -> None:
    pipeline = diamondless(made, arithmetic, continue_on_fail=True)
    run = pipeline.start_locally(quiet=True)
    assert run.status == "complete"
    assert statuses(pipeline)["c"] == "skipped"
    assert statuses(pipeline)["d"] == "complete"
    assert run.node("b").failed == 1
    assert not pipeline.is_successful()
    assert pipeline.is_successful(fail_on_step_fail=False)


def test_an_empty_continue_behaviour_goes_on_and_skips_children(made: Any, arithmetic: ModuleType) -> None:
    pipeline = diamondless(made, arithmetic, continue_behaviour={})
    assert pipeline.start_locally(quiet=True).status == "complete"
    assert statuses(pipeline)["c"] == "skipped"


def test_children_that_are_not_skipped_get_nothing(made: Any, arithmetic: ModuleType) -> None:
    behaviour = {"continue_on_fail": True, "skip_children_on_fail": False}
    pipeline = diamondless(made, arithmetic, continue_behaviour=behaviour)
    run = pipeline.start_locally(quiet=True)
    assert run.node("c").status == "complete"
    assert run.node("c").result("y") == [None, None]


def test_neither_going_on_nor_skipping_stops_the_pipeline(made: Any, arithmetic: ModuleType) -> None:
    behaviour = {"continue_on_fail": False, "skip_children_on_fail": False}
    pipeline = diamondless(made, arithmetic, continue_behaviour=behaviour)
    with pytest.raises(PipelineFailed):
        pipeline.start_locally(quiet=True)
    assert "on-error: stop-all" in pipeline.to_yaml()


def test_a_skipped_step_is_no_failure(made: Any, arithmetic: ModuleType) -> None:
    pipeline = diamondless(made, arithmetic, failing="give", pre_execute_callback=lambda *told: False)
    run = pipeline.start_locally(quiet=True)
    assert statuses(pipeline) == {"a": "complete", "b": "skipped", "c": "skipped", "d": "complete"}
    assert run.status == "complete"
    assert pipeline.is_successful()


def test_a_step_that_takes_too_long_fails(made: Any) -> None:
    slow = made.module(
        "import time\ndef sleep(x):\n    time.sleep(60)\ndef give(x):\n    return x\ndef show(x): return x\n"
    )
    pipeline = diamondless(made, slow, failing="sleep", time_limit=1)
    with pytest.raises(PipelineFailed, match="time-limit"):
        pipeline.start_locally(quiet=True)
    assert statuses(pipeline) == {"a": "complete", "b": "error", "c": "skipped", "d": "complete"}


def test_a_step_is_tried_again(made: Any, side: Any) -> None:
    functions = made.module(
        f"""
        from pathlib import Path

        def fail_twice():
            tries = Path({str(side("tries"))!r})
            tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
            if len(tries.read_text()) < 3:
                raise ValueError("not yet")
            return "done"
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.fail_twice, function_return="y", retry_on_failure=2)
    run = pipeline.start_locally(quiet=True)
    assert run.node("a").executions[0].attempts == 3
    assert run.node("a").result("y") == "done"
    assert pipeline.is_successful()


def test_retries_end(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline(retry_on_failure=1)
    pipeline.add_function_step("a", arithmetic.fail)
    run = pipeline.start_locally(raise_on_failure=False, quiet=True)
    assert run.node("a").executions[0].attempts == 2


def test_abort_on_failure_stops_what_runs_beside(made: Any) -> None:
    functions = made.module(
        "import time\ndef sleep():\n    time.sleep(60)\ndef fail():\n    time.sleep(0.5)\n    raise ValueError('no')\n"
    )
    pipeline = made.pipeline(abort_on_failure=True)
    pipeline.add_function_step("e", functions.sleep)
    pipeline.add_function_step("b", functions.fail)
    run = pipeline.start_locally(raise_on_failure=False, jobs=2, quiet=True)
    assert statuses(pipeline) == {"e": "stopped", "b": "error"}
    assert run.exit_code == 1


def test_a_pipeline_that_takes_too_long_is_an_error(made: Any) -> None:
    functions = made.module("import time\ndef sleep():\n    time.sleep(60)\n")
    pipeline = made.pipeline()
    pipeline.set_pipeline_execution_time_limit(1 / 60)
    pipeline.add_function_step("b", functions.sleep)
    run = pipeline.start_locally(raise_on_failure=False, quiet=True)
    assert (run.status, run.exit_code) == ("error", 1)


def test_retries_that_are_decided_on_the_way_are_refused(made: Any, arithmetic: ModuleType) -> None:
    with pytest.raises(UsageError, match="takes a number of tries"):
        made.pipeline().add_function_step("a", arithmetic.give, retry_on_failure=lambda *told: True)


def test_an_unknown_behaviour_is_refused(made: Any, arithmetic: ModuleType) -> None:
    with pytest.raises(UsageError, match="no `continue_on_error`"):
        made.pipeline().add_function_step("a", arithmetic.give, continue_behaviour={"continue_on_error": True})


def test_nodes_tell_why(made: Any, arithmetic: ModuleType) -> None:
    pipeline = diamondless(made, arithmetic)
    pipeline.start_locally(raise_on_failure=False, quiet=True)
    nodes: dict[str, Node] = pipeline.get_pipeline_dag()
    assert nodes["b"].because == "exit code 1"
    assert "b" in (nodes["c"].because or "")
