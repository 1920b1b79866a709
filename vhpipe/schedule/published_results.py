"""What the run itself has: things that steps published, and results of nodes that are monitored.

Source: decision 88.
"""

from collections.abc import Iterable, Iterator, Mapping

from vhpipe.plan.model import ExecutionId, PlannedMonitor, PublishedThing
from vhpipe.plan.monitored_results import monitored_metrics, monitored_outputs
from vhpipe.schedule import events
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.state import RunState
from vhpipe.schedule.terms import Json, Status


def publish(ledger: Ledger, ended: events.AttemptEnded, things: Iterable[PublishedThing]) -> None:
    """Record what an attempt published, however it ended, and what is monitored of it if it is complete."""
    execution, published = ended.attempt.execution, dict[str, Json]()
    for each in things:
        ledger.emit(events.Published(execution, each.kind, each.name, each.datum, each.value))
        if each.kind == "metric":
            published[each.name] = each.value
    for event in _monitored_events(ledger, ended, published) if ended.outcome is Status.COMPLETE else ():
        ledger.emit(event)


def _monitored_events(
    ledger: Ledger, ended: events.AttemptEnded, published: Mapping[str, Json]
) -> Iterator[events.Published]:
    """Metrics that the step has published itself are monitored too, where they get another name."""
    execution = ended.attempt.execution
    monitor = ledger.nodes[execution.node].extras.monitor
    for each in monitored_outputs(monitor, ended.outputs):
        yield events.Published(execution, each.kind, each.name, each.datum, source=each.datum.name)
    if not monitor.metrics:
        return
    found = {**_named(monitor, published), **_named(monitor, ended.metadata)}
    for name, (source, value) in found.items():
        if published.get(name) is None or source != name:
            yield events.Published(execution, "metric", name, value=value, source=source)


def _named(monitor: PlannedMonitor, values: Mapping[str, Json]) -> dict[str, tuple[str, Json]]:
    """Of each metric of the run what the node calls it, and its value."""
    return monitored_metrics(monitor, {key: (key, value) for key, value in values.items()})


def things_published_by(state: RunState, execution: ExecutionId) -> tuple[PublishedThing, ...]:
    """What an execution published itself, as far as nobody has replaced it."""
    return tuple(
        PublishedThing(event.kind, event.name, event.datum, event.value)
        for event in state.published.values()
        if event.execution == execution and event.source is None
    )
