"""The example's file: what the official linter says of it, and that it is the pipeline it promises to be."""

from math import prod
from pathlib import Path

import pytest

yaml = pytest.importorskip("valohai_yaml")
EXAMPLE = Path(__file__).parents[2] / "examples" / "valohai.yaml"


def test_the_official_linter_finds_nothing():
    result = yaml.lint.lint_file(str(EXAMPLE))
    assert list(result.messages) == []


def test_the_sweep_has_at_least_six_executions_over_two_parameters():
    [task] = yaml.parse(EXAMPLE.read_text()).tasks.values()
    assert len(task.parameters) == 2
    assert prod(len(parameter.rules["items"]) for parameter in task.parameters) >= 6


def test_the_four_edges_of_images_and_labels_are_there():
    [pipeline] = yaml.parse(EXAMPLE.read_text()).pipelines.values()
    edges = {(edge.source_key, edge.target_key) for edge in pipeline.edges if edge.target_node == "train"}
    assert edges == {
        ("*train-images*", "training-set-images"),
        ("*train-labels*", "training-set-labels"),
        ("*test-images*", "test-set-images"),
        ("*test-labels*", "test-set-labels"),
    }
