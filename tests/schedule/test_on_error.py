"""The golden table of failure policies: on-error × on-child-error × how many children fail.

The pipeline: `train`, a task of four children on two slots, feeds `evaluate`; `side` is a parallel branch that waits
for a slot while the first children run. With one failure it is `train#1` that fails.
"""

import pytest
from worlds import World, completes, execution, fails, feeds, plan, task

from vhpipe.config.model import OnChildError, OnError
from vhpipe.plan.model import AttemptId, ExecutionId, PlannedNode
from vhpipe.schedule import events, stimuli
from vhpipe.schedule.terms import Status

STATUS = {"c": "complete", "e": "error", "s": "stopped", "-": "skipped"}

# on-error    on-child-error       failing  train  children  evaluate  side  run
TASKS = """
  stop-all    unset                  one      e      cess       -        s     e
  stop-all    unset                  all      e      esss       -        s     e
  stop-all    continue-and-complete  one      c      cecc       c        c     c
  stop-all    continue-and-complete  all      c      eeee       -        c     c
  stop-all    continue-and-error     one      e      cecc       -        s     e
  stop-all    continue-and-error     all      e      eeee       -        s     e
  stop-all    stop-all-and-error     one      e      cess       -        s     e
  stop-all    stop-all-and-error     all      e      esss       -        s     e
  stop-next   unset                  one      e      cecc       -        c     e
  stop-next   unset                  all      e      eeee       -        c     e
  stop-next   continue-and-complete  one      c      cecc       c        c     c
  stop-next   continue-and-complete  all      c      eeee       -        c     c
  stop-next   continue-and-error     one      e      cecc       -        c     e
  stop-next   continue-and-error     all      e      eeee       -        c     e
  stop-next   stop-all-and-error     one      e      cess       -        c     e
  stop-next   stop-all-and-error     all      e      esss       -        c     e
  continue    unset                  one      c      cecc       c        c     c
  continue    unset                  all      e      eeee       -        c     e
  continue    continue-and-complete  one      c      cecc       c        c     c
  continue    continue-and-complete  all      c      eeee       -        c     c
  continue    continue-and-error     one      c      cecc       c        c     c
  continue    continue-and-error     all      e      eeee       -        c     e
  continue    stop-all-and-error     one      c      cess       c        c     c
  continue    stop-all-and-error     all      e      esss       -        c     e
  retry       unset                  one      e      cecc       -        c     e
  retry       unset                  all      e      esss       -        c     e
  retry       continue-and-complete  one      c      cecc       c        c     c
  retry       continue-and-complete  all      c      eeee       -        c     c
  retry       continue-and-error     one      e      cecc       -        c     e
  retry       continue-and-error     all      e      eeee       -        c     e
  retry       stop-all-and-error     one      e      cecc       -        c     e
  retry       stop-all-and-error     all      e      esss       -        c     e
"""

# on-error    train  evaluate  side  run      (train is one execution, which fails)
EXECUTIONS = """
  stop-all      e       -       s     e
  stop-next     e       -       c     e
  continue      c       c       c     c
  retry         e       -       c     e
"""


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def walked(train: PlannedNode, *failing: str, capacity: int = 2) -> World:
    nodes = [train, execution("evaluate", "data"), execution("side")]
    return World(plan(nodes, [feeds(0, "train", "evaluate", "model*")]), fails(*failing), capacity).start().finish()


@pytest.mark.parametrize("row", rows(TASKS), ids=" ".join)
def test_a_task_ends_as_its_policies_say(row: list[str]) -> None:
    on_error, on_child_error, failing, train, children, evaluate, side, run = row
    child = None if on_child_error == "unset" else OnChildError(on_child_error)
    node = task("train", 4, on_error=OnError(on_error), on_child_error=child)
    world = walked(node, "train" if failing == "all" else "train#1")
    expected = {"train": STATUS[train], "evaluate": STATUS[evaluate], "side": STATUS[side]}
    assert world.statuses() == expected
    assert world.children("train") == [STATUS[child] for child in children]
    assert world.state.status == STATUS[run]


@pytest.mark.parametrize("row", rows(EXECUTIONS), ids=" ".join)
def test_an_execution_ends_as_its_policy_says(row: list[str]) -> None:
    on_error, train, evaluate, side, run = row
    world = walked(execution("train", on_error=OnError(on_error)), "train", capacity=1)
    assert world.statuses() == {"train": STATUS[train], "evaluate": STATUS[evaluate], "side": STATUS[side]}
    assert world.state.status == STATUS[run]


