"""What the scheduler decides besides failures: order, slots, actions, approval, deployments, stopping."""

from collections.abc import Callable

import pytest
from worlds import World, completes, deployment, execution, fails, feeds, follows, plan, task

from vhpipe.config.model import EdgeKind, OnError
from vhpipe.plan.model import AttemptId, PlannedAction, PlannedEdge, PlannedTask
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status


def action(when: str, then: str, *conditions: str) -> PlannedAction:
    return PlannedAction((when,), (then,), conditions)


def measuring(**metadata: object) -> Callable[[AttemptId], stimuli.AttemptReported]:
    return lambda attempt: stimuli.AttemptReported(attempt, Status.COMPLETE, 0, metadata=metadata)


def detecting(drift: float) -> World:
    """`detect` measures the drift and stops the pipeline where there is none; `train` follows."""
    detect = execution("detect", actions=(action("node-complete", "stop-pipeline", "metadata.drift <= 1"),))
    nodes = [detect, execution("train")]
    return World(plan(nodes, [follows(0, "detect", "train")]), measuring(drift=drift)).start().finish()


def names(world: World) -> list[str]:
    return [attempt.execution.node for attempt in world.started]


def test_nodes_start_in_file_order_as_their_upstream_completes() -> None:
    nodes = [execution("c"), execution("a"), execution("b")]
    world = World(plan(nodes, [follows(0, "c", "b"), follows(1, "a", "b")]), completes).start().finish()
    assert names(world) == ["c", "a", "b"]


def test_no_more_run_at_once_than_there_are_slots() -> None:
    world = World(plan([task("t", 9)]), completes, capacity=3).start().finish()
    assert (world.most_running, len(world.started)) == (3, 9)


def test_a_task_runs_no_more_children_at_once_than_it_allows_and_others_pass_it() -> None:
    limited = task("t", 5)
    limited = PlannedTask(limited.name, limited.spec, limited.sweep, maximum_queued_executions=1)
    world = World(plan([limited, execution("e")]), completes, capacity=3).start()
    assert [str(attempt.execution) for attempt in world.started] == ["t#0", "e#0"]
    world.finish()
    assert world.statuses() == {"t": "complete", "e": "complete"}


def test_stop_pipeline_at_node_complete_is_an_early_end_and_no_failure() -> None:
    world = detecting(drift=0.5)
    assert (world.state.status, world.statuses()) == ("stopped", {"detect": "complete", "train": "skipped"})
    assert world.state.stopping is not None
    assert not world.state.stopping.by_user


def test_a_condition_that_does_not_hold_lets_the_run_go_on() -> None:
    assert detecting(drift=3).state.status == "complete"


def test_a_condition_on_metadata_that_is_not_there_is_false_and_said() -> None:
    detect = execution("detect", actions=(action("node-complete", "error-pipeline", "metadata.drfit <= 1"),))
    world = World(plan([detect]), measuring(drift=0)).start().finish()
    assert world.state.status == "complete"
    warnings = [event.message for event in world.events if isinstance(event, events.Warned)]
    assert len(warnings) == 1
    assert "metadata.drfit" in warnings[0]


def test_error_pipeline_makes_the_run_an_error() -> None:
    world = World(plan([execution("a", actions=(action("node-starting", "error-pipeline"),))]), completes).start()
    assert (world.state.status, world.statuses()) == ("error", {"a": "skipped"})


def test_node_error_actions_fire_although_the_node_continues() -> None:
    failing = execution("a", on_error=OnError.CONTINUE, actions=(action("node-error", "error-pipeline"),))
    world = World(plan([failing, execution("b")], [follows(0, "a", "b")]), fails("a")).start().finish()
    assert (world.state.status, world.statuses()["b"]) == ("error", "skipped")


def test_a_run_with_a_node_in_error_is_an_error_even_if_an_action_stops_it() -> None:
    failing = execution("a", on_error=OnError.STOP_NEXT, actions=(action("node-error", "stop-pipeline"),))
    world = World(plan([failing]), fails("a")).start().finish()
    assert world.state.status == "error"


def test_approval_at_node_starting_holds_the_node_and_nothing_else() -> None:
    held = execution("held", actions=(action("node-starting", "require-approval"),))
    world = World(plan([held, execution("side"), execution("after")], [follows(0, "held", "after")]), completes)
    world.start().finish()
    assert world.statuses() == {"held": "created", "side": "complete", "after": "created"}
    world.answer("held")
    world.finish()
    assert world.state.status == "complete"


