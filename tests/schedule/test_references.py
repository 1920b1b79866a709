"""What references bring to a node when its upstream has settled: values, files, stand-ins, and what is missing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from worlds import World

from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.deferred import stand_in, with_texts
from vhpipe.plan.fingerprint import fingerprint_of, parts_of
from vhpipe.plan.model import (
    AttemptId,
    Datum,
    DatumPath,
    DatumUrl,
    Deferred,
    ExecutionId,
    ExecutionRef,
    ExecutionSpec,
    Literal,
    Plan,
)
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status

STEPS = """
- step:
    name: make
    image: python:3.11
    command: python make.py {parameters}
    parameters:
      - {name: rate, type: float, default: 0.5}
      - {name: name, optional: true}
- step:
    name: use
    image: python:3.11
    command: python use.py {parameters}
    parameters:
      - {name: rate, type: float, optional: true}
      - {name: text, optional: true}
      - {name: needed, default: x}
      - {name: many, multiple: repeat, optional: true}
    inputs:
      - {name: data, optional: true}
- task:
    name: sweep
    step: make
    parameters:
      - {name: rate, style: multiple, rules: {items: [1.0, 2.0, 3.0]}}
- deployment: {name: d, defaults: {target: t}}
- pipeline:
    name: main
    nodes:
      - {name: make, type: execution, step: make, on-error: continue}
      - {name: sweep, type: task, task: sweep, on-error: continue}
      - {name: ship, type: deployment, deployment: d}
      - name: use
        type: NODE
        step: use
        override: OVERRIDE
    edges: EDGES
