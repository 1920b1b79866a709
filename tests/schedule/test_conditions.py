"""What conditions of actions see, moment by moment: what is missing, null or there, of executions and of tasks."""

from collections.abc import Callable, Mapping

import pytest
from worlds import World, completes, execution, fails, plan, task

from vhpipe.config.model import OnChildError, OnError
from vhpipe.plan.model import AttemptId, PlannedAction
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status

NOTHING: Mapping[str, object] = {}


def stops(when: str, *conditions: str) -> tuple[PlannedAction, ...]:
    return (PlannedAction((when,), ("stop-pipeline",), conditions),)


def measuring(*metadata: Mapping[str, object] | None) -> Callable[[AttemptId], stimuli.AttemptReported]:
    """What each execution of a node prints; one without anything fails."""

    def report(attempt: AttemptId) -> stimuli.AttemptReported:
        found = metadata[attempt.execution.index]
        status = Status.ERROR if found is None else Status.COMPLETE
        return stimuli.AttemptReported(attempt, status, int(found is None), metadata=dict(found or {}))

    return report


def warned(world: World) -> list[str]:
    return [event.message for event in world.events if isinstance(event, events.Warned)]


@pytest.mark.parametrize(
    ("condition", "metadata", "fires", "warning"),
    [
        ("metadata.drift != 1", NOTHING, True, "holds: `metadata.drift` is not there"),
        ("metadata.drift not in (1, 2)", NOTHING, True, "holds: `metadata.drift` is not there"),
        ("metadata.drift == 1", NOTHING, False, "does not hold: `metadata.drift` is not there"),
        ("metadata.drift < a.b", NOTHING, False, "does not hold: `metadata.drift`, `a.b` are not there"),
        ("metadata.drift is None", NOTHING, True, None),
        ("metadata.drift != 1", {"drift": None}, True, None),
        ("metadata.drift < 1", {"drift": None}, False, "does not hold: `<` cannot compare nothing with a number"),
        ("metadata.ok == true", {"ok": True}, True, None),
        ('metadata["val-acc"] > 0.5', {"val-acc": 0.6}, True, None),
    ],
)  # fmt: skip
def test_after_a_node_what_is_missing_is_unequal_to_everything(
    condition: str, metadata: Mapping[str, object], fires: bool, warning: str | None
) -> None:
    node = execution("detect", actions=stops("node-complete", condition))
    world = World(plan([node]), measuring(metadata)).start().finish()
    assert world.state.status == ("stopped" if fires else "complete")
    assert warned(world) == ([] if warning is None else [f"condition `{condition}` {warning}"])


def test_after_a_failure_what_is_missing_is_unequal_too() -> None:
    node = execution("a", on_error=OnError.CONTINUE, actions=stops("node-error", "metadata.drift != 1"))
    world = World(plan([node, execution("b")]), fails("a")).start().finish()
    assert any(isinstance(event, events.ActionTaken) for event in world.events)


def test_before_a_node_no_comparison_with_its_metadata_holds() -> None:
    node = execution("a", actions=stops("node-starting", "metadata.drift != 1"))
    world = World(plan([node]), completes).start().finish()
    assert world.state.status == "complete"
    assert warned(world) == ["condition `metadata.drift != 1` does not hold: `metadata.drift` is not there"]


def over_task(condition: str, *metadata: Mapping[str, object] | None) -> World:
    node = task(
        "t", len(metadata), on_child_error=OnChildError.CONTINUE_AND_COMPLETE, actions=stops("node-complete", condition)
    )
    return World(plan([node]), measuring(*metadata), capacity=9).start().finish()


@pytest.mark.parametrize(
    ("condition", "metadata", "fires"),
    [
        ("metadata.loss > 1", ({"loss": 2}, {"loss": 3}), True),
        ("metadata.loss > 1", ({"loss": 2}, {}), False),
        ("metadata.loss != 1", ({"loss": 2}, {}), True),
        ("metadata.a < metadata.b", ({"b": 9}, {"a": 1}), False),
        ("metadata.a == 1 or metadata.b == 9", ({"b": 9}, {"a": 1}), True),
        ("metadata.x > 1 and parameter.x != 7", ({"x": 2}, None, {"x": 2}), True),
        ("metadata.loss != 1", (None, None), False),
        ("metadata.loss == 1 or 1 == 1", (None, None), True),
        ("2 in metadata.loss", ({"loss": 2}, {}), True),
    ],
)  # fmt: skip
def test_of_a_task_each_completed_execution_is_looked_at_by_itself(
    condition: str, metadata: tuple[Mapping[str, object] | None, ...], fires: bool
) -> None:
    assert over_task(condition, *metadata).state.status == ("stopped" if fires else "complete")
