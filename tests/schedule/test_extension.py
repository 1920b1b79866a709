"""What the extension item asks of a node when it is about to start: its condition and its configuration."""

import pytest
from worlds import World

from vhpipe.config.read import read_config
from vhpipe.document.read import read_document
from vhpipe.graph.build import build_graph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.compile import compile_plan
from vhpipe.plan.deferred import with_texts
from vhpipe.plan.fingerprint import fingerprint_of, parts_of
from vhpipe.plan.model import AttemptId, ConfigurationObject, Datum, ExecutionId
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status

PIPELINE = """
- step: {name: make, image: i, command: make}
- pipeline:
    name: main
    parameters: [{name: least, default: 10}, {name: mode, default: fast}]
    nodes:
      - {name: first, type: execution, step: make, on-error: continue}
      - {name: second, type: execution, step: make}
      - {name: third, type: execution, step: make}
      - {name: beside, type: execution, step: make}
    edges: [[second.dependency.*, third.dependency.*]]
"""


def ran(extension: str, *, fails: bool = False, metadata: dict[str, object] | None = None) -> World:
    text = f"{PIPELINE}- vhpipe:\n    pipeline: main\n    nodes:\n      second: {extension}\n"
    document, faults = read_document(text.encode(), "valohai.yaml")
    assert document is not None, faults
    config, diagnostics = read_config(document)
    assert diagnostics == ()
    plan = compile_plan(build_graph(config, config.pipelines[0]), Arguments(), "valohai.yaml")

    def report(attempt: AttemptId) -> stimuli.AttemptReported:
        failed = fails and attempt.execution.node == "first"
        status = Status.ERROR if failed else Status.COMPLETE
        outputs = (Datum("id", "out/a.csv", "b" * 64, 3),)
        because = "exit code 1" if failed else None
        return stimuli.AttemptReported(attempt, status, 0, because, metadata=metadata or {}, outputs=outputs)

    return World(plan, report, capacity=4).start().finish()


def warned(world: World) -> list[str]:
    return [event.message for event in world.events if isinstance(event, events.Warned)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("${first.metadata.rows} > 3", True),
        ("${first.metadata.rows} > ${pipeline.least}", False),
        ("${pipeline.mode} == 'fast'", True),
        ("${first.metadata.rows} > 3 and ${pipeline.mode} in ('slow', 'best')", False),
        ("${first.outputs[*.csv].size} == 3", True),
        ("not ${first.metadata.rows}", False),
        ("1 > 2", False),
    ],
)
def test_a_node_runs_where_its_condition_holds(when: str, expected: bool) -> None:
    world = ran(f'{{when: "{when}"}}', metadata={"rows": 5})
    assert world.statuses()["second"] == ("complete" if expected else "skipped")


def test_a_node_whose_condition_does_not_hold_is_skipped_with_all_that_rely_on_it() -> None:
    world = ran('{when: "${first.metadata.rows} > 3"}', metadata={"rows": 1})
    assert world.statuses() == {"first": "complete", "second": "skipped", "third": "skipped", "beside": "complete"}
    assert world.state.nodes["second"].because == "`when: ${first.metadata.rows} > 3` does not hold"
    assert world.state.status is Status.COMPLETE


def test_what_is_not_there_is_unequal_to_everything_with_a_warning() -> None:
    world = ran('{when: "${first.metadata.rows} > 3"}', metadata={"loss": 1})
    assert world.statuses()["second"] == "skipped"
    absent = "`${first.metadata.rows}` has no value: the metadata of `first` has `loss`"
    assert f"`when: ${{first.metadata.rows}} > 3` does not hold: {absent}" in warned(world)
    world = ran('{when: "${first.metadata.rows} not in (1, 2)"}', metadata={"loss": 1})
    assert world.statuses()["second"] == "complete"
    assert f"`when: ${{first.metadata.rows}} not in (1, 2)` holds: {absent}" in warned(world)


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("val-acc", {"val-acc": 5}), ("a.b", {"a.b": 5}), ("a.b", {"a": {"b": 5}}), ('"top } 5"', {"top } 5": 5}),
        ("''\"say \"\"hi\"\"\"''".replace("''", ""), {'say "hi"': 5}), ('"a b".c', {"a b": {"c": 5}}),
    ],
)  # fmt: skip
def test_any_metric_can_be_referred_to(name: str, metadata: dict[str, object]) -> None:
    world = ran(f"{{when: '${{first.metadata.{name}}} == 5'}}", metadata=metadata)
    assert (world.statuses()["second"], warned(world)) == ("complete", [])


def test_after_makes_a_node_wait() -> None:
    world = ran("{after: [beside, first]}")
    names = [attempt.execution.node for attempt in world.started]
    assert names.index("second") > max(names.index("beside"), names.index("first"))


def test_a_configuration_is_filled_in_at_any_depth_and_keeps_types() -> None:
    extension = (
        "{configuration: {model: {rows: '${first.metadata.rows}', deep: [{text: 'a ${pipeline.mode} $${x}'}],"
        " files: ['${first.outputs[*].path}']}, plain: [1]}}"
    )
    world = ran(extension, metadata={"rows": 5})
    assert world.statuses()["second"] == "complete"
    spec = with_texts(world.scheduler.execution_spec(ExecutionId("second")), lambda each: "/there")
    assert spec.configuration == (
        ConfigurationObject("model", {"rows": 5, "deep": [{"text": "a fast ${x}"}], "files": ["/there"]}),
        ConfigurationObject("plain", [1]),
    )


def test_a_configuration_with_a_reference_to_nothing_is_an_error() -> None:
    world = ran("{configuration: {model: {rows: '${first.metadata.rows}'}}}", metadata={"loss": 1})
    assert world.state.nodes["second"].because == (
        "configuration `model`: `${first.metadata.rows}` has no value: the metadata of `first` has `loss`"
    )


def test_after_a_failure_under_continue_a_configuration_that_needs_it_skips_the_node() -> None:
    world = ran("{configuration: {model: '${first.metadata.rows}'}}", fails=True)
    assert world.statuses()["second"] == "skipped"


def test_the_fingerprint_sees_the_configuration() -> None:
    def fingerprint(value: str) -> str:
        world = ran(f"{{configuration: {{model: {value}}}}}")
        return fingerprint_of(parts_of(world.scheduler.execution_spec(ExecutionId("second")), "code"))

    assert fingerprint("{a: 1}") == fingerprint("{a: 1}")
    assert fingerprint("{a: 1}") != fingerprint("{a: 2}")
