"""Files of parameters: what they say, and how weak they are."""

from pathlib import Path

import pytest

from vhpipe.config.model import ExecutionNode, Pipeline
from vhpipe.errors import UsageError
from vhpipe.plan.typed_text import TypedText
from vhpipe.project.parameter_files import read_parameter_files
from vhpipe.project.typed_arguments import typed_arguments

PIPELINE = Pipeline("p", (ExecutionNode("train", "s"), ExecutionNode("eval", "s")))


def test_a_file_of_parameters_is_weaker_than_the_command_line(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("lr: 0.1\nrate: 1\nnone: null\ntrain: {deep: [1.50, x]}\ntrain.wide: yes\n")
    second.write_text("rate: 2\n")
    of_files = dict(read_parameter_files([str(first), str(second)]))
    values = {name: each.value for name, each in of_files.items()}
    texts = {name: each.texts for name, each in of_files.items()}
    given = typed_arguments(PIPELINE, ["lr=5"], parameter_values=values, parameter_texts=texts)
    assert given.pipeline_parameters == {"lr": TypedText("5"), "rate": TypedText("2", 2), "none": None}
    assert given.node_parameters == {
        "train": {"deep": (TypedText("1.50", 1.5), TypedText("x", "x", True)), "wide": TypedText("yes", True)}
    }


@pytest.mark.parametrize("text", ["- a", "a: {b: {c: 1}}", "a: [[1]]", "a: 1\na: 2", "{"])
def test_a_file_of_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(UsageError):
        dict(read_parameter_files([str(file)]))


def test_a_missing_file_of_parameters_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        dict(read_parameter_files([str(tmp_path / "nowhere.yaml")]))
