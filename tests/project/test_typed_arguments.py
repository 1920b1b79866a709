"""What typed texts say of parameters and inputs."""

import pytest

from vhpipe.config.model import ExecutionNode, Pipeline
from vhpipe.errors import UsageError
from vhpipe.plan.typed_text import TypedText
from vhpipe.project.typed_arguments import typed_arguments

PIPELINE = Pipeline("p", (ExecutionNode("train", "s"), ExecutionNode("train.fast", "s"), ExecutionNode("eval", "s")))
ALONE = Pipeline("p", (ExecutionNode("train", "s"),))


def test_a_parameter_belongs_to_the_node_before_its_dot() -> None:
    given = typed_arguments(PIPELINE, ["lr=1", "train.lr=2", "train.opt.beta=3", "lr.decay=4", "eval.x=[a, b]"])
    assert given.pipeline_parameters == {"lr": TypedText("1"), "lr.decay": TypedText("4")}
    assert given.node_parameters == {
        "train": {"lr": TypedText("2"), "opt.beta": TypedText("3")},
        "eval": {"x": (TypedText("a", "a", True), TypedText("b", "b", True))},
    }


def test_of_equal_parameters_the_last_wins_and_values_may_hold_anything() -> None:
    given = typed_arguments(PIPELINE, ["lr=1", "lr=a=b.c", "empty="])
    assert given.pipeline_parameters == {"lr": TypedText("a=b.c"), "empty": TypedText("")}


@pytest.mark.parametrize(("wrong", "fault"), [("lr", "has no value"), ("=1", "has no name"), ("", "has no name")])
def test_a_parameter_without_a_name_or_a_value_is_refused(wrong: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        typed_arguments(PIPELINE, [wrong])


def test_inputs_collect_their_files_in_order() -> None:
    given = typed_arguments(PIPELINE, (), ["train.images=b", "train.images=a=1", "eval.x=c"])
    assert given.node_inputs == {"train": {"images": ("b", "a=1")}, "eval": {"x": ("c",)}}


def test_the_node_of_an_input_may_be_left_out_where_there_is_one() -> None:
    assert typed_arguments(ALONE, (), ["images=a"]).node_inputs == {"train": {"images": ("a",)}}
    with pytest.raises(UsageError, match="not an input of a node"):
        typed_arguments(PIPELINE, (), ["images=a"])


def test_an_unknown_node_of_an_input_is_left_to_the_plan_to_refuse() -> None:
    assert typed_arguments(PIPELINE, (), ["trian.x=a"]).node_inputs == {"trian": {"x": ("a",)}}


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(UsageError, match=r"`lr=\\xff` is not UTF-8"):
        typed_arguments(PIPELINE, ["lr=\udcff"])
    with pytest.raises(UsageError, match="is not UTF-8"):
        typed_arguments(PIPELINE, (), ["train.images=\udcff.zip"])


def test_an_assignment_that_fits_no_input_is_refused_without_the_secrets_of_its_uri() -> None:
    with pytest.raises(UsageError, match="not an input of a node") as caught:
        typed_arguments(PIPELINE, (), ["images=http://me:hunter2@h/x?token=hunter2"])
    assert "hunter2" not in str(caught.value)
