"""What a step or a pipeline may be given: what counts, what has no effect, and what is refused."""

import json
from types import ModuleType
from typing import Any

import pytest
import yaml

from vhpipe.api import component
from vhpipe.errors import UsageError


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ({"retry_on_fialure": 3}, "unknown option `retry_on_fialure` of step `a`", "did you mean `retry_on_failure`?"),
        ({"task_overrides": {"script.branch": "x"}}, "step `a` cannot have `task_overrides`", "parameter_override"),
        ({"draft": True}, "step `a` cannot have `draft`", "require-approval"),
        ({"time_limit": "3"}, "`time_limit='3'` is not a number", ""),
        ({"monitor_metrics": 3}, "`monitor_metrics` is a `int`", "give a list"),
        ({"configuration_overrides": 3}, "`configuration_overrides` is a `int`", "mapping"),
        ({"configuration_overrides": {"c": {"x": {1, 2}}}}, "configuration `c` has a `set`", "give a text"),
        ({"pre_execute_callback": "f"}, "cannot be called", "give a function"),
        ({"parents": "none"}, "unknown parent `none` of step `a`", ""),
    ],
)
def test_what_a_step_cannot_be_given_is_refused(
    made: Any, arithmetic: ModuleType, option: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        made.pipeline().add_function_step("a", arithmetic.give, **option)
    assert message in refused.value.message
    assert hint in (refused.value.hint or "")


def test_what_has_no_effect_is_said_where_the_program_gives_it(made: Any, arithmetic: ModuleType) -> None:
    with pytest.warns(UserWarning, match="`packages`: steps run in the Python that runs this program") as said:
        made.pipeline().add_function_step("a", arithmetic.give, packages=["numpy"], task_type="training")
    assert "step `a` has options without effect here" in str(said[0].message)
    assert said[0].filename == __file__


def test_options_of_pipelines_and_components_are_looked_at_too(made: Any, arithmetic: ModuleType) -> None:
    with pytest.warns(UserWarning, match="pipeline `p` has options without effect here: `pool_frequency`"):
        made.pipeline(pool_frequency=0.1)
    with pytest.raises(UsageError, match="unknown option `abort_on_fail` of pipeline `p`"):
        made.pipeline(abort_on_fail=True)
    with pytest.raises(UsageError, match="unknown option `cach` of component `give`"):
        component(cach=True)(arithmetic.give)


def test_options_without_a_value_and_what_is_so_anyway_are_passed_over(
    made: Any, arithmetic: ModuleType, recwarn: pytest.WarningsRecorder
) -> None:
    made.pipeline().add_function_step("a", arithmetic.give, packages=None, draft=False, helper_functions=[len])
    assert not recwarn.list


def test_tags_are_those_of_the_node(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, tags=["slow"])
    assert yaml.safe_load(pipeline.to_yaml())[-1]["vhpipe"]["nodes"] == {"a": {"tags": ["slow"]}}


def test_a_pipeline_without_steps_says_so(made: Any) -> None:
    for ask in (made.pipeline().plan, made.pipeline().start_locally):
        with pytest.raises(UsageError, match="pipeline `p` has no steps"):
            ask()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${lod.y}", "`x` of step `b`: there is no step `lod` (did you mean `load`?)"),
        ("${load.yy}", "`x` of step `b`: step `load` returns no `yy` (did you mean `y`?)"),
        ("y is ${load.z}", "`x` of step `b`: step `load` returns no `z`"),
        ({"y": ["${load.yy}"]}, "`x` of step `b`: step `load` returns no `yy`"),
    ],
)
def test_a_reference_to_no_result_names_step_and_return(
    made: Any, arithmetic: ModuleType, value: object, message: str
) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("load", arithmetic.give, {}, "y")
    pipeline.add_function_step("b", arithmetic.show, {"x": value})
    with pytest.raises(UsageError) as refused:
        pipeline.plan()
    assert message in str(refused.value)


