"""What of a node's results its `monitor` shows as the run's own, and under which names.

Source: decision 88.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from vhpipe.language.globs import match_outputs
from vhpipe.plan.model import Datum, MonitorName, PlannedMonitor

WILDCARDS = frozenset("*?[")


class MonitoredResult(NamedTuple):
    kind: Literal["artifact", "model"]
    name: str
    datum: Datum


def monitored_metrics(monitor: PlannedMonitor, values: Mapping[str, object]) -> dict[str, object]:
    """The values that are metrics of the run, by the names that they have there."""
    return {
        name_in_run(shown, name): value
        for name, value in values.items()
        if name != "_time"
        for shown in monitor.metrics
        if name == shown.source or fnmatchcase(name, shown.source)
    }


def monitored_outputs(monitor: PlannedMonitor, outputs: Sequence[Datum]) -> Iterator[MonitoredResult]:
    """The outputs that are artifacts or models of the run; globs select as those of edges do."""
    yield from (MonitoredResult("artifact", *each) for each in _matching_outputs(monitor.artifacts, outputs))
    yield from (MonitoredResult("model", *each) for each in _matching_outputs(monitor.models, outputs))


def _matching_outputs(watched: Iterable[MonitorName], outputs: Sequence[Datum]) -> Iterator[tuple[str, Datum]]:
    by_name = {datum.name: datum for datum in outputs}
    for shown in watched:
        for name in match_outputs(shown.source, tuple(by_name)):
            yield name_in_run(shown, name), by_name[name]


def name_in_run(shown: MonitorName, name: str) -> str:
    """What a result that matches is called in the run.

    Without another name it keeps its own; one star in the glob and one in the new name stand for the same.
    """
    if WILDCARDS.isdisjoint(shown.source):
        return shown.target
    if shown.source == shown.target:
        return name
    if WILDCARDS.isdisjoint(shown.source.replace("*", "", 1)) and shown.target.count("*") == 1:
        before, _, after = shown.source.partition("*")
        return shown.target.replace("*", name.removeprefix(before).removesuffix(after))
    return shown.target
