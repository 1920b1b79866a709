"""The two pipelines of Valohai's page on tasks in pipelines, with small steps written beside them, as whole runs."""

from pathlib import Path
from typing import Any

import pytest

STEPS_1 = """
- step:
    name: Preprocess dataset (MNIST)
    image: python:3.11
    command:
      - for set in train test; do echo $set > $VH_OUTPUTS_DIR/mnist-$set-images.gz; done
      - for set in train test; do echo $set > $VH_OUTPUTS_DIR/mnist-$set-labels.gz; done
- step:
    name: Train model (MNIST)
    image: python:3.11
    command: cat $VH_INPUTS_DIR/*/* > $VH_OUTPUTS_DIR/model-{parameter-value:learning_rate}.pkl
    parameters:
      - {name: learning_rate, type: float, default: 0.1}
    inputs:
      - {name: training-set-images, default: "https://example.invalid/train-images.gz"}
      - {name: training-set-labels, default: "https://example.invalid/train-labels.gz"}
      - {name: test-set-images, default: "https://example.invalid/test-images.gz"}
      - {name: test-set-labels, default: "https://example.invalid/test-labels.gz"}
- step:
    name: Batch inference (MNIST)
    image: python:3.11
    command: ls $VH_INPUTS_DIR/model > $VH_OUTPUTS_DIR/models.txt
    inputs:
      - name: model
"""

PIPELINE_1 = """
- pipeline:
    name: Training Pipeline
    nodes:
      - name: preprocess
        type: execution
        step: Preprocess dataset (MNIST)
      - name: train
        type: task
        step: Train model (MNIST)
        on-error: stop-all
        override:
          inputs:
            - name: training-set-images
            - name: training-set-labels
            - name: test-set-images
            - name: test-set-labels
      - name: evaluate
        type: execution
        step: Batch inference (MNIST)
    edges:
      - [preprocess.output.*train-images*, train.input.training-set-images]
      - [preprocess.output.*train-labels*, train.input.training-set-labels]
      - [preprocess.output.*test-images*, train.input.test-set-images]
      - [preprocess.output.*test-labels*, train.input.test-set-labels]
      - [train.output.model*, evaluate.input.model]
"""

STEPS_2 = """
- step:
    name: preprocess-dataset
    image: python:3.11
    command: echo data > $VH_OUTPUTS_DIR/preprocessed_mnist.npz
- step:
    name: train-model
    image: python:3.11
    command:
      - test {parameter-value:variant} != bad
      - cat $VH_INPUTS_DIR/dataset/preprocessed_mnist.npz > $VH_OUTPUTS_DIR/model-{parameter-value:variant}.pkl
    parameters:
      - {name: variant, default: ok}
    inputs:
      - {name: dataset, default: "https://example.invalid/mnist.npz"}
- step:
    name: batch-inference
    image: python:3.11
    command: ls $VH_INPUTS_DIR/model > $VH_OUTPUTS_DIR/models.txt
    inputs:
      - name: model
"""

PIPELINE_2 = """
- pipeline:
    name: Training Pipeline
    nodes:
      - name: preprocess
        type: execution
        step: preprocess-dataset
      - name: train
        type: task
        on-error: stop-next
        step: train-model
        override:
          inputs:
            - name: dataset
      - name: evaluate
        type: execution
        step: batch-inference
      - name: train2
        type: task
        on-error: continue
        step: train-model
        override:
          inputs:
            - name: dataset
      - name: evaluate2
        type: execution
        step: batch-inference
    edges:
      - [preprocess.output.preprocessed_mnist.npz, train.input.dataset]
      - [preprocess.output.preprocessed_mnist.npz, train2.input.dataset]
      - [train.output.model*, evaluate.input.model]
      - [train2.output.model*, evaluate2.input.model]
"""


def test_all_outputs_of_the_task_node_are_passed_to_the_next_node(project: Any) -> None:
    done = project.run(STEPS_1 + PIPELINE_1, "-p", "train.learning_rate=[0.1,0.2,0.3]")
    assert done.code == 0, done.err
    assert done.statuses() == {"preprocess": "complete", "train": "complete", "evaluate": "complete"}
    assert [each["parameters"] for each in done.node("train")["executions"]] == [
        {"learning_rate": 0.1},
        {"learning_rate": 0.2},
        {"learning_rate": 0.3},
    ]
    models = project.output(1, "evaluate", "models.txt").read_text().split()
    assert models == ["model-0.1.pkl", "model-0.2.pkl", "model-0.3.pkl"]
    trained = project.output(1, "train", "model-0.2.pkl", index=1).read_text().split()
    assert trained == ["test", "test", "train", "train"]


def test_stop_next_stops_its_path_and_continue_goes_on_with_what_survived(project: Any) -> None:
    variants = ("-p", "train.variant=[ok,bad]", "-p", "train2.variant=[ok,bad]")
    done = project.run(STEPS_2 + PIPELINE_2, *variants)
    assert (done.code, done.json["status"]) == (1, "error")
    assert done.statuses() == {
        "preprocess": "complete",
        "train": "error",
        "evaluate": "skipped",
        "train2": "complete",
        "evaluate2": "complete",
    }
    assert [each["status"] for each in done.node("train")["executions"]] == ["complete", "error"]
    assert [each["status"] for each in done.node("train2")["executions"]] == ["complete", "error"]
    assert project.output(1, "evaluate2", "models.txt").read_text().split() == ["model-ok.pkl"]


@pytest.mark.skipif(
    not (Path(__file__).parents[3] / "shared/reference/seeds").is_dir(), reason="the page itself is not here"
)
def test_the_pipelines_stand_here_as_on_the_page() -> None:
    """The page has lost its indentation; with indentation taken from ours too, every line is the same."""
    page = (Path(__file__).parents[3] / "shared/reference/seeds/valohai-tasks-in-pipelines.txt").read_text()
    lines = [line.strip() for line in page.splitlines()]
    for ours in (PIPELINE_1, PIPELINE_2):
        wanted = [line.strip() for line in ours.strip().splitlines()]
        starts = [index for index, line in enumerate(lines) if line == wanted[0]]
        assert any(lines[start : start + len(wanted)] == wanted for start in starts)
