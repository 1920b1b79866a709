"""What a node's override makes of its step, also beside the converter of valohai-yaml."""

from typing import Any

import pytest

from vhpipe.config.model import (
    EnvironmentVariable,
    Input,
    KeepDirectories,
    Multiple,
    Override,
    Parameter,
    ParameterType,
    Step,
)
from vhpipe.graph.override import effective_step

STEP = Step(
    name="train",
    image="python:3.11",
    command=("python train.py {parameters}",),
    parameters=(
        Parameter("lr", ParameterType.FLOAT, default=0.1, minimum=0, pass_as="--rate={v}"),
        Parameter("tags", default=("a", "b"), multiple=Multiple.REPEAT),
    ),
    inputs=(Input("images", default=("data/*.png",), keep_directories=KeepDirectories.FULL),),
    environment_variables=(EnvironmentVariable("MODE", "slow"),),
)


def test_without_an_override_the_step_is_the_same() -> None:
    assert effective_step(STEP, None) is STEP


def test_what_an_item_does_not_write_stays_but_for_its_default() -> None:
    item = Parameter("lr", written=frozenset({"name"}))
    parameter = effective_step(STEP, Override(parameters=(item,))).parameter("lr")
    assert parameter is not None
    assert (parameter.default, parameter.type, parameter.minimum) == (None, ParameterType.FLOAT, 0)
    assert parameter.pass_as == "--rate={v}"


def test_what_an_item_writes_replaces_the_step() -> None:
    written = frozenset({"name", "default", "pass-as"})
    item = Parameter("lr", ParameterType.STRING, default="x", pass_as="-l", written=written)
    parameter = effective_step(STEP, Override(parameters=(item,))).parameter("lr")
    assert parameter is not None
    assert (parameter.default, parameter.type, parameter.pass_as) == ("x", ParameterType.FLOAT, "-l")


def test_an_input_item_without_default_clears_it_and_keeps_the_rest() -> None:
    changed = effective_step(STEP, Override(inputs=(Input("images", written=frozenset({"name"})),))).input("images")
    assert changed is not None
    assert (changed.default, changed.keep_directories) == ((), KeepDirectories.FULL)


def test_order_stays_and_new_items_come_last() -> None:
    items = (Parameter("new", default=1), Parameter("tags", default=("c",), written=frozenset({"name", "default"})))
    step = effective_step(STEP, Override(parameters=items))
    assert [parameter.name for parameter in step.parameters] == ["lr", "tags", "new"]


def test_an_environment_variable_is_replaced_by_name() -> None:
    override = Override(environment_variables=(EnvironmentVariable("MODE", "fast"), EnvironmentVariable("NEW", "1")))
    changed = effective_step(STEP, override).environment_variables
    assert {variable.name: variable.default for variable in changed} == {"MODE": "fast", "NEW": "1"}


BASE = """
- step:
    name: train
    image: python:3.11
    command: python train.py
    parameters:
      - {name: lr, type: float, default: 0.1}
      - {name: fast, type: flag, default: true}
      - {name: tags, multiple: repeat, default: [a, b]}
    inputs:
      - {name: images, default: data/a.png}
      - {name: labels}
    environment-variables:
      - {name: MODE, default: slow}
- pipeline:
    name: p
    nodes:
      - {name: n, type: execution, step: train, override: OVERRIDE}
    edges: []
"""

OVERRIDES = [
    "{}",
    "{image: other}",
    "{image: ''}",
    "{command: [a, b]}",
    "{command: []}",
    "{parameters: [{name: lr}]}",
    "{parameters: [{name: lr, default: 0.5}]}",
    "{parameters: [{name: fast, type: flag, default: false}]}",
    "{parameters: [{name: tags, default: [c]}]}",
    "{inputs: [{name: images}]}",
    "{inputs: [{name: images, default: [x, y]}, {name: labels, default: z}]}",
    "{environment-variables: [{name: MODE, default: fast}, {name: NEW, default: '1'}]}",
    "{environment-variables: [{name: MODE}]}",
    "{environment: gpu}",
]


@pytest.mark.parametrize("override", OVERRIDES)
def test_values_are_those_that_the_platform_is_sent(override: str) -> None:
    valohai_yaml = pytest.importorskip("valohai_yaml")
    from valohai_yaml.pipelines.conversion import PipelineConverter

    from vhpipe.config.read import read_config
    from vhpipe.document.read import read_document
    from vhpipe.graph.build import build_graph

    text = BASE.replace("OVERRIDE", override)
    theirs = valohai_yaml.parse(text, validate=False)
    converter = PipelineConverter(config=theirs, commit_identifier="latest")
    template: dict[str, Any] = converter.convert_pipeline(theirs.pipelines["p"])["nodes"][0]["template"]

    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, _ = read_config(document)
    step = build_graph(config, config.pipelines[0]).steps["n"]
    assert step is not None
    variables = {variable.name: variable.default for variable in step.environment_variables}
    command = template["command"]
    assert step.image == template["image"]
    assert list(step.command) == ([command] if isinstance(command, str) else command)
    assert {p.name: p.default for p in step.parameters} == tuples(template["parameters"])
    assert {item.name: list(item.default) for item in step.inputs} == template["inputs"]
    assert variables == template.get("environment-variables", {})
    assert step.environment == template.get("environment")


def tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
