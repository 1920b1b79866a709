"""What a command line means: files, names, parameters and inputs."""

from pathlib import Path

import pytest

from vhpipe.cli.options.arguments import chosen_file, given_arguments, match_name, pick_pipeline
from vhpipe.config.model import Config, ExecutionNode, Pipeline
from vhpipe.errors import UsageError

PIPELINE = Pipeline("p", (ExecutionNode("train", "s"), ExecutionNode("train.fast", "s"), ExecutionNode("eval", "s")))
ALONE = Pipeline("p", (ExecutionNode("train", "s"),))


def test_one_word_is_a_file_by_its_looks_or_its_presence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("")
    assert chosen_file([]) == ("valohai.yaml", None)
    assert chosen_file(["-"]) == ("-", None)
    assert chosen_file(["x.yml"]) == ("x.yml", None)
    assert chosen_file(["plain"]) == ("plain", None)
    assert chosen_file(["train"]) == ("valohai.yaml", "train")
    assert chosen_file(["x", "y"]) == ("x", "y")
    with pytest.raises(UsageError, match="unexpected argument `z`"):
        chosen_file(["x", "y", "z"])


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


def test_of_pipelines_with_equal_names_the_last_is_meant() -> None:
    assert pick_pipeline(Config(pipelines=(Pipeline("p"), PIPELINE)), "p") is PIPELINE


def test_a_parameter_belongs_to_the_node_before_its_dot() -> None:
    given = given_arguments(PIPELINE, ["lr=1", "train.lr=2", "train.opt.beta=3", "lr.decay=4", "eval.x=[a, b]"])
    assert given.pipeline_parameters == {"lr": "1", "lr.decay": "4"}
    assert given.node_parameters == {"train": {"lr": "2", "opt.beta": "3"}, "eval": {"x": ("a", "b")}}


def test_of_equal_parameters_the_last_wins_and_values_may_hold_anything() -> None:
    given = given_arguments(PIPELINE, ["lr=1", "lr=a=b.c", "empty="])
    assert given.pipeline_parameters == {"lr": "a=b.c", "empty": ""}


@pytest.mark.parametrize("wrong", ["lr", "=1", ""])
def test_a_parameter_without_a_value_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="gives no value"):
        given_arguments(PIPELINE, [wrong])


def test_inputs_collect_their_files_in_order() -> None:
    given = given_arguments(PIPELINE, (), ["train.images=b", "train.images=a=1", "eval.x=c"])
    assert given.node_inputs == {"train": {"images": ("b", "a=1")}, "eval": {"x": ("c",)}}


def test_the_node_of_an_input_may_be_left_out_where_there_is_one() -> None:
    assert given_arguments(ALONE, (), ["images=a"]).node_inputs == {"train": {"images": ("a",)}}
    with pytest.raises(UsageError, match="not an input of a node"):
        given_arguments(PIPELINE, (), ["images=a"])


def test_an_unknown_node_of_an_input_is_left_to_the_plan_to_refuse() -> None:
    assert given_arguments(PIPELINE, (), ["trian.x=a"]).node_inputs == {"trian": {"x": ("a",)}}


def test_a_file_of_parameters_is_weaker_than_the_command_line(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("lr: 0.1\nrate: 1\ntrain: {deep: [1, x]}\ntrain.wide: yes\n")
    second.write_text("rate: 2\n")
    given = given_arguments(PIPELINE, ["lr=5"], (), [str(first), str(second)])
    assert given.pipeline_parameters == {"lr": "5", "rate": 2}
    assert given.node_parameters == {"train": {"deep": (1, "x"), "wide": True}}


@pytest.mark.parametrize("text", ["- a", "a: null", "a: {b: {c: 1}}", "a: [[1]]", "a: 1\na: 2", "{"])
def test_a_file_of_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(UsageError):
        given_arguments(PIPELINE, (), (), [str(file)])


def test_a_missing_file_of_parameters_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        given_arguments(PIPELINE, (), (), [str(tmp_path / "nowhere.yaml")])


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(UsageError, match=r"`lr=\\xff` is not UTF-8"):
        given_arguments(PIPELINE, ["lr=\udcff"])
    with pytest.raises(UsageError, match="is not UTF-8"):
        given_arguments(PIPELINE, (), ["train.images=\udcff.zip"])
