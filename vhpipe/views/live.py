"""The rows of the live table: what each node does now, in words; the table itself is painted elsewhere."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vhpipe.schedule.terms import Status
from vhpipe.views.node_progress import FAILED, NodeView
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import counts_text, duration_text, metadata_text
from vhpipe.views.safe_text import one_line


class LiveRow(NamedTuple):
    node: str
    status: str
    executions: str
    time: str
    metadata: str
    is_failed: bool


class LiveTable(NamedTuple):
    """`rest` says what the nodes without a row are doing, empty when all have one."""

    title: str
    rows: tuple[LiveRow, ...]
    rest: str


def live_table(view: RunView, now: float, room: int, measured: Mapping[str, Mapping[str, object]]) -> LiveTable:
    """The table as of `now`, with at most `room` rows; with less room than nodes, those that do something come first.

    `measured` has fresher metadata of running nodes than the events.
    """
    nodes = list(view.nodes.values())
    shown = nodes if len(nodes) <= room else _most_telling(nodes, max(room - 1, 1))
    title = f"run {view.number} of {one_line(view.plan.pipeline)}: {view.status}{_elapsed_text(view, now)}"
    rows = tuple(_row(node, now, measured.get(node.name) or node.metadata) for node in shown)
    return LiveTable(title, rows, _rest(nodes, {node.name for node in shown}))


def _row(node: NodeView, now: float, metadata: Mapping[str, object]) -> LiveRow:
    status = "awaits approval" if node.approval is not None else str(node.status)
    executions = counts_text(node.counts) if node.total else ""
    if node.waits_because:
        executions += f"; {one_line(node.waits_because)}"
    is_failed = node.status in FAILED or node.counts.failed > 0
    return LiveRow(one_line(node.name), status, executions, _time(node, now), metadata_text(metadata), is_failed)


def _time(node: NodeView, now: float) -> str:
    took_s = node.took_s(now)
    return "" if took_s is None else duration_text(took_s)


def _elapsed_text(view: RunView, now: float) -> str:
    return "" if view.started_at is None else f", {duration_text((view.ended_at or now) - view.started_at)}"


def _most_telling(nodes: Sequence[NodeView], room: int) -> list[NodeView]:
    """Waiting for an answer, running, failed, then the rest, newest first; in the order of the plan."""

    def rank(node: NodeView) -> tuple[int, float]:
        order = 0 if node.approval else 1 if node.status is Status.STARTED else 2 if node.status in FAILED else 3
        return order, -(node.ended_at or node.started_at or 0.0)

    chosen = {node.name for node in sorted(nodes, key=rank)[:room]}
    return [node for node in nodes if node.name in chosen]


def _rest(nodes: Sequence[NodeView], shown: set[str]) -> str:
    statuses = [str(node.status) for node in nodes if node.name not in shown]
    if not statuses:
        return ""
    said = ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))
    return f"and {len(statuses)} more nodes: {said}"
