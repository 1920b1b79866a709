import textwrap

import pytest

from vhpipe.config.model import (
    Config,
    DeploymentNode,
    EdgeKind,
    ExecutionNode,
    KeepDirectories,
    Mount,
    OnChildError,
    OnError,
    ParameterType,
    TaskNode,
    TaskType,
    VariantStyle,
)
from vhpipe.config.read import read_config
from vhpipe.diagnostics import Diagnostic, Location
from vhpipe.document.read import read_document

PIPELINE = """
- pipeline:
    name: p
    nodes: []
    edges: []
"""


def read(text: str) -> tuple[Config, tuple[Diagnostic, ...], list[str]]:
    """The config, what is wrong, and for each finding the text it points at."""
    document, notes = read_document(textwrap.dedent(text).lstrip("\n").encode(), "valohai.yaml")
    assert document is not None
    assert not [note for note in notes if note.severity == "error"]
    config, found = read_config(document)
    places = []
    for note in found:
        assert isinstance(note.at, Location)
        line, column, end_line, end_column = document.span(note.at)
        lines = document.lines[line - 1 : end_line]
        places.append(lines[0][column - 1 : end_column - 1 if line == end_line else None])
    return config, found, places


STEP = """
    - step:
        name: train
        image: python:3.12
        command: python train.py {parameters}
"""


def test_a_step_is_read_with_all_it_has() -> None:
    config, found, _ = read(
        """
        - step:
            name: train
            image: python
            command: [pip install x, python train.py]
            parameters:
              - {name: lr, type: float, default: 0.1, min: 0, max: 1, choices: [0.1, 1], widget: {type: SQL}}
              - {name: tags, multiple: separate, multiple-separator: ";", default: [a, b], pass-as: "-t {v}"}
              - {name: fast, type: flag, pass-true-as: --fast, pass-false-as: --slow}
            inputs:
              - {name: data, default: s3://b/x, keep-directories: true, download: on-demand, filename: a.bin}
              - {name: more, default: [a, b], optional: true, keep-directories: suffix}
            outputs: [{name: model.pkl, description: d}]
            mounts: ["/a:/b:ro", {source: x, destination: /y, readonly: true, type: NFS, options: {a: 1}}]
            environment-variables: [{name: A, default: "1"}, {name: B, optional: false}]
            environment-variable-groups: [g]
            cache-volumes: [v]
            environment: m5
            runtime-config-preset: preset
            autorestart: false
            time-limit: 1h 30m
            no-output-timeout: 90
            resources: {cpu: {min: 1, max: 2.5}, memory: {max: 100}, devices: {nvidia.com/gpu: 1}}
            source-path: a.py
            stop-condition: accuracy > 1
            upload-store: store
        """
    )
    assert found == ()
    (step,) = config.steps
    lr, tags, fast = step.parameters
    data, more = step.inputs
    assert step.command == ("pip install x", "python train.py")
    assert (lr.type, lr.default, lr.minimum, lr.maximum, lr.choices, lr.widget) == (
        ParameterType.FLOAT, 0.1, 0, 1, (0.1, 1), "sql",
    )  # fmt: skip
    assert (tags.separator, tags.default, tags.pass_as) == (";", ("a", "b"), "-t {v}")
    assert (fast.optional, fast.pass_true_as, fast.pass_false_as) == (True, "--fast", "--slow")
    assert lr.written == {"name", "type", "default", "min", "max", "choices", "widget"}
    assert (data.default, data.keep_directories, data.download_on_demand) == (("s3://b/x",), KeepDirectories.FULL, True)
    assert (more.default, more.optional, more.keep_directories) == (("a", "b"), True, KeepDirectories.SUFFIX)
    assert step.mounts[0] == Mount("/a", "/b:ro", at=(0, "step", "mounts", 0))
    assert (step.mounts[1].type, step.mounts[1].readonly, step.mounts[1].options) == ("nfs", True, {"a": 1})
    assert [variable.optional for variable in step.environment_variables] == [True, False]
    assert (step.time_limit_s, step.no_output_timeout_s, step.autorestart) == (5400, 90, False)
    assert step.resources is not None
    assert step.resources.cpu == (1, 2.5)
    assert step.resources.devices == (("nvidia.com/gpu", 1),)
    assert step.parameter("lr") is lr
    assert step.inputs[1].at == (0, "step", "inputs", 1)


