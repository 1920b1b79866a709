"""The metrics of a run itself: `metrics.jsonl` in its folder, to which every point is appended as it comes.

They are the metadata that a `monitor` selects, and the metrics that steps publish.
Source: decision 88.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from vhpipe.attempt.news import MetadataFound
from vhpipe.errors import from_os_error
from vhpipe.plan.model import AttemptId, ExecutionId, Plan, PlannedMonitor
from vhpipe.plan.monitored_results import monitored_metrics
from vhpipe.publishing import ITERATION
from vhpipe.regular_files import open_to_append
from vhpipe.schedule import events
from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_all

OF_THE_LINE = frozenset({"_time", "_node", "_index", "_attempt"})
"""What every line has: when, and where it comes from. No metric can be called so."""
NOTHING_MONITORED = PlannedMonitor()
NO_METRICS = OF_THE_LINE | {ITERATION}
"""What a line may have beside metrics."""

_encode = json.JSONEncoder(ensure_ascii=False).encode


class RunMetrics:
    """Appends to the metrics of one run; it observes the run for results that were not made here. Thread-safe."""

    def __init__(self, path: str, plan: Plan) -> None:
        self._path = path
        self._monitors = {node.name: node.extras.monitor for node in plan.nodes if node.extras.monitor.metrics}
        self._taken_over: AttemptId | None = None

    @property
    def monitored(self) -> frozenset[str]:
        """The nodes of whose metadata something is selected."""
        return frozenset(self._monitors)

    def select(self, found: MetadataFound) -> None:
        """Add what is selected of the metadata that an attempt has printed just now."""
        monitor = self._monitors[found.attempt.execution.node]
        now = time.time()
        points = ((each, monitored_metrics(monitor, each)) for each in found.objects)
        self._append([_line(found.attempt, now, each.get("_time"), point) for each, point in points if point])

    def add(self, attempt: AttemptId, points: Sequence[tuple[float, Mapping[str, Json]]]) -> None:
        """Points that a step has published, each with its time, under the names of monitors too.

        Errors: EnvironmentFailure.
        """
        monitor = self._monitors.get(attempt.execution.node, NOTHING_MONITORED)
        try:
            self._append(
                [_line(attempt, at, None, {**monitored_metrics(monitor, each), **each}) for at, each in points]
            )
        except OSError as failure:
            raise from_os_error(failure, "cannot write") from failure

    def observe(self, recorded: events.RecordedEvent) -> None:
        """Of a result that was not made here the last values are points, once: there are no others."""
        event = recorded.event
        if isinstance(event, events.AttemptEnded):
            self._taken_over = event.attempt if event.reused_from is not None else None
        elif isinstance(event, events.Published) and event.kind == "metric" and self._is_taken_over(event.execution):
            assert self._taken_over is not None, "an execution is taken over"
            self.add(self._taken_over, [(recorded.at, {event.name: event.value})])

    def tick(self) -> None:
        pass

    def _is_taken_over(self, execution: ExecutionId) -> bool:
        return self._taken_over is not None and self._taken_over.execution == execution

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        descriptor = open_to_append(self._path)
        try:
            write_all(descriptor, b"".join(lines))
        except OSError as failure:
            failure.filename = self._path
            raise
        finally:
            os.close(descriptor)


def _line(attempt: AttemptId, at: float, said: Json, values: Mapping[str, Json]) -> bytes:
    """`said` is what the step itself says of the time."""
    line: dict[str, Json] = {
        "_time": said if isinstance(said, str) else datetime.fromtimestamp(at, UTC).isoformat(),
        "_node": attempt.execution.node,
        "_index": attempt.execution.index,
        "_attempt": attempt.number,
        **{name: value for name, value in values.items() if name not in OF_THE_LINE},
    }
    return _encode(line).encode("utf-8", "replace") + b"\n"