# ── what they do in a run ────────────────────────────────────────────────────────────────────────


def test_texts_arrive_in_configuration_as_they_are(made: Any) -> None:
    functions = made.module(
        """
        import os
        from pathlib import Path

        def read():
            return [Path(os.environ["VH_CONFIG_DIR"], f"c.{ending}").read_text() for ending in ("json", "yaml")]
        """
    )
    text = '{"a": 1}  # ${HOME} and ${pipeline.none} in two lines\nü: $${x}\n'
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.read, {}, "y", configuration_overrides={"c": text})
    assert pipeline.start_locally(quiet=True).node("a").result("y") == [text, text]


MEASURING = """
import json, os
from pathlib import Path
from vhpipe.api import PipelineController

def measure(kind):
    if kind == "titles":
        print(json.dumps({"train/acc": 0.9, "test/acc": 0.8}))
    elif kind == "series":
        print(json.dumps({"acc": 0.5}))
    else:
        logger = PipelineController.get_logger()
        logger.report_scalar("train", "acc", value=0.9, iteration=7)
        logger.report_scalar("test", "acc", value=0.8, iteration=7)

def models():
    outputs = Path(os.environ["VH_OUTPUTS_DIR"])
    for time, name in enumerate(("model_9", "model_2", "other", "model_1")):
        (outputs / name).write_text(name)
        os.utime(outputs / name, (time, time))
"""
BOTH = [("train", "acc"), ("test", "acc")]


@pytest.mark.parametrize(
    ("kind", "metrics", "monitored"),
    [
        ("titles", BOTH, {"train/acc": 0.9, "test/acc": 0.8}),
        ("logger", BOTH, {"train/acc": 0.9, "test/acc": 0.8}),
        ("series", [("train", "acc")], {"train/acc": 0.5}),
        ("series", BOTH, {}),
        ("logger", [(("train", "acc"), ("T", "S"))], {"train/acc": 0.9, "test/acc": 0.8, "T/S": 0.9}),
    ],
)
def test_each_monitored_metric_is_the_one_with_its_title(
    made: Any, kind: str, metrics: list[Any], monitored: dict[str, float]
) -> None:
    functions = made.module(MEASURING)
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.measure, {"kind": kind}, monitor_metrics=metrics)
    assert pipeline.start_locally(quiet=True).metrics == monitored
    warnings = made.vhpipe("show", "1").stdout.count("its `monitor` of metrics selected nothing")
    assert warnings == (0 if monitored else 2)


def test_models_with_a_star_are_the_latest_by_name_and_a_star_alone_is_the_last_made(made: Any) -> None:
    functions = made.module(MEASURING)
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.models, monitor_models=["model_*"])
    pipeline.add_function_step("b", functions.models, monitor_models=[("*", "last")], parents=["a"])
    pipeline.add_function_step("c", functions.models, monitor_models=["none_*"], parents=["b"])
    run = pipeline.start_locally(quiet=True)
    assert {name: path.read_text() for name, path in run.models.items()} == {"model_9": "model_9", "last": "model_1"}
    assert "its `monitor` of models selected nothing: `none_*`" in made.vhpipe("show", "1").stdout


