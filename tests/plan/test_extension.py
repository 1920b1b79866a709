"""The extension item `vhpipe`: how it is read, and what it adds to a plan."""

from typing import Any

import msgspec
import pytest

from vhpipe.config.extension_model import is_function
from vhpipe.config.model import Config
from vhpipe.config.read import read_config
from vhpipe.diagnostics import Diagnostic
from vhpipe.document.read import read_document
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.model import (
    NO_EXTRAS,
    ConfigurationObject,
    Hook,
    Hooks,
    MonitorName,
    Plan,
    PlannedDeployment,
    PlannedExecution,
    PlannedMonitor,
    PlannedTask,
    RetryPolicy,
)

PIPELINE = """
- step:
    name: make
    image: python:3.11
    command: python make.py
    time-limit: 1h
- deployment: {name: d, defaults: {target: t}}
- pipeline:
    name: main
    parameters: [{name: p, default: 3}]
    nodes:
      - {name: first, type: execution, step: make}
      - {name: second, type: execution, step: make}
      - {name: third, type: task, step: make}
      - {name: ship, type: deployment, deployment: d}
    edges: []
"""


def read(extension: str) -> tuple[Config, tuple[Diagnostic, ...]]:
    document, faults = read_document((PIPELINE + extension).encode(), "valohai.yaml")
    assert document is not None, faults
    return read_config(document)


def compiled(body: str, **arguments: Any) -> Plan:
    config, diagnostics = read(f"- vhpipe:\n    pipeline: main\n{body}")
    assert diagnostics == ()
    return compile_plan(build_graph(config, config.pipelines[0]), Arguments(**arguments), "valohai.yaml")


def node(plan: Plan, name: str) -> PlannedExecution | PlannedTask:
    found = plan.node(name)
    assert not isinstance(found, PlannedDeployment)
    return found


WHOLE = """
    version: "1.2.0"
    tags: [nightly, small]
    time-limit: 2h
    queue: cpu
    configuration:
      model: {layers: 3, name: "m-${pipeline.p}"}
      common: [1, 2]
    hooks: {status: echo changed, pre: hooks.all:before}
    monitor: {metrics: loss}
    nodes:
      second:
        after: [first]
        when: "${first.metadata.rows} > ${pipeline.p}"
        retry: {count: 3, delay: 1m, backoff: 2}
        reuse: true
        monitor: {metrics: [loss, {acc: accuracy}], artifacts: "*.csv", models: {"m*": best}}
        hooks: {pre: "test -e x", post: hooks:after}
        configuration: {common: {file: config/common.yaml}, own: true}
        queue: gpu
        time-limit: 10m
        tags: heavy
      third: {retry: 2}
"""


def test_the_pipeline_has_its_version_tags_and_limit() -> None:
    plan = compiled(WHOLE)
    assert (plan.version, plan.tags, plan.time_limit_s) == ("1.2.0", ("nightly", "small"), 7200)
    assert plan.parameters == {"p": 3}


def test_a_node_has_what_is_said_of_it_and_of_the_pipeline() -> None:
    second = node(compiled(WHOLE), "second")
    extras = second.extras
    assert second.retry == RetryPolicy(3, 60, 2)
    assert second.hooks == Hooks(
        (Hook(command="test -e x"),), (Hook(function="hooks:after"),), (Hook(command="echo changed"),)
    )
    assert extras.monitor == PlannedMonitor(
        (MonitorName("loss", "loss"), MonitorName("acc", "accuracy")),
        (MonitorName("*.csv", "*.csv"),),
        (MonitorName("m*", "best"),),
    )
    assert extras.configuration == (
        ConfigurationObject("model", {"layers": 3, "name": "m-${pipeline.p}"}, waits=True),
        ConfigurationObject("common", file="config/common.yaml"),
        ConfigurationObject("own", True),
    )
    assert (extras.queue, extras.tags, second.reuse, second.spec.time_limit_s) == ("gpu", ("heavy",), True, 600)


def test_a_node_of_which_nothing_is_said_has_what_the_pipeline_has() -> None:
    first = node(compiled(WHOLE), "first")
    assert (first.extras.queue, first.retry, first.reuse, first.spec.time_limit_s) == ("cpu", None, False, 3600)
    assert first.hooks is not None
    assert first.hooks.pre == (Hook(function="hooks.all:before"),)
    assert [item.name for item in first.extras.configuration] == ["model", "common"]


def test_a_number_is_enough_for_retry() -> None:
    assert node(compiled(WHOLE), "third").retry == RetryPolicy(2, 0, 1)


def test_after_and_references_become_edges_without_data_each_once() -> None:
    plan = compiled(WHOLE)
    assert [(edge.index, edge.source, edge.target, edge.source_key) for edge in plan.edges] == [
        (0, "first", "second", "reference")
    ]
    after = compiled("    nodes: {first: {after: [third, ship, third]}}\n")
    assert [(edge.source, edge.source_key) for edge in after.edges] == [("third", "after"), ("ship", "after")]
    assert [each.name for each in after.nodes].index("first") == 3


def test_a_configuration_may_speak_of_nodes() -> None:
    plan = compiled("    nodes: {third: {configuration: {a: [{b: '${second.metadata.x}'}]}}}\n")
    assert [(edge.source, edge.target) for edge in plan.edges] == [("second", "third")]


def test_a_plan_with_all_of_it_comes_back_from_json() -> None:
    plan = compiled(WHOLE)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_a_plan_without_it_has_nothing_of_it() -> None:
    config, _ = read("")
    plan = compile_plan(build_graph(config, config.pipelines[0]), Arguments(), "valohai.yaml")
    assert {each.extras for each in plan.nodes} == {NO_EXTRAS}
    assert (plan.version, plan.tags, plan.time_limit_s) == (None, (), None)


def test_what_is_not_honoured_yet_is_said() -> None:
    said = [sentence.partition(":")[0] for sentence in compiled(WHOLE).ignored]
    assert [word for word in said if word in ("monitor", "queue")] == ["queue"]


def test_the_last_of_several_items_counts() -> None:
    config, _ = read("- vhpipe: {pipeline: main, version: '1'}\n- vhpipe: {pipeline: main, version: '2'}\n")
    graph = build_graph(config, config.pipelines[0])
    assert graph.extension is not None
    assert graph.extension.version == "2"


@pytest.mark.parametrize("broken", ["nodes: {first: 3}", "hooks: x", "monitor: []", "nodes: {first: {retry: x}}"])
def test_what_is_of_a_wrong_type_is_told_and_left_out(broken: str) -> None:
    config, diagnostics = read(f"- vhpipe: {{pipeline: main, {broken}}}\n")
    assert {item.rule for item in diagnostics} == {"wrong-type"}
    assert config.extensions[0].pipeline == "main"
    build_graph(config, config.pipelines[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a:b", True), ("a.b:c.d", True), ("echo a:b", False), ("a-b:c", False), ("make", False), (":", False)],
)
def test_a_hook_that_looks_like_one_is_a_function(text: str, expected: bool) -> None:
    assert is_function(text) is expected
