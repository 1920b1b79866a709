"""What a run would do, as text and as JSON: executions that fare alike stand on one line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from vhpipe.plan.model import ExecutionId, Origin
from vhpipe.plan.provenance import CountedCode, Difference
from vhpipe.schedule.terms import Status, what_became
from vhpipe.views.json_values import SCHEMA, json_value
from vhpipe.views.run_json import origin_json
from vhpipe.views.run_text import duration_text
from vhpipe.views.safe_text import one_line
from vhpipe.views.why import code_json, code_text, difference_text, differences_json, uncounted_lines

SHOWN_DIFFERENCES = 3
SHOWN_LINES = 20
"""Lines for one node."""


class PastExecution(NamedTuple):
    """The execution of an earlier run that one to come is compared with; `differences` None: not known any more."""

    run: int
    status: Status
    differences: tuple[Difference, ...] | None
    took_s: float | None = None
    uncounted: tuple[Difference, ...] = ()
    """What differs in files that are not its code."""


class PreviewRow(msgspec.Struct, frozen=True):
    """One execution, or with `index` None an entire node.

    `is_compared`: what it stands on is known; `past` None then says that no earlier run has it. `is_unknown` says that
    nothing like it was found, which the differences explain; `found` is what reuse would take with `reuse_option`.
    """

    node: str
    index: int | None
    action: str
    because: str | None = None
    origin: Origin | None = None
    found: Origin | None = None
    past: PastExecution | None = None
    is_compared: bool = False
    is_unknown: bool = False
    is_task: bool = False
    needs_approval: bool = False
    code: CountedCode | None = None
    reuse_option: str = "--reuse"


class _Line(NamedTuple):
    label: str
    action: str
    reason: str


def dry_run_lines(pipeline: str, foretold: Sequence[PreviewRow]) -> Iterator[str]:
    """Lines that are safe to show."""
    counted = Counter(each.action for each in foretold)
    yield f"dry run of {one_line(pipeline)}: " + ", ".join(f"{count} {action}" for action, count in counted.items())
    lines = [line for _, of_node in groupby(foretold, lambda each: each.node) for line in _of_node(list(of_node))]
    width = max((len(line.label) for line in lines), default=0)
    action_width = max((len(line.action) for line in lines), default=0)
    for line in lines:
        yield f"  {line.label.ljust(width)}  {line.action.ljust(action_width)}  {line.reason}".rstrip()


def _of_node(foretold: list[PreviewRow]) -> Iterator[_Line]:
    alike = [list(group) for _, group in groupby(foretold, lambda each: (each.action, reason_of(each)))]
    for group in alike[:SHOWN_LINES]:
        first = group[0]
        yield _Line(_label(first, group[-1]), first.action, one_line(f"{reason_of(first)}{_took(group)}"))
    more = sum(map(len, alike[SHOWN_LINES:]))
    if more:
        yield _Line(f"and {more} more", "", "--json has them all")


def _label(first: PreviewRow, last: PreviewRow) -> str:
    """`train`, `train#3`, `train#0..5`."""
    name = one_line(first.node)
    if first.index is None or not first.is_task:
        return name
    return f"{name}#{first.index}" if first is last else f"{name}#{first.index}..{last.index}"


def reason_of(each: PreviewRow) -> str:
    """Why, in the words of `vhpipe why`."""
    return "; ".join(_reasons(each))


def _reasons(each: PreviewRow) -> Iterator[str]:
    if each.origin is not None:
        yield _from(each, each.origin)
    elif each.because is not None and not each.is_unknown:
        yield each.because
    if each.action == "run" and each.found is not None:
        yield f"{each.reuse_option} would take it {_from(each, each.found)}"
    elif each.action == "run" and each.is_compared:
        yield "no earlier run has it" if each.past is None else _since(each.past)
    if text := code_text(each.code):
        yield text
    if each.past is not None:
        yield from uncounted_lines(each.past.uncounted, SHOWN_DIFFERENCES)
    if each.needs_approval:
        yield "needs approval"


def _from(each: PreviewRow, origin: Origin) -> str:
    """`from run 3`, and which execution of it where that is another."""
    made = origin.attempt.execution
    return f"from run {origin.run}" if made == ExecutionId(each.node, each.index or 0) else f"from {origin}"


def _since(past: PastExecution) -> str:
    if past.differences is None:
        return f"what it depended on in run {past.run} is no longer kept"
    if not past.differences:
        status = "" if past.status is Status.COMPLETE else f", where it {what_became(past.status)}"
        return f"nothing differs from run {past.run}{status}"
    shown = [difference_text(each) for each in past.differences[:SHOWN_DIFFERENCES]]
    more = len(past.differences) - len(shown)
    return f"since run {past.run}: {'; '.join(shown)}" + (f"; and {more} more" if more else "")


def _took(group: Sequence[PreviewRow]) -> str:
    """How long it took the last time, all of it together."""
    known = [each.past for each in group if each.action == "run" and each.past and each.past.took_s is not None]
    if not known or len(known) < len(group):
        return ""
    return f" (took {duration_text(sum(past.took_s or 0.0 for past in known))})"


def dry_run_json(pipeline: str, foretold: Sequence[PreviewRow]) -> dict[str, object]:
    """`index` is null for an entire node; `against` is the execution that it was compared with."""
    nodes: dict[str, list[dict[str, object]]] = {}
    for each in foretold:
        nodes.setdefault(each.node, []).append(_foretold_json(each))
    return {"schema": SCHEMA, "pipeline": json_value(pipeline), "dry_run": True, "nodes": nodes}


def _foretold_json(each: PreviewRow) -> dict[str, object]:
    past = each.past
    return {
        "index": each.index,
        "action": each.action,
        "because": json_value(reason_of(each)),
        "reused_from": origin_json(each.origin),
        "code": code_json(each.code),
        "against": None if past is None else {
            "run": past.run,
            "status": str(past.status),
            "took_s": past.took_s,
            "differences": differences_json(past.differences),
            "uncounted": differences_json(past.uncounted),
        },
    }  # fmt: skip
