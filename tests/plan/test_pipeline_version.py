import pytest

from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.plan.pipeline_version import definition_of, next_version
from vhpipe.rules.check import subject_of

RICH = """\
- step:
    name: prepare
    image: python:3.11
    command: ["echo {parameters}", "date"]
    parameters:
      - {name: rows, type: integer, default: 3, min: 1, max: 10}
      - {name: kinds, type: string, multiple: repeat, default: [a, b], choices: [a, b, c]}
      - {name: fast, type: flag, pass-true-as: --fast}
    inputs:
      - {name: data, default: ["data/*.csv", "${HOME}/x"], optional: true, keep-directories: suffix}
    outputs: [{name: "table.csv"}]
    environment-variables: [{name: MODE, default: "${pipeline.mode}"}]
    mounts: [{source: /a, destination: /b, readonly: true}]
    resources: {cpu: {min: 1}, memory: {max: 512}, devices: {nvidia.com/gpu: 1}}
    time-limit: 1h
    stop-condition: metadata.loss < 1
- step:
    name: train
    image: python:3.11
    command: "python train.py {parameter:rate}"
    parameters:
      - {name: rate, type: float, default: 0.5}
      - {name: rows, type: integer, default: "${prepare.metadata.rows}"}
    inputs: [{name: table}]
- task:
    name: search
    step: train
    type: random_search
    execution-count: 4
    parameters: [{name: rate, style: linear, rules: {start: 0, end: 1, step: 0.1}}]
- endpoint:
    name: predict
    image: python:3.11
    server-command: run
    files: [{name: model, path: model.pkl}]
- deployment: {name: shop, defaults: {target: here}}
- pipeline:
    name: main
    parameters: [{name: mode, default: x, targets: [prepare.parameters.kinds]}]
    nodes:
      - name: prepare
        type: execution
        step: prepare
        on-error: stop-next
        override: {inputs: [{name: data, default: other.csv}]}
      - name: train
        type: task
        task: search
        on-error: retry
        actions: [{when: [node-complete], if: [metadata.loss < 1], then: [require-approval]}]
      - {name: serve, type: deployment, deployment: shop, endpoints: [predict], aliases: [latest]}
    edges:
      - [prepare.output.*.csv, train.input.table]
      - {source: train.output.*.pkl, target: serve.file.predict.model}
- vhpipe:
    pipeline: main
    version: "1.0"
    tags: [t]
    hooks: {pre: "echo hi"}
    queue: gpu
    monitor: {metrics: [loss, {accuracy: acc}], models: ["*.pkl"]}
    configuration: {settings: {rows: "${pipeline.mode}", list: [1, "a"]}}
    nodes:
      prepare: {retry: {count: 2, delay: 10s, backoff: 2}, reuse: true, time-limit: 5m}
      train:
        after: prepare
        when: "${prepare.metadata.rows} > 0"
        hooks: {post: "package.module:function", status: echo}
"""
DIGEST_OF_0_1_0 = "2360f27569424b3bbe7c382c25a3af98bc1335ec85f13f0277be582b9f098d2d"


def digest(text: str) -> str:
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    return definition_of(subject_of(read_config(document)[0]).graphs[0])


def test_a_definition_has_the_digest_that_0_1_0_gave_it() -> None:
    """Else every pipeline with a version would get another one by an update of vhpipe."""
    assert digest(RICH) == DIGEST_OF_0_1_0


@pytest.mark.parametrize(
    ("old", "new"), [("rate}", "rate} # x"), ("count: 2", "count: 3"), ("models: [", 'models: ["a", ')]
)
def test_another_definition_has_another_digest(old: str, new: str) -> None:
    assert old in RICH
    assert digest(RICH.replace(old, new)) != DIGEST_OF_0_1_0


def test_comments_and_layout_do_not_count() -> None:
    assert digest(f"# a remark\n\n{RICH}") == DIGEST_OF_0_1_0


@pytest.mark.parametrize(
    ("declared", "taken", "version"),
    [
        ("1.2.0", ["1.2.0"], "1.2.1"),
        ("1.2.0", ["1.2.0", "1.2.1", "1.2.3"], "1.2.2"),
        ("1.2.9", ["1.2.9"], "1.2.10"),
        ("7", ["7"], "8"),
        ("1.x", ["1.x"], "1.x.0"),
    ],
)
def test_the_last_part_is_counted_up_until_nobody_has_it(declared: str, taken: list[str], version: str) -> None:
    assert next_version(declared, taken) == version
