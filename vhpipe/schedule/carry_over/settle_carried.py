"""Nodes and executions that have their results from an earlier run: settled without running.

Source: docs/decisions.md, resuming with changes and parts of a pipeline.
"""

from vhpipe.plan.model import AttemptId, CarriedExecution, CarriedResults, ExecutionId, PlannedDeployment, PlannedNode
from vhpipe.schedule import events
from vhpipe.schedule.endings import Endings
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.published_results import publish
from vhpipe.schedule.terms import Status


def settle_given(ledger: Ledger, endings: Endings, node: PlannedNode) -> None:
    """Settle a node that has all it would make already; none of its actions fires again."""
    given = node.given
    if given is None or not given.is_whole:
        return
    if isinstance(node, PlannedDeployment):
        _create_deployment(ledger, node.name, given)
    else:
        bound = events.InputsBound(
            node.name, given.files, given.values, given.spread, given.environment_variables,
            deferred=given.deferred, configuration=given.configuration,
        )  # fmt: skip
        ledger.emit(bound)
        there = {each.index for each in given.executions}
        missing = tuple(index for index in range(given.total) if index not in there)
        ledger.emit(events.NodeStarted(node.name, given.total, missing))
        settle_given_executions(ledger, node)
    endings.settle_given(node.name)


def settle_given_executions(ledger: Ledger, node: PlannedNode) -> None:
    """Settle those executions of a node that has just been started that are given."""
    for each in node.given.executions if node.given else ():
        ended = _end_event(node.name, each)
        ledger.emit(ended)
        publish(ledger, ended, each.published)


def _end_event(name: str, given: CarriedExecution) -> events.AttemptEnded:
    return events.AttemptEnded(
        AttemptId(ExecutionId(name, given.index)),
        Status.COMPLETE,
        metadata=given.metadata,
        outputs=given.outputs,
        reused_from=given.origin,
        use=given.use,
    )


def _create_deployment(ledger: Ledger, name: str, given: CarriedResults) -> None:
    made = given.deployment
    assert made is not None, "a given deployment node has its version"
    ledger.emit(events.DeploymentCreated(name, made.version, made.identifier, made.version_identifier, made.files))