def test_approval_at_node_complete_holds_the_downstream() -> None:
    held = execution("held", actions=(action("node-complete", "require-approval"),))
    world = World(plan([held, execution("after")], [follows(0, "held", "after")]), completes).start().finish()
    assert world.statuses() == {"held": "complete", "after": "created"}
    assert world.state.status == "started"
    world.answer("held")
    world.finish()
    assert world.state.status == "complete"


def test_a_refused_approval_stops_the_run_by_the_user() -> None:
    held = execution("held", actions=(action("node-starting", "require-approval"),))
    world = World(plan([held, task("t", 4)]), completes).start()
    world.answer("held", approved=False)
    world.finish()
    assert world.state.status == "stopped"
    assert world.state.stopping is not None
    assert world.state.stopping.by_user
    assert world.statuses() == {"held": "skipped", "t": "stopped"}


def test_an_answer_nobody_awaits_changes_nothing() -> None:
    world = World(plan([execution("a")]), completes).start()
    before = len(world.events)
    world.answer("a")
    world.answer("no such node")
    assert len(world.events) == before


def test_a_late_report_of_an_old_attempt_changes_nothing() -> None:
    world = World(plan([execution("a", on_error=OnError.RETRY)]), fails("a")).start()
    first = world.started[0]
    world.step()
    before = len(world.events)
    world.hear(stimuli.AttemptReported(first, Status.COMPLETE, 0))
    assert len(world.events) == before


def test_stopping_stops_what_runs_and_skips_what_has_not_started() -> None:
    world = World(plan([task("t", 5), execution("after")], [follows(0, "t", "after")]), completes, capacity=2).start()
    world.step()
    world.hear(stimuli.StopRequested("received SIGINT"))
    stopping = [event for event in world.events if isinstance(event, events.AttemptStopping)]
    assert len(stopping) == 2
    world.finish()
    assert world.children("t") == ["complete", "stopped", "stopped", "stopped", "stopped"]
    assert world.statuses() == {"t": "stopped", "after": "skipped"}
    assert world.events[-1] == events.RunEnded(Status.STOPPED, "received SIGINT")


def test_a_second_request_to_stop_changes_nothing() -> None:
    world = World(plan([execution("a")]), completes).start()
    world.hear(stimuli.StopRequested("one"))
    world.hear(stimuli.StopRequested("two"))
    assert sum(isinstance(event, events.RunStopping) for event in world.events) == 1


def test_an_attempt_that_completed_before_the_stop_reached_it_stays_complete() -> None:
    world = World(plan([execution("a")]), completes).start()
    world.hear(stimuli.StopRequested("received SIGTERM"))
    world.hear(stimuli.AttemptReported(world.running.popleft(), Status.COMPLETE, 0))
    assert (world.statuses(), world.state.status) == ({"a": "complete"}, "stopped")


def test_a_deployment_waits_for_its_files_and_lets_its_version_be_read() -> None:
    edges = [
        PlannedEdge(0, "train", EdgeKind.OUTPUT, "model*", "deploy", EdgeKind.FILE, "e.model"),
        PlannedEdge(1, "deploy", EdgeKind.DEPLOYMENT, "version_id", "test", EdgeKind.PARAMETER, "x"),
    ]
    world = World(plan([execution("train"), deployment("deploy"), task("test", 1)], edges), completes).start().finish()
    assert world.state.status == "complete"
    bound = world.state.nodes["test"].bound
    assert bound is not None
    assert bound.values == {"x": "v-id"}


@pytest.mark.parametrize("moment", ["node-starting", "node-complete"])
def test_an_approval_is_asked_for_once(moment: str) -> None:
    held = task("held", 3, actions=(action(moment, "require-approval"),))
    world = World(plan([held]), completes).start().finish()
    world.answer("held")
    world.finish()
    assert sum(isinstance(event, events.ApprovalAwaited) for event in world.events) == 1
    assert world.state.status == "complete"


def test_an_edge_that_matches_nothing_fails_the_node_before_it_starts_and_says_what_was_there() -> None:
    nodes = [execution("a"), execution("b", "data", on_error=OnError.RETRY)]
    world = World(plan(nodes, [feeds(0, "a", "b", "weights*")]), completes).start().finish()
    node = world.state.nodes["b"]
    assert (node.status, len(world.started)) == ("error", 1)
    assert node.because is not None
    assert "weights*" in node.because
    assert "model-0.pkl" in node.because
