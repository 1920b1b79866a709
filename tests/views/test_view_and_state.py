"""The state that the scheduler folds and the view that people see are two folds of one journal: they must agree."""

from random import Random

import pytest
from crowds import Crowd

from vhpipe.plan.execution import in_declared_types
from vhpipe.plan.model import ExecutionId, PlannedDeployment
from vhpipe.schedule import events
from vhpipe.schedule.state import NodeState
from vhpipe.schedule.terms import Status
from vhpipe.views.node_progress import Counts, NodeView
from vhpipe.views.progress import RunView


@pytest.mark.parametrize("block", range(5))
def test_the_view_of_a_run_is_its_state_at_every_end_of_a_decision(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        crowd = Crowd(Random(seed))
        view = RunView.start(crowd.plan, 1)
        seen = 0
        for _ in range(200):
            for recorded in crowd.records[seen:]:
                view.apply(events.RecordedEvent(seen, float(seen), recorded.event))
                seen += 1
            assert_equal(crowd, view)
            if not crowd.turn():
                break


def assert_equal(crowd: Crowd, view: RunView) -> None:
    state = crowd.scheduler.state
    assert (view.status, view.because) == (state.status, view.because if state.stopping else state.because)
    assert list(view.published.values()) == list(state.published.values())
    for planned in crowd.plan.nodes:
        shown, node = view.nodes[planned.name], state.nodes[planned.name]
        assert (shown.status, shown.waits_because) == (node.status, node.waits_because)
        assert shown.approval is node.awaiting
        if not isinstance(planned, PlannedDeployment) and node.status is not Status.CREATED:
            assert shown.counts == counts_of(node)
            assert_executions_equal(crowd, shown, node)


def counts_of(node: NodeState) -> Counts:
    statuses = [each.status for each in node.executions]
    failed = statuses.count(Status.ERROR) + statuses.count(Status.CRASHED)
    reused = sum(each.origin is not None for each in node.executions)
    counted = Counts(
        len(statuses), node.queued, node.running, node.completed, failed, statuses.count(Status.STOPPED), reused
    )
    assert (counted.queued, counted.complete) == (statuses.count(Status.QUEUED), statuses.count(Status.COMPLETE))
    return counted


def assert_executions_equal(crowd: Crowd, shown: NodeView, node: NodeState) -> None:
    for index, execution in enumerate(node.executions):
        seen = shown.execution(index)
        assert seen.status is execution.status
        assert (seen.outputs, seen.metadata) == (execution.outputs, execution.metadata)
        assert seen.reused_from == execution.origin
        spec = crowd.scheduler.execution_spec(ExecutionId(shown.name, index))
        assert shown.parameters(index, crowd.plan.seed) == in_declared_types(spec.step, spec.values)