def test_a_pipeline_is_read_with_its_three_kinds_of_nodes() -> None:
    config, found, _ = read(
        """
        - blueprint:
            name: p
            reuse-executions: true
            nodes:
              - {name: a, type: execution, step: s, on-error: retry, edge-merge-mode: append, commit: abc,
                 override: {image: i, inputs: [{name: x}]}}
              - {name: b, type: task, task: t}
              - name: c
                type: deployment
                deployment: d
                endpoints: [e]
                aliases: [live]
                actions: [{when: [Node-Complete], if: metadata.x > 1, then: stop-pipeline}]
            edges:
              - [a.output.model.pb, b.input.x]
              - {source: b.metadata.best, target: c.file.e.model, configuration: {}}
            parameters:
              - {name: lr, default: [1, 2], targets: [a.parameters.lr, b.parameter.lr]}
              - {name: n, target: a.parameter.n, default: null}
              - {name: none}
        """
    )
    assert found == ()
    (pipeline,) = config.pipelines
    a, b, c = pipeline.nodes
    assert isinstance(a, ExecutionNode)
    assert isinstance(b, TaskNode)
    assert isinstance(c, DeploymentNode)
    assert (a.on_error, a.edge_merge_mode, a.commit) == (OnError.RETRY, "append", "abc")
    assert a.override is not None
    assert a.override.written == {"image", "inputs"}
    assert a.override.inputs[0].at == (0, "blueprint", "nodes", 0, "override", "inputs", 0)
    assert (b.task, b.step) == ("t", None)
    assert (c.actions[0].when, c.actions[0].conditions) == (("node-complete",), ("metadata.x > 1",))
    assert pipeline.edges[0].source[:3] == ("a", EdgeKind.OUTPUT, "model.pb")
    assert pipeline.edges[1].target[:3] == ("c", EdgeKind.FILE, "e.model")
    assert pipeline.edges[1].target.at == (0, "blueprint", "edges", 1, "target")
    lr, number, none = pipeline.parameters
    assert lr.default == (1, 2)
    assert [target.kind for target in lr.targets] == [EdgeKind.PARAMETER] * 2
    assert (number.has_default, none.has_default, none.targets) == (True, False, ())


def test_a_task_is_read_whatever_the_case_of_its_words() -> None:
    config, found, _ = read(
        """
        - task:
            name: t
            step: s
            type: RANDOM-SEARCH
            on-child-error: Continue_And_Error
            execution-count: 3.0
            parameters:
              - {name: lr, style: logspace, rules: {start: -3, end: 0, count: 4, base: 10, integerify: true}}
              - {name: kind, style: single, rules: {value: adam}}
            parameter-sets: [{a: 1, b: x}, {}]
        """
    )
    assert found == ()
    (task,) = config.tasks
    assert (task.type, task.on_child_error, task.execution_count) == (
        TaskType.RANDOM, OnChildError.CONTINUE_AND_ERROR, 3,
    )  # fmt: skip
    assert task.parameters[0].style is VariantStyle.LOGSPACE
    assert task.parameters[0].rules.size == 4
    assert task.parameters[1].rules.value == "adam"
    assert task.parameter_sets == ((("a", 1), ("b", "x")),)


def test_endpoints_and_deployments_are_read() -> None:
    config, found, _ = read(
        """
        - endpoint:
            name: digits
            image: python
            wsgi: a:b
            files: [{name: model, path: model/a.pb}]
            resources: {ephemeral-storage: {min: 5}}
            tolerations: [{operator: Exists}]
            shared-volumes: [{pvc-name: v, mount-path: /v, read-only: true}]
            workspace-volume: {mount-path: /w, size: 2}
        - deployment: {name: d, defaults: {target: t, other: 1}}
        - vhpipe: {pipeline: p}
        """
    )
    assert found == ()
    (endpoint,) = config.endpoints
    assert (endpoint.port, endpoint.file("model")) == (8000, endpoint.files[0])
    assert endpoint.workspace_volume is not None
    assert endpoint.workspace_volume.size_gib == 2
    assert config.deployments[0].target == "t"


