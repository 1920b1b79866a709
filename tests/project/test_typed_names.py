"""Which pipeline, step or task a typed name means."""

import pytest

from vhpipe.config.model import Config, ExecutionNode, Pipeline, Step, Task
from vhpipe.errors import UsageError
from vhpipe.project.typed_names import match_name, pick_pipeline

PIPELINE = Pipeline("p", (ExecutionNode("train", "s"), ExecutionNode("train.fast", "s"), ExecutionNode("eval", "s")))


def test_names_match_by_case_and_by_beginning() -> None:
    names = ["Train", "train model", "Evaluate"]
    assert match_name("train model", names, "pipeline") == "train model"
    assert match_name("TRAIN", names, "pipeline") == "Train"
    assert match_name("eval", names, "pipeline") == "Evaluate"
    assert match_name("train m", names, "pipeline") == "train model"


def test_a_beginning_of_several_names_is_refused_with_their_list() -> None:
    with pytest.raises(UsageError, match="`tr` fits several pipelines") as caught:
        match_name("tr", ["train a", "train b", "x"], "pipeline")
    assert caught.value.hint == "one of `train a`, `train b`"


def test_an_unknown_name_is_told_with_the_nearest_or_all() -> None:
    with pytest.raises(UsageError) as caught:
        match_name("evla", ["eval", "train"], "pipeline")
    assert caught.value.hint == "did you mean `eval`?"
    with pytest.raises(UsageError) as caught:
        match_name("xyz", ["eval", "train"], "pipeline")
    assert caught.value.hint == "known: `eval`, `train`"


def test_without_a_name_the_only_pipeline_is_meant() -> None:
    assert pick_pipeline(Config(pipelines=(PIPELINE,)), None) is PIPELINE
    with pytest.raises(UsageError, match="several pipelines") as caught:
        pick_pipeline(Config(pipelines=(Pipeline("a"), Pipeline("b"))), None)
    assert caught.value.hint == "name one of `a`, `b`"
    with pytest.raises(UsageError, match="no pipeline"):
        pick_pipeline(Config(), None)


def test_a_file_without_pipelines_offers_its_steps_and_tasks() -> None:
    steps = (Step("train", "i", ("c",)), Step("show data", "i", ("c",)))
    with pytest.raises(UsageError) as caught:
        pick_pipeline(Config(steps=steps), None)
    assert caught.value.hint == "name a step by `--step`: `train`, `show data`"
    with pytest.raises(UsageError) as caught:
        pick_pipeline(Config(steps=steps[:1], tasks=(Task("grid", "train"),)), None)
    assert caught.value.hint == "name a step by `--step`: `train`; or a task by `--task`: `grid`"


def test_of_pipelines_with_equal_names_the_last_is_meant() -> None:
    assert pick_pipeline(Config(pipelines=(Pipeline("p"), PIPELINE)), "p") is PIPELINE


def test_a_file_with_nothing_to_run_says_so() -> None:
    with pytest.raises(UsageError, match="no pipeline, no step and no task") as caught:
        pick_pipeline(Config(), None)
    assert caught.value.hint == "`vhpipe validate` says why"