def test_stop_next_skips_downstream_transitively() -> None:
    nodes = [execution("a", on_error=OnError.STOP_NEXT), execution("b", "data"), execution("c", "data"), execution("d")]
    edges = [feeds(0, "a", "b"), feeds(1, "b", "c")]
    world = World(plan(nodes, edges), fails("a")).start().finish()
    assert world.statuses() == {"a": "error", "b": "skipped", "c": "skipped", "d": "complete"}


def test_retry_gives_an_execution_three_attempts_and_no_more() -> None:
    world = walked(execution("train", on_error=OnError.RETRY), "train")
    assert [attempt.number for attempt in world.started if attempt.execution.node == "train"] == [1, 2, 3]


def test_retry_that_succeeds_leaves_no_trace_in_the_statuses() -> None:
    def second_time(attempt: AttemptId) -> Status:
        return Status.ERROR if attempt.number == 1 and attempt.execution.node == "train" else Status.COMPLETE

    train = task("train", 3, on_error=OnError.RETRY)
    world = World(plan([train, execution("next", "data")], [feeds(0, "train", "next")]), second_time).start().finish()
    assert world.statuses() == {"train": "complete", "next": "complete"}
    assert world.state.nodes["train"].failed == 0


def test_a_failure_that_another_attempt_cannot_change_is_not_retried() -> None:
    def refused(attempt: AttemptId) -> stimuli.AttemptReported:
        return stimuli.AttemptReported(attempt, Status.ERROR, because="refused", final=True)

    world = World(plan([execution("train", on_error=OnError.RETRY)]), refused).start().finish()
    assert len(world.started) == 1


def test_a_stop_names_the_failure_it_comes_from() -> None:
    world = walked(task("train", 4), "train#1")
    assert world.state.because == "`train` failed: `train#1` failed: exit code 1"
    assert world.state.nodes["side"].because == world.state.because


def test_continue_passes_on_what_a_failed_execution_left() -> None:
    world = walked(execution("train", on_error=OnError.CONTINUE), "train")
    bound = world.state.nodes["evaluate"].bound
    assert bound is not None
    assert [file.path for file in bound.files[0][1]] == ["model-0.pkl"]
    assert world.state.nodes["train"].failed == 1


def test_continue_takes_outputs_of_completed_children_only() -> None:
    world = walked(task("train", 3, on_error=OnError.CONTINUE), "train#1")
    bound = world.state.nodes["evaluate"].bound
    assert bound is not None
    assert [file.path for file in bound.files[0][1]] == ["model-0.pkl", "model-2.pkl"]


def test_nothing_more_starts_once_everything_stops() -> None:
    world = walked(task("train", 10), "train#0")
    assert len(world.started) == 2


def test_all_is_complete_where_nothing_fails() -> None:
    world = World(plan([task("a", 5), execution("b", "data")], [feeds(0, "a", "b")]), completes).start().finish()
    assert (world.state.status, world.statuses()) == ("complete", {"a": "complete", "b": "complete"})


def retrying_task_on_two_slots() -> World:
    return World(plan([task("train", 3, on_error=OnError.RETRY)]), completes, capacity=2).start()


def failed(world: World, index: int) -> None:
    """The first attempt of a child of `train` ends with a failure of its own."""
    attempt = AttemptId(ExecutionId("train", index))
    world.hear(stimuli.AttemptReported(attempt, Status.ERROR, because="exit code 1"))


def tried_again(world: World) -> list[str]:
    return [str(event.execution) for event in world.events if isinstance(event, events.RetryScheduled)]


def test_what_fails_while_its_node_is_stopping_is_not_tried_again() -> None:
    world = retrying_task_on_two_slots()
    world.hear(stimuli.StopConditionMet(AttemptId(ExecutionId("train")), "loss < 1", of_task=True))
    failed(world, 1)
    assert tried_again(world) == []
    world.hear(stimuli.AttemptReported(AttemptId(ExecutionId("train")), Status.COMPLETE))
    assert world.children("train") == ["complete", "error", "stopped"]
    assert world.state.status is Status.ERROR


def test_what_fails_while_the_run_is_stopping_is_not_tried_again() -> None:
    world = retrying_task_on_two_slots()
    world.hear(stimuli.StopRequested("received SIGINT"))
    failed(world, 0)
    failed(world, 1)
    assert tried_again(world) == []
    assert world.children("train") == ["error", "error", "stopped"]
    assert world.state.status is Status.STOPPED
