"""What the run itself has: things that steps published, and results of nodes that are monitored.

Source: decision 88.
"""

from collections.abc import Iterable, Iterator

from vhpipe.plan.model import ExecutionId, PublishedThing
from vhpipe.plan.monitored_results import monitored_metrics, monitored_outputs
from vhpipe.schedule import events
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Status


def publish(ledger: Ledger, ended: events.AttemptEnded, things: Iterable[PublishedThing]) -> None:
    """Record what an attempt published, however it ended, and what is monitored of it if it is complete."""
    execution = ended.attempt.execution
    for each in things:
        ledger.emit(events.Published(execution, each.kind, each.name, each.datum, each.value))
    for event in _monitored_events(ledger, ended) if ended.outcome is Status.COMPLETE else ():
        ledger.emit(event)


def _monitored_events(ledger: Ledger, ended: events.AttemptEnded) -> Iterator[events.Published]:
    execution = ended.attempt.execution
    monitor = ledger.nodes[execution.node].extras.monitor
    for each in monitored_outputs(monitor, ended.outputs):
        yield events.Published(execution, each.kind, each.name, each.datum, source=each.datum.name)
    for key, value in ended.metadata.items() if monitor.metrics else ():
        for name in monitored_metrics(monitor, {key: value}):
            yield events.Published(execution, "metric", name, value=value, source=key)


def things_published_by(state: RunState, execution: ExecutionId) -> tuple[PublishedThing, ...]:
    """What an execution published itself, as far as nobody has replaced it."""
    return tuple(
        PublishedThing(event.kind, event.name, event.datum, event.value)
        for event in state.published.values()
        if event.execution == execution and event.source is None
    )
