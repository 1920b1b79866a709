"""What scripts meet while a step loads them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from vhpipe.api import Pipeline, Run
from vhpipe.errors import UsageError


def runs(folder: Path) -> int:
    return len(list((folder / ".vhpipe" / "runs").glob("[0-9]*")))


def test_a_script_without_a_guard_starts_once(made: Any) -> None:
    made.program(
        """
        from vhpipe.api import Pipeline

        def give(x: int = 3):
            return x

        pipeline = Pipeline("p", "demo", "1.0")
        pipeline.add_parameter("x", 4)
        pipeline.set_default_execution_queue("cpu")
        pipeline.connect_configuration({"a": 1})
        pipeline.add_function_step("give", give, {"x": "${pipeline.x}"}, "y")
        try:
            pipeline.start_locally()
        except Exception:
            raise SystemExit(9)
        assert pipeline.is_successful()
        assert pipeline.run.node("give").result("y") == 4
        """
    )
    assert runs(made.folder) == 1


def test_running_a_file_inside_of_a_step_is_not_done_either(made: Any) -> None:
    made.program(
        """
        import vhpipe.api as vh

        def give():
            return 1

        pipeline = vh.Pipeline("p")
        pipeline.add_function_step("give", give, {}, "y")
        pipeline.start()
        pipeline.wait()
        print("once")
        assert vh.Run is not None
        """
    )
    assert runs(made.folder) == 1


def test_a_function_that_comes_after_the_start_is_told(made: Any) -> None:
    (made.folder / "other.py").write_text("def give():\n    return 1\n")
    done = made.program(
        """
        from vhpipe.api import Pipeline

        def give():
            return 1

        pipeline = Pipeline("p")
        pipeline.add_function_step("give", give, {}, "y")
        del give
        pipeline.start_locally()
        """,
        code=1,
    )
    assert "has no function `give`, or none before the pipeline is started in it" in done.stderr


def test_a_module_that_starts_a_pipeline_when_imported_has_its_functions(made: Any) -> None:
    (made.folder / "steps.py").write_text(
        "from vhpipe.api import Pipeline\n\ndef give():\n    return 1\n\n"
        "pipeline = Pipeline('p')\npipeline.add_function_step('give', give, {}, 'y')\nrun = pipeline.start_locally()\n"
    )
    made.program("import steps\nassert steps.run.node('give').result('y') == 1\n")


def test_what_a_script_guards_does_not_run_in_steps(made: Any, side: Any) -> None:
    made.program(
        f"""
        from pathlib import Path
        from vhpipe.api import Pipeline

        def give():
            return __name__

        if __name__ == "__main__":
            with open({str(side("guarded"))!r}, "a") as file:
                file.write("x")
            pipeline = Pipeline("p")
            pipeline.add_function_step("give", give, {{}}, "y")
            assert pipeline.start_locally().node("give").result("y") == "program"
        """
    )
    assert side("guarded").read_text() == "x"


def test_tracebacks_begin_in_the_code_of_the_user(made: Any) -> None:
    functions = made.module("def fail():\n    raise ValueError('as asked')\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.fail)
    log = pipeline.start_locally(quiet=True, raise_on_failure=False).node("a").executions[0].log
    assert log.splitlines()[0] == "Traceback (most recent call last):"
    assert "function_step" not in log
    assert log.endswith("ValueError: as asked\n")


def test_a_module_that_is_missing_is_said_with_the_python_that_lacks_it(made: Any) -> None:
    functions = made.module("def fail():\n    import no_such_module_of_ours\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.fail)
    run = pipeline.start_locally(quiet=True, raise_on_failure=False)
    python = Path(sys.executable).with_name("python")
    expected = f"exit code 1: {python} has no module `no_such_module_of_ours`; `--python` chooses another Python"
    assert run.node("a").because == expected


def test_a_function_may_choose_its_exit_code(made: Any) -> None:
    functions = made.module("import sys\n\ndef leave():\n    sys.exit(7)\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.leave)
    with pytest.raises(Exception, match="exit code 7"):
        pipeline.start_locally(quiet=True)


def test_publishing_is_for_steps(made: Any) -> None:
    pipeline = made.pipeline()
    with pytest.raises(UsageError, match="`upload_artifact` can be called only by the function of a step"):
        pipeline.upload_artifact("a", 1)
    with pytest.raises(UsageError, match="`upload_model` can be called only by the function of a step"):
        pipeline.upload_model("a", "model")


def test_steps_publish_values_models_and_metrics_to_their_run(made: Any) -> None:
    made.program(
        """
        from pathlib import Path
        from vhpipe.api import PipelineController

        def train():
            PipelineController.upload_artifact("table", {"a": 1}, metadata={"kind": "demo"})
            Path("weights").write_text("w")
            PipelineController.upload_model("model.bin", "weights")
            for loss in (3.0, 1.0):
                PipelineController.get_logger().report_scalar("train", "loss", value=loss, iteration=1)

        if __name__ == "__main__":
            pipeline = PipelineController("p")
            pipeline.add_function_step("train", train)
            pipeline.start_locally()
        """
    )
    run = Run.open(made.folder)
    assert json.loads(run.artifacts["table"].read_bytes()) == {"a": 1}
    assert run.models["model.bin"].read_text() == "w"
    assert run.metrics == {"train/loss": 1.0}
    assert [point["train/loss"] for point in run.points] == [3.0, 1.0]


def test_steps_import_little(made: Any) -> None:
    """The engine is no business of a step, even where its script imports the Python door."""
    made.program(
        """
        from vhpipe.api import Pipeline, component

        @component
        def loaded():
            import sys
            return sorted(sys.modules)

        if __name__ == "__main__":
            pipeline = Pipeline("p")
            pipeline.add_function_step("loaded", loaded, {}, "names")
            names = pipeline.start_locally().node("loaded").result("names")
            heavy = {"msgspec", "typing", "inspect", "dataclasses", "pathlib", "pickle", "subprocess", "ruamel.yaml"}
            assert not heavy & set(names), heavy & set(names)
        """
    )


def test_the_pipeline_is_the_real_one_outside_of_steps() -> None:
    assert Pipeline.__module__ == "vhpipe.api.controller"