NODE = """
- pipeline:
    name: p
    nodes:
      - {name: a, type: execution, step: s}
    edges:
      - %s
    parameters:
      - %s
"""
GOOD_EDGE, GOOD_PARAMETER = "[a.output.x, a.input.y]", "{name: p}"

FAULTS = [
    (f"{STEP}        time-limit: '5'\n", "invalid-duration", "'5'"),
    (f"{STEP}        time-limit: 5 parsecs\n", "invalid-duration", "5 parsecs"),
    (f"{STEP}        time-limit: -5\n", "invalid-duration", "-5"),
    (f"{STEP}        parameters: [{{name: x, type: flag, multiple: repeat}}]\n", "multiple-flag", "multiple"),
    (f"{STEP}        inputs: [{{name: ../x}}]\n", "unsafe-path", "../x"),
    (f"{STEP}        inputs: [{{name: x, filename: /etc/passwd}}]\n", "unsafe-path", "/etc/passwd"),
    (
        "- endpoint: {name: ab, image: i, wsgi: w, files: [{name: a, path: a/../b}]}",
        "unsafe-path",
        "a/../b",
    ),
    ("- task: {name: t, step: s, parameters: [], type: annealing}", "invalid-value", "annealing"),
    ("- task: {name: t, step: s, parameters: [], on-child-error: cry}", "invalid-value", "cry"),
    (NODE % ("[a.outputs.x, a.input.y]", GOOD_PARAMETER), "plural-edge-kind", "outputs"),
    (NODE % ("[a.output.x, a.inptu.y]", GOOD_PARAMETER), "unknown-edge-kind", "inptu"),
    (NODE % ("[a.output.x, a.input]", GOOD_PARAMETER), "malformed-edge-end", "a.input"),
    (NODE % ("[a.output.x, a..y]", GOOD_PARAMETER), "malformed-edge-end", "a..y"),
    (NODE % (GOOD_EDGE, "{name: p, target: a.parameter}"), "malformed-edge-end", "a.parameter"),
    (NODE % (GOOD_EDGE, "{name: p, target: a.parameter.b, targets: []}"), "target-and-targets", "targets"),
    (NODE % (GOOD_EDGE, "{target: a.parameter.b}"), "missing-property", "{target: a.parameter.b}"),
    ("- stepp: {name: x}", "unknown-item", "stepp"),
    ("- {}", "unknown-item", "{}"),
    (
        "- step: {name: a, image: b, command: c}\n  task: {name: t, step: a, parameters: []}",
        "several-kinds",
        "task",
    ),
    ("- step: {name: a, image: b, command: c}\n  inputs: []", "ignored-key", "inputs"),
]


@pytest.mark.parametrize(("text", "rule", "place"), FAULTS)
def test_each_fault_is_said_once_and_at_its_place(text: str, rule: str, place: str) -> None:
    _, found, places = read(text)
    assert [note.rule for note in found] == [rule]
    assert places == [place]
    assert found[0].hint


def test_an_object_with_a_fault_is_kept_and_known_to_be_broken() -> None:
    config, found, _ = read(
        "- step: {name: a, image: [x], command: 5, inputs: {}}\n- step: {name: b, image: i, command: c}"
    )
    assert [note.severity for note in found] == ["error"] * 3
    assert [(step.name, step.image, step.command) for step in config.steps] == [("a", "", ()), ("b", "i", ("c",))]
    assert config.broken == {(0, "step")}


def test_a_warning_breaks_nothing() -> None:
    config, _, _ = read(NODE % ("[a.outputs.x, a.input.y]", GOOD_PARAMETER))
    assert config.broken == frozenset()


def test_an_edge_with_an_unreadable_end_breaks_its_pipeline() -> None:
    config, _, _ = read(NODE % ("[a.output, a.input.y]", GOOD_PARAMETER))
    assert config.pipelines[0].edges == ()
    assert config.broken == {(0, "pipeline")}


def test_of_two_kinds_in_one_item_the_first_of_the_platform_is_read() -> None:
    config, _, _ = read("- task: {name: t, step: a, parameters: []}\n  step: {name: a, image: b, command: c}")
    assert (len(config.steps), len(config.tasks)) == (1, 0)


def test_findings_are_bounded() -> None:
    assert len(read("- {stepp: 1}\n" * 2000)[1]) == 500
