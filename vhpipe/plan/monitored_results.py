"""What of a node's results its `monitor` shows as the run's own, and under which names.

Source: decision 88.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple, TypeVar

from vhpipe.language.globs import match_outputs
from vhpipe.plan.model import Datum, MonitorName, PlannedMonitor

Measured = TypeVar("Measured")

WILDCARDS = frozenset("*?[")


class MonitoredResult(NamedTuple):
    kind: Literal["artifact", "model"]
    name: str
    datum: Datum


def monitored_metrics(monitor: PlannedMonitor, values: Mapping[str, Measured]) -> dict[str, Measured]:
    """The values that are metrics of the run, by the names that they have there; of equal names the later monitor's."""
    return {name_in_run(shown, name): values[name] for shown in monitor.metrics for name in _names(shown, values)}


def _names(shown: MonitorName, values: Mapping[str, object]) -> Iterator[str]:
    return (name for name in values if name != "_time" and (name == shown.source or fnmatchcase(name, shown.source)))


def unmatched_monitors(
    monitor: PlannedMonitor, values: Mapping[str, object], outputs: Sequence[Datum]
) -> Iterator[tuple[str, MonitorName]]:
    """What selects nothing of an execution's metadata and outputs, each after the word for what it selects."""
    yield from (("metrics", shown) for shown in monitor.metrics if not any(_names(shown, values)))
    names = tuple(datum.name for datum in outputs)
    for word, watched in (("artifacts", monitor.artifacts), ("models", (*monitor.models, *monitor.latest_models))):
        yield from ((word, shown) for shown in watched if not match_outputs(shown.source, names))


def monitored_outputs(monitor: PlannedMonitor, outputs: Sequence[Datum]) -> Iterator[MonitoredResult]:
    """The outputs that are artifacts or models of the run; globs select as those of edges do."""
    yield from (MonitoredResult("artifact", *each) for each in _matching_outputs(monitor.artifacts, outputs))
    yield from (MonitoredResult("model", *each) for each in _matching_outputs(monitor.models, outputs))
    yield from (MonitoredResult("model", *each) for each in _latest_outputs(monitor.latest_models, outputs))


def _matching_outputs(watched: Iterable[MonitorName], outputs: Sequence[Datum]) -> Iterator[tuple[str, Datum]]:
    by_name = {datum.name: datum for datum in outputs}
    for shown in watched:
        for name in match_outputs(shown.source, tuple(by_name)):
            yield name_in_run(shown, name), by_name[name]


def _latest_outputs(watched: Iterable[MonitorName], outputs: Sequence[Datum]) -> Iterator[tuple[str, Datum]]:
    """The last by name of those that match; of all that there are, the one that was made last."""
    for shown in watched:
        found = [datum for _, datum in _matching_outputs((shown,), outputs)]
        if found:
            latest = max(found, key=made_at if shown.source == "*" else lambda datum: datum.name)
            yield name_in_run(shown, latest.name), latest


def made_at(datum: Datum) -> tuple[str, str]:
    """Orders outputs by when they were made, which their ids say; by name those that earlier versions have kept."""
    return (datum.id if datum.id[14:15] == "7" else "", datum.name)


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
