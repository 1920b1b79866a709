"""Arguments that do not fit the file: refused before anything starts, with a way out."""

from typing import Any

import pytest

from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.errors import UsageError
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan

TEXT = """
- step:
    name: learn
    image: python:3.11
    command: python learn.py {parameters}
    parameters:
      - {name: lr, type: float, default: 0.1, max: 1}
      - {name: must, type: integer}
      - {name: maybe, optional: true}
      - {name: fast, type: flag}
    inputs:
      - {name: images}
      - {name: extra, optional: true}
- endpoint: {name: predict, image: i, wsgi: 'a:b'}
- pipeline:
    name: p
    parameters:
      - {name: rate, target: train.parameter.lr}
      - {name: needed, target: train.parameter.must}
    nodes:
      - {name: train, type: execution, step: learn}
      - {name: live, type: deployment, deployment: d, endpoints: [predict]}
    edges: []
"""
FILLED: dict[str, Any] = {"pipeline_parameters": {"needed": 3}, "node_inputs": {"train": {"images": ("a.zip",)}}}


def refused(text: str = TEXT, **arguments: Any) -> UsageError:
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, _ = read_config(document)
    graph = build_graph(config, config.pipelines[0])
    with pytest.raises(UsageError) as caught:
        compile_plan(graph, Arguments(**{**FILLED, **arguments}), "valohai.yaml")
    return caught.value


CASES: list[tuple[dict[str, Any], str, str | None]] = [
    ({"pipeline_parameters": {"rat": 1}}, "unknown pipeline parameter `rat`", "did you mean `rate`?"),
    ({"pipeline_parameters": {"trian.lr": 1}}, "unknown pipeline parameter `trian.lr`", "did you mean `train.lr`?"),
    ({"node_parameters": {"trian": {"lr": 1}}}, "unknown node `trian`", "did you mean `train`?"),
    ({"node_parameters": {"train": {"Mus": 1}}}, "node `train` has no parameter `Mus`", "did you mean `train.must`?"),
    ({"node_inputs": {"train": {"image": ("x",)}}}, "node `train` has no input `image`",
     "did you mean `train.images`?"),
    ({"node_inputs": {"train": {"images": ("",)}}}, "`-i train.images` names no file", "`-i train.images=PATH`"),
    ({"node_parameters": {"live": {"lr": 1}}}, "`live` is a deployment: it has no parameters",
     "give them to execution and task nodes"),
    ({"node_parameters": {"train": {"must": "x"}}},
     "`-p train.must` does not fit parameter `must` of node `train`: `x` is not an integer", None),
    ({"pipeline_parameters": {"needed": 1, "rate": "2"}},
     "`-p rate` does not fit parameter `lr` of node `train`: `2.0` is more than the maximum `1`", None),
    ({"node_parameters": {"train": {"fast": "maybe"}}},
     "`-p train.fast` does not fit parameter `fast` of node `train`: `maybe` is neither true nor false", None),
    ({"node_parameters": {"train": {"lr": (0.1, 0.2)}}},
     "`-p train.lr` is a list, and parameter `lr` of node `train` takes one value",
     "a list makes one execution per element in a task node only; else the parameter needs `multiple`"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message", "hint"), CASES, ids=[case[1][:40] for case in CASES])
def test_an_argument_that_does_not_fit_is_refused(arguments: dict[str, Any], message: str, hint: str | None) -> None:
    error = refused(**arguments)
    assert error.message == message
    assert error.hint == hint


def test_all_that_nothing_fills_is_named_at_once_with_the_arguments_that_would() -> None:
    error = refused(pipeline_parameters={}, node_inputs={})
    assert error.message == "nothing fills parameter `must` of node `train`, input `images` of node `train`"
    assert error.hint == "-p needed=VALUE -i train.images=PATH"


def test_arguments_in_hints_can_be_pasted_into_a_shell() -> None:
    error = refused(TEXT.replace("train", "train it"), pipeline_parameters={}, node_inputs={})
    assert error.hint == "-p needed=VALUE -i 'train it.images=PATH'"


def test_an_empty_list_leaves_a_task_without_executions() -> None:
    text = TEXT.replace("type: execution, step: learn", "type: task, step: learn")
    error = refused(text, node_parameters={"train": {"lr": ()}})
    assert error.message == "`-p train.lr` is an empty list, which leaves node `train` without executions"


def test_a_node_of_another_commit_is_refused() -> None:
    error = refused(TEXT.replace("step: learn}", "step: learn, commit: abc123}"))
    assert "node `train` runs commit `abc123`" in error.message