"""

Outcomes = Callable[[AttemptId], stimuli.AttemptReported]


def planned(override: str, node: str = "execution", edges: str = "[]") -> Plan:
    text = STEPS.replace("OVERRIDE", override).replace("NODE", node).replace("EDGES", edges)
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, diagnostics = read_config(document)
    assert not [item for item in diagnostics if item.severity == "error"], diagnostics
    return compile_plan(build_graph(config, config.pipelines[0]), Arguments(), "valohai.yaml")


def datum(name: str, run: str = "1") -> Datum:
    return Datum(f"{run}-{name}", name, (name.encode().hex() + "0" * 64)[:64], len(name))


def outcomes(*names: str, failing: str = "", run: str = "1", **metadata: object) -> Outcomes:
    def report(attempt: AttemptId) -> stimuli.AttemptReported:
        status = Status.ERROR if attempt.execution.node == failing else Status.COMPLETE
        said = {key: value(attempt.execution.index) if callable(value) else value for key, value in metadata.items()}
        outputs = tuple(datum(name.format(index=attempt.execution.index), run) for name in names)
        because = "exit code 1" if status is Status.ERROR else None
        return stimuli.AttemptReported(attempt, status, 0, because, metadata=said, outputs=outputs)

    return report


def ran(override: str, outcome: Outcomes, node: str = "execution", edges: str = "[]") -> World:
    world = World(planned(override, node, edges), outcome, capacity=4).start().finish()
    assert world.replayed() == world.state
    return world


def spec_of(world: World, node: str = "use", index: int = 0) -> ExecutionSpec:
    assert world.statuses()[node] == "complete", world.state.nodes[node].because
    return world.scheduler.execution_spec(ExecutionId(node, index))


def parameter(value: str, outcome: Outcomes, name: str = "text") -> Any:
    return spec_of(ran(f"{{parameters: [{{name: {name}, default: '{value}'}}]}}", outcome)).values.get(name)


def because(override: str, outcome: Outcomes) -> str:
    world = ran(override, outcome)
    assert world.statuses()["use"] == "error"
    return world.state.nodes["use"].because or ""


def warnings(world: World) -> list[str]:
    return [event.message for event in world.events if isinstance(event, events.Warned)]


# ── values ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("${make.metadata.rows}", 3),
        ("${make.metadata.is.good}", True),
        ("n=${make.metadata.rows}, ${make.metadata.is.good}", "n=3, true"),
        ("${make.parameters.rate}", 0.5),
        ("${make.parameters.Args/rate}", 0.5),
        ("${make.artifacts.model.hash}", datum("out/model.pkl").blob),
        ("${make.artifacts.model.pkl.size}", 13),
        ("${make.outputs[*.csv].size}", 8),
        ("${make.models.output.-1.size}", 13),
        ("${make.models.output.0.hash}", datum("a.onnx").blob),
        ("${make.models.output.data.csv.size}", 8),
        ("${ship.id} ${ship.version_id}", "d-id v-id"),
    ],
)
def test_a_reference_becomes_its_value(value: str, found: object) -> None:
    metadata: dict[str, object] = {"rows": 3, "is.good": True}
    assert parameter(value, outcomes("a.onnx", "data.csv", "out/model.pkl", **metadata)) == found


def test_a_reference_to_a_list_fills_a_multiple_parameter() -> None:
    assert parameter("${make.metadata.names}", outcomes(names=["a", "b"]), "many") == ("a", "b")
    assert parameter("${make.outputs[*].hash}", outcomes("a", "b"), "many") == (datum("a").blob, datum("b").blob)


def test_a_list_of_references_is_filled_in_one_by_one() -> None:
    override = "{parameters: [{name: many, default: ['${make.metadata.rows}', x, '${make.metadata.names}']}]}"
    assert spec_of(ran(override, outcomes(rows=3, names=["a", "b"]))).values["many"] == (3, "x", "a", "b")


def test_a_task_brings_the_list_of_its_children_and_it_spreads_in_a_task_node() -> None:
    override = "{parameters: [{name: rate, default: '${sweep.parameters.rate}'}]}"
    world = ran(override, outcomes(), node="task")
    assert [spec_of(world, index=index).values["rate"] for index in range(3)] == [1.0, 2.0, 3.0]


def test_a_list_into_a_single_parameter_is_an_error() -> None:
    found = because("{parameters: [{name: rate, default: '${sweep.parameters.rate}'}]}", outcomes())
    assert found.startswith("the reference in parameter `rate` brings what does not fit: a list of 3")


def test_a_list_within_a_text_is_an_error() -> None:
    found = because("{parameters: [{name: text, default: 'a ${make.metadata.names}'}]}", outcomes(names=[1, 2]))
    assert found == (
        "parameter `text`: `${make.metadata.names}` is a list of 2, and only a single value fits into a string"
    )


def test_a_value_of_a_wrong_type_is_an_error() -> None:
    found = because("{parameters: [{name: rate, default: '${make.metadata.rate}'}]}", outcomes(rate="fast"))
    assert "`fast` is not a floating-point number" in found


def test_an_object_is_no_value() -> None:
    found = because("{parameters: [{name: text, default: '${make.metadata.rate}'}]}", outcomes(rate={"a": 1}))
    assert found == "`${make.metadata.rate}` is an object, which cannot be used here"


def test_variables_are_filled_as_texts() -> None:
    override = "{environment-variables: [{name: ROWS, default: '${make.metadata.rows}'}]}"
    assert spec_of(ran(override, outcomes(rows=3))).environment_variables == {"ROWS": Literal("3")}


# ── the best child ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("goal", "index"), [("min", 1), ("max", 0)])
def test_the_best_child_is_that_with_the_least_or_greatest_metric(goal: str, index: int) -> None:
    losses = [0.9, 0.1, 0.5]
    outcome = outcomes("model-{index}.pkl", loss=lambda child: losses[child])
    assert parameter(f"${{sweep.best.loss.{goal}.parameters.rate}}", outcome, "rate") == index + 1.0
    assert parameter(f"${{sweep.best.loss.{goal}.metadata.loss}}", outcome) == losses[index]
    assert parameter(f"${{sweep.best.loss.{goal}.outputs[*.pkl].hash}}", outcome) == datum(f"model-{index}.pkl").blob


def test_of_an_execution_node_the_best_is_its_own_value() -> None:
    assert parameter("${make.best.loss.min.metadata.rows}", outcomes(rows=3, loss=1)) == 3
    assert parameter("${make.best.loss.max.outputs[*.pkl].hash}", outcomes("m.pkl")) == datum("m.pkl").blob


def test_of_equals_the_first_is_best_and_a_child_without_the_metric_never() -> None:
    losses: list[object] = [None, "0.5", 0.5]
    outcome = outcomes(loss=lambda child: losses[child])
    assert parameter("${sweep.best.loss.min.parameters.rate}", outcome, "rate") == 2.0


def test_without_the_metric_nothing_is_best() -> None:
    found = because("{parameters: [{name: needed, default: '${sweep.best.loss.min.parameters.rate}'}]}", outcomes(x=1))
    assert found == (
        "parameter `needed`: `${sweep.best.loss.min.parameters.rate}` has no value: the metadata of `sweep` has `x`"
    )


# ── missing ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "there"),
    [
        ("${make.metadata.rate}", "the metadata of `make` has `loss`"),
        ("a ${make.metadata.rate}", "the metadata of `make` has `loss`"),
        ("${make.outputs[*.pkl].url}", "the outputs of `make` are `a.csv`"),
        ("${make.artifacts.b.url}", "the outputs of `make` are `a.csv`"),
        ("${make.models.output.0.url}", "the outputs of `make` are `a.csv`"),
        ("${make.models.input.0.url}", "the input files of `make` are nothing"),
    ],
)
def test_what_is_needed_and_not_there_is_an_error_that_says_what_is_there(value: str, there: str) -> None:
    found = because(f"{{parameters: [{{name: needed, default: '{value}'}}]}}", outcomes("a.csv", loss=1))
    assert found.endswith(f"has no value: {there}")


def test_a_value_that_is_null_is_said_to_be_null() -> None:
    world = ran("{parameters: [{name: text, default: '${make.metadata.rate}'}]}", outcomes(rate=None))
    assert warnings(world) == ["`${make.metadata.rate}` has no value: it is null; parameter `text` stays as it was"]


def test_a_parameter_that_was_not_passed_is_said_to_be_that() -> None:
    found = because("{parameters: [{name: needed, default: '${make.parameters.name}'}]}", outcomes(loss=1))
    assert found.endswith("`${make.parameters.name}` has no value: it was not passed")


def test_what_is_optional_stays_unset_with_a_warning() -> None:
    world = ran("{parameters: [{name: text, default: '${make.metadata.rate}'}]}", outcomes(loss=1))
    assert "text" not in spec_of(world).values
    assert warnings(world) == [
        "`${make.metadata.rate}` has no value: the metadata of `make` has `loss`; parameter `text` stays as it was"
    ]


def test_after_a_failure_under_continue_the_node_is_skipped() -> None:
    override = "{parameters: [{name: needed, default: '${make.metadata.rate}'}]}"
    world = ran(override, outcomes(failing="make"))
    assert world.statuses()["use"] == "skipped"
    assert world.state.nodes["use"].because == "`make` failed and left nothing for `${make.metadata.rate}`"


def test_two_outputs_that_could_be_one_artifact_are_an_error() -> None:
    found = because("{parameters: [{name: text, default: '${make.artifacts.a.url}'}]}", outcomes("x/a.csv", "y/a.csv"))
    assert found == "`${make.artifacts.a.url}` could be any of `x/a.csv`, `y/a.csv`"


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────────


def files(value: str, outcome: Outcomes) -> list[tuple[str, str | None]]:
    spec = spec_of(ran(f"{{inputs: [{{name: data, default: '{value}'}}]}}", outcome))
    return [(file.path, file.datum.id if file.datum else file.uri) for file in dict(spec.inputs)["data"]]


@pytest.mark.parametrize("attribute", ["url", "path"])
def test_a_file_in_an_input_is_the_file_itself(attribute: str) -> None:
    outcome = outcomes("out/a.csv", "b.csv", "c.txt")
    assert files(f"${{make.outputs[*.csv].{attribute}}}", outcome) == [("b.csv", "1-b.csv"), ("a.csv", "1-out/a.csv")]


def test_the_files_of_all_children_come_together() -> None:
    found = files("${sweep.outputs[*].url}", outcomes("m-{index}.pkl"))
    assert [path for path, _ in found] == ["m-0.pkl", "m-1.pkl", "m-2.pkl"]


def test_a_text_that_is_a_url_is_fetched() -> None:
    plan = planned("{inputs: [{name: data, default: 'https://x.org/${make.metadata.name}.csv?q'}]}")
    world = World(plan, outcomes(name="a"), capacity=4).start().finish()
    assert world.state.nodes["use"].bound is not None
    ((_, (file,)),) = world.state.nodes["use"].bound.files
    assert (file.path, file.uri) == ("a.csv", "https://x.org/a.csv?q")


def test_a_text_that_is_no_url_is_an_error() -> None:
    found = because("{inputs: [{name: data, default: '${make.metadata.name}'}]}", outcomes(name="../../etc/passwd"))
    assert found.startswith("input `data` would be `../../etc/passwd`; a URI that comes from another node")


# ── what is known only when the process starts ───────────────────────────────────────────────────────


def text_of(deferred: Deferred) -> str:
    match deferred:
        case DatumUrl(name):
            return f"file:///there/{name}"
        case DatumPath(name):
            return f"/there/{name}"
        case ExecutionRef(execution):
            return f"id-of-{execution}"


def test_urls_paths_and_ids_become_texts_when_the_process_starts() -> None:
    override = (
        "{parameters: [{name: text, default: '${make.outputs[*].url}?v=${make.id}'},"
        " {name: many, default: ['${sweep.outputs[*].path}']}],"
        " environment-variables: [{name: WHERE, default: 'at ${make.outputs[a].path}'}]}"
    )
    spec = spec_of(ran(override, outcomes("a")))
    started = with_texts(spec, text_of)
    assert started.values["text"] == "file:///there/a?v=id-of-make#0"
    assert started.values["many"] == ("/there/a", "/there/a", "/there/a")
    assert started.environment_variables["WHERE"] == Literal("at /there/a")
    assert started.deferred == ()


def test_a_parameter_edge_hands_on_what_is_not_known_yet() -> None:
    override = "{parameters: [{name: text, default: '${make.parameters.name}'}]}"
    text = STEPS.replace("OVERRIDE", override).replace("NODE", "execution").replace("EDGES", "[]")
    text = text.replace(
        "{name: make, type: execution, step: make, on-error: continue}",
        "{name: first, type: execution, step: make}\n"
        "      - {name: make, type: execution, step: make, override:"
        " {parameters: [{name: name, default: '${first.outputs[a].path}'}]}}",
    )
    document, _ = read_document(text.encode(), "valohai.yaml")
    assert document is not None
    config, _ = read_config(document)
    plan = compile_plan(build_graph(config, config.pipelines[0]), Arguments(), "valohai.yaml")
    world = World(plan, outcomes("a"), capacity=4).start().finish()
    assert with_texts(spec_of(world), text_of).values["text"] == "/there/a"


def fingerprint(override: str, outcome: Outcomes) -> str:
    return fingerprint_of(parts_of(spec_of(ran(override, outcome)), "code"))


@pytest.mark.parametrize("value", ["${make.outputs[*].url}", "${make.outputs[*].path}", "${make.id}"])
def test_the_fingerprint_sees_contents_and_not_the_run(value: str) -> None:
    override = f"{{parameters: [{{name: text, default: '{value}'}}]}}"
    first = fingerprint(override, outcomes("a", run="1"))
    assert fingerprint(override, outcomes("a", run="2")) == first
    assert fingerprint(override, outcomes("b", run="1")) != first


def test_stand_ins_of_different_things_differ_and_survive_json() -> None:
    deferred: list[Deferred] = [
        DatumUrl("a", "0"), DatumUrl("a>", "0"), DatumUrl("a%3E", "0"), DatumPath("a", "0"),
        ExecutionRef(ExecutionId("a", 1), "0"), ExecutionRef(ExecutionId("a", 11), "0"),
    ]  # fmt: skip
    assert len({stand_in(each) for each in deferred}) == len(deferred)
    assert not any(stand_in(a) in stand_in(b) for a in deferred for b in deferred if a != b)
    assert msgspec.json.decode(msgspec.json.encode(deferred), type=list[Deferred]) == deferred
