"""Pipelines written as functions that call functions."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from vhpipe.api import NotYetKnownError, Pipeline, PipelineFailed, Result

COMPONENTS = """
from vhpipe.api import component, pipeline

@component
def load(rows: int):
    return list(range(rows))

@component(return_values=["total", "count"], cache=True)
def measure(values, scale: float = 1.0):
    return sum(values) * scale, len(values)

@component(return_values="best", name="choice")
def choose(candidates, names=None):
    return max(candidates)

@component(return_values=[])
def nothing(text="a"):
    print("nothing to return", text)

@component
def fail(of):
    raise ValueError("as asked")

@pipeline(name="measured", project="demo", version="1.0", default_queue="cpu")
def whole(rows: int = 4, scale: float = 2.0, tries: int = 2):
    values = load(rows)
    totals = []
    for _ in range(tries):
        total, count = measure(values, scale=scale)
        totals.append(total)
    best = choose(totals, names={"first": totals[0]})
    nothing()
    return {"best": best, "count": count, "rows": rows}

@pipeline
def failing():
    return choose([fail(1)])

seen = []

@pipeline
def looking():
    seen.append(load(3))

@pipeline
def deciding():
    if load(3) == [0, 1, 2]:
        nothing()
"""


@pytest.fixture
def written(made: Any) -> Any:
    return made.module(COMPONENTS)


def test_a_call_runs_the_pipeline_and_gives_the_values_back(written: Any, capsys: Any) -> None:
    assert written.whole(rows=5) == {"best": 20.0, "count": 5, "rows": 5}
    run = written.whole.last_run
    assert list(run.nodes) == ["load", "measure", "measure_1", "choice", "nothing"]
    assert run.status == "complete"


def test_the_pipeline_can_be_looked_at_before(written: Any, made: Any) -> None:
    pipeline: Pipeline = written.whole.build(tries=3)
    assert (pipeline.name, pipeline.project, pipeline.version) == ("measured", "demo", "1.0")
    assert pipeline.folder == made.folder
    assert pipeline.get_parameters() == {"rows": 4, "scale": 2.0, "tries": 3}
    parents = {name: node.parents for name, node in pipeline.get_pipeline_dag().items()}
    assert parents["measure_2"] == ("load",)
    assert parents["choice"] == ("measure", "measure_1", "measure_2")


def test_arguments_that_are_handed_on_stay_parameters(written: Any, made: Any) -> None:
    (made.folder / "valohai.yaml").write_text(written.whole.build().to_yaml())
    made.vhpipe("run", "--python", sys.executable, "-p", "rows=3", "-q")
    shown = made.vhpipe("show", "1", "--json").stdout
    assert '"count": 3' in shown


def test_outside_of_pipelines_components_are_functions(written: Any) -> None:
    assert written.load(3) == [0, 1, 2]
    assert written.measure([1, 2], scale=2.0) == (6.0, 2)


def test_a_failed_component_fails_the_call(written: Any, capsys: Any) -> None:
    with pytest.raises(PipelineFailed, match="`fail` failed"):
        written.failing()


def test_a_body_cannot_decide_by_what_is_not_known_yet(written: Any) -> None:
    with pytest.raises(NotYetKnownError, match="known only when the pipeline runs"):
        written.deciding()


def test_results_are_results(written: Any) -> None:
    written.looking.build()
    assert written.seen == [Result("load", "return_object")]


def test_debugging_calls_the_functions_here(made: Any) -> None:
    made.program(
        COMPONENTS
        + """
from vhpipe.api import PipelineDecorator
PipelineDecorator.debug_pipeline()
assert whole(rows=5) == {"best": 20.0, "count": 5, "rows": 5}
assert deciding() is None
"""
    )
    assert not Path(made.folder, ".vhpipe").exists()


def test_a_script_without_a_guard_does_not_start_itself_again(made: Any) -> None:
    made.program(COMPONENTS + "\nresult = whole(rows=6)\nassert result['best'] == 30.0, result\nprint('once')\n")
    assert len(list(Path(made.folder, ".vhpipe", "runs").glob("[0-9]*"))) == 1


BUILT = """
from vhpipe.api import component, pipeline

@component
def show(x=None, y=None):
    return [x, y]

@pipeline
def built(rate: float = 0.5, names: list = ["a"], options: dict = {"k": 1}, word: str = "w", loud: bool = False, n=3):
    show(rate * 2, names)
    show(options, word)
    show(loud)
    show([n for _ in range(n)])
"""
FIXED = "what the program made of it was fixed when the file was written"


def test_what_was_computed_with_a_parameter_is_said_to_be_fixed(made: Any) -> None:
    built = made.module(BUILT).built.build()
    assert len(built.get_pipeline_dag()) == 4
    text = built.to_yaml()
    (pipeline,) = (item["pipeline"] for item in yaml.safe_load(text) if "pipeline" in item)
    described = {each["name"]: (each.get("targets"), each.get("description")) for each in pipeline["parameters"]}
    assert described == {
        "rate": (None, FIXED),
        "names": (["show.parameter.y"], None),
        "options": (["show_1.parameter.x"], None),
        "word": (["show_1.parameter.y"], None),
        "loud": (None, FIXED),
        "n": (None, FIXED),
    }


def test_a_value_for_what_is_fixed_is_taken_with_a_word(made: Any) -> None:
    (made.folder / "valohai.yaml").write_text(made.module(BUILT).built.build().to_yaml())
    done = made.vhpipe("run", "-n", "-p", "rate=10", "-p", "word=v")
    assert f"pipeline parameter `rate`: {FIXED}" in done.stderr
    assert "`word`" not in done.stderr