def test_artifacts_keep_their_name_and_files_stay_files(made: Any) -> None:
    functions = made.module(
        """
        from pathlib import Path
        from vhpipe.api import PipelineController

        def publish():
            Path("m.bin").write_bytes(b"bytes")
            Path("folder").mkdir()
            Path("folder/a.txt").write_text("a")
            for name, value in {"f": "m.bin", "p": Path("m.bin"), "d": "folder", "v.json": {"a": 1}, "t": "a text",
                                "missing": "none.bin"}.items():
                PipelineController.upload_artifact(name, value)
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.publish)
    run = pipeline.start_locally(quiet=True)
    assert {name: path.read_bytes() for name, path in run.artifacts.items()} == {
        "f": b"bytes", "p": b"bytes", "d/a.txt": b"a", "v.json": b'{"a": 1}', "t": b"a text", "missing": b"none.bin"
    }  # fmt: skip
    assert "artifact `missing` is the text `none.bin`: there is no such file" in run.node("a").executions[0].log


def test_a_point_keeps_its_iteration_and_program_and_command_agree_on_the_last(made: Any) -> None:
    functions = made.module(MEASURING)
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.measure, {"kind": "logger"})
    run = pipeline.start_locally(quiet=True)
    assert [point["_iteration"] for point in run.points] == [7, 7]
    assert run.metrics == json.loads(made.vhpipe("metadata", "1", "--json").stdout)["metrics"]


def test_metrics_of_an_attempt_that_failed_are_no_metrics_of_the_next(made: Any, side: Any) -> None:
    functions = made.module(
        f"""
        from pathlib import Path

        def measure():
            tries = Path({str(side("tries"))!r})
            if not tries.exists():
                tries.touch()
                print('{{"loss": 9}}', flush=True)
                raise ValueError("not yet")
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.measure, retry_on_failure=1)
    run = pipeline.start_locally(quiet=True)
    assert run.node("a").metadata == run.node("a").executions[0].metadata == {}
    assert "loss" not in made.vhpipe("metadata", "1", "a").stdout


MAKER = """
- step:
    name: make
    image: none
    command: python3 -c "import os, pathlib; pathlib.Path(os.environ['VH_OUTPUTS_DIR'], '{name}').write_text('data')"
- step:
    name: read
    image: none
    command: "cd $VH_INPUTS_DIR; ls -d data/* | sort; cat data/*"
    inputs:
      - {{name: data, optional: {optional}}}
"""


@pytest.mark.parametrize("optional", ["true", "false"])
@pytest.mark.parametrize(("name", "artifact"), [("set.json", "set"), ("set.json", "set.json"), ("set", "set")])
def test_an_artifact_of_a_step_is_the_file_with_or_without_its_ending(
    made: Any, name: str, artifact: str, optional: str
) -> None:
    (made.folder / "valohai.yaml").write_text(MAKER.format(name=name, optional=optional))
    pipeline = made.pipeline()
    pipeline.add_step("make", base_task_name="make")
    pipeline.add_step("read", base_task_name="read", parameter_override={"data": f"${{make.artifacts.{artifact}.url}}"})
    assert pipeline.get_pipeline_dag()["read"].parents == ("make",)
    run = pipeline.start_locally(quiet=True)
    assert run.node("read").executions[0].log == f"data/{name}\ndata"


def test_an_artifact_that_is_not_there_is_said_of_optional_inputs_too(made: Any) -> None:
    (made.folder / "valohai.yaml").write_text(MAKER.format(name="set.json", optional="true"))
    pipeline = made.pipeline()
    pipeline.add_step("make", base_task_name="make")
    pipeline.add_step("read", base_task_name="read", parameter_override={"data": "${make.artifacts.sat.url}"})
    pipeline.start_locally(quiet=True, raise_on_failure=False)
    assert "`${make.artifacts.sat.url}` has no value" in made.vhpipe("show", "1").stdout


def test_files_and_results_come_into_one_input_together(made: Any, arithmetic: ModuleType) -> None:
    (made.folder / "valohai.yaml").write_text(MAKER.format(name="set.json", optional="true"))
    (made.folder / "mine.txt").write_text("mine")
    pipeline = made.pipeline()
    pipeline.add_function_step("give", arithmetic.give, {}, "y")
    pipeline.add_step("make", base_task_name="make")
    values = ["mine.txt", "${give.y}", "${make.artifacts.set.url}"]
    pipeline.add_step("read", base_task_name="read", parameter_override={"data": values})
    log = pipeline.start_locally(quiet=True).node("read").executions[0].log
    assert log.splitlines()[:3] == ["data/mine.txt", "data/set.json", "data/y.json"]
