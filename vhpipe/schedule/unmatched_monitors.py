"""Monitors that select nothing: said once, when all nodes that have one of them have settled.

Source: decision 88.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vhpipe.plan.model import MonitorName, PlannedExecution, PlannedMonitor, PlannedNode, PlannedTask
from vhpipe.plan.monitored_results import unmatched_monitors
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.terms import SETTLED, Json
from vhpipe.wording import listed


class MonitoredThing(NamedTuple):
    """What one or more entries of a monitor select: `sources` are names or globs, `target` is its name in the run."""

    kind: str
    target: str
    sources: tuple[str, ...]


NOTHING = PlannedMonitor()


def warn_of_unmatched(ledger: Ledger, name: str) -> None:
    """Warn of what a node that is complete now, and every other node that monitors it too, has not made."""
    left = _unmatched(ledger, name)
    for other in ledger.nodes.values() if left else ():
        shared = left & _watched(_monitor_of(other)) if other.name != name else frozenset()
        if shared:
            is_settled = ledger.state.nodes[other.name].status in SETTLED
            left = (left - shared) | (shared & _unmatched(ledger, other.name) if is_settled else frozenset())
    for kind, _, sources in sorted(left):
        ledger.warn(name, (f"its `monitor` of {kind} selected nothing: {listed(sources, ' or ')}",))


def _unmatched(ledger: Ledger, name: str) -> frozenset[MonitoredThing]:
    """What no execution of a node has; of several sources with one new name one is enough."""
    monitor = _monitor_of(ledger.nodes[name])
    left = _watched(monitor)
    published = _published_metrics(ledger, name) if left else {}
    for index, execution in enumerate(ledger.state.nodes[name].executions):
        if not left:
            break
        values = {**published.get(index, {}), **execution.metadata}
        missed = set(unmatched_monitors(monitor, values, execution.outputs))
        found = {(kind, shown.target) for kind, shown in _all(monitor) if (kind, shown) not in missed}
        left = frozenset(each for each in left if (each.kind, each.target) not in found)
    return left


def _published_metrics(ledger: Ledger, node: str) -> Mapping[int, dict[str, Json]]:
    """What the executions of a node have published themselves, by index."""
    found: dict[int, dict[str, Json]] = {}
    for event in ledger.state.published.values():
        if event.execution.node == node and event.kind == "metric" and event.source is None:
            found.setdefault(event.execution.index, {})[event.name] = event.value
    return found


def _monitor_of(node: PlannedNode) -> PlannedMonitor:
    return node.extras.monitor if isinstance(node, PlannedExecution | PlannedTask) else NOTHING


def _watched(monitor: PlannedMonitor) -> frozenset[MonitoredThing]:
    sources: dict[tuple[str, str], list[str]] = {}
    for kind, shown in _all(monitor):
        sources.setdefault((kind, shown.target), []).append(shown.source)
    return frozenset(MonitoredThing(*key, tuple(found)) for key, found in sources.items())


def _all(monitor: PlannedMonitor) -> Iterator[tuple[str, MonitorName]]:
    """What a monitor has, each after the word for what it selects."""
    yield from (("metrics", each) for each in monitor.metrics)
    yield from (("artifacts", each) for each in monitor.artifacts)
    yield from (("models", each) for each in (*monitor.models, *monitor.latest_models))
