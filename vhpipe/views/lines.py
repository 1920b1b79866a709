"""One plain line per change of a run, and a block where something failed: no control code, nothing to interpret."""

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple, assert_never

from vhpipe.plan.model import AttemptId, PlannedExecution
from vhpipe.schedule import events
from vhpipe.schedule.terms import Moment, Status, ending_word
from vhpipe.views.next_step import next_step
from vhpipe.views.node_progress import FAILED, AttemptView, NodeView
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import (
    FROM_THE_PROJECT,
    Commands,
    HostPaths,
    attempt_text,
    counts_text,
    duration_text,
    host_path_text,
    metadata_text,
    no_host_paths,
    setup_text,
)
from vhpipe.views.safe_text import brief, one_line, safe_log
from vhpipe.wording import counted

LONG_FAILURES = 5
"""So many failures of one node are shown with their log; of the others there is one line each."""

LONGEST_LOG_LINE = 2000


class Weight(IntEnum):
    """How much a line matters: `-q` shows the first kind, a live table has the first two above it, `-v` shows all."""

    VITAL = 0
    NOTABLE = 1
    USUAL = 2
    DETAIL = 3


class Line(NamedTuple):
    """`follows`: it belongs to the line before it and stands below it, indented."""

    text: str
    weight: Weight
    follows: bool = False


class LineContext(NamedTuple):
    """What the lines need of the world: the time of day, the logs, and how to call vhpipe about this run.

    `approvals_are_answered`: nobody needs to see how.
    """

    clock: Callable[[float], str]
    log_path: Callable[[AttemptId], str]
    log_tail: Callable[[AttemptId], tuple[str, ...]]
    commands: Commands = FROM_THE_PROJECT
    approvals_are_answered: bool = False
    host_paths: HostPaths = no_host_paths


def lines_for(
    view: RunView, recorded: events.RecordedEvent, surroundings: LineContext, limit: Weight = Weight.DETAIL
) -> tuple[str, ...]:
    """What to say about an event that has just been applied to the view, down to a weight; often nothing."""
    return tuple(
        f"  {line.text}" if line.follows else f"{surroundings.clock(recorded.at)} {line.text}"
        for line in _said(view, recorded, surroundings, limit)
        if line.weight <= limit
    )


def _said(view: RunView, recorded: events.RecordedEvent, surroundings: LineContext, limit: Weight) -> Iterator[Line]:  # noqa: C901 - a table of events
    event = recorded.event
    match event:
        case events.RunStarted() | events.RunResumed() | events.RunStopping() | events.RunEnded():
            yield _about_run(view, event)
            if isinstance(event, events.RunEnded) and any(node.has_outputs for node in view.nodes.values()):
                outputs = surroundings.commands.about(view.number, "outputs")
                yield Line(f"results: {outputs}", Weight.USUAL, follows=True)
            if isinstance(event, events.RunEnded) and (step := next_step(view, surroundings.commands)) is not None:
                yield Line(step, Weight.VITAL, follows=True)
        case events.AttemptStarted():
            yield from _start_lines(view, event.attempt, surroundings, limit)
        case events.AttemptEnded():
            yield from _end_lines(view, event, surroundings)
        case events.AttemptStopping():
            yield Line(f"{_attempt(view, event.attempt)} stopping: {brief(event.because)}", Weight.DETAIL)
        case events.RetryScheduled():
            label = one_line(view.nodes[event.execution.node].label(event.execution.index))
            later = f" after {duration_text(event.delay_s)}" if event.delay_s else ""
            yield Line(f"{label} queued again{later}, attempt {event.number}", Weight.NOTABLE)
        case events.ApprovalAwaited() | events.ApprovalGranted() | events.ApprovalRefused():
            yield from _about_approval(view, event, surroundings)
        case events.DeploymentRequested() | events.DeploymentCreated() | events.DeploymentFailed():
            yield from _about_deployment(view.nodes[event.node], event)
        case (
            events.NodeStarted() | events.NodeStopping() | events.NodeSettled() | events.Warned() | events.ActionTaken()
        ):
            yield from _about_node(view, view.nodes[event.node], event)
        case events.AttemptLost():
            yield Line(f"{_attempt(view, event.attempt)} is lost: {brief(event.because)}", Weight.DETAIL)
        case events.ReuseAwaited():
            label = one_line(view.nodes[event.execution.node].label(event.execution.index))
            yield Line(f"{label} waits: {brief(event.because)}", Weight.NOTABLE)
        case events.NodeWaiting():
            yield Line(f"{one_line(event.node)} waits: {brief(event.because)}", Weight.NOTABLE)
        case events.Published():
            label = one_line(view.nodes[event.execution.node].label(event.execution.index))
            yield Line(f"{label} published {event.kind} {one_line(event.name)}", Weight.DETAIL)
        case events.InputsBound() | events.InputsFetched() | events.ReuseMissed() | events.NodeReopened():
            pass
        case events.SweepExtended() | events.RetryDue() | events.HookApplied():
            pass
        case _:
            assert_never(event)


def _about_run(
    view: RunView, event: events.RunStarted | events.RunResumed | events.RunStopping | events.RunEnded
) -> Line:
    name = f"run {view.number} of {one_line(view.plan.pipeline)}"
    match event:
        case events.RunStarted():
            return Line(f"{name} started", Weight.USUAL)
        case events.RunResumed():
            return Line(f"{name} continues", Weight.USUAL)
        case events.RunStopping():
            return Line(f"{name} stopping: {_why_it_stops(view, event.because)}", Weight.NOTABLE)
        case events.RunEnded():
            return Line(f"{name} {end_text(view)}", Weight.VITAL)


def end_text(view: RunView) -> str:
    """`failed in 12 s: node train failed`: how a run ended."""
    took = "" if view.started_at is None or view.ended_at is None else duration_text(view.ended_at - view.started_at)
    return f"{ending_word(view.status)}{took and ' in ' + took}{_reason(view.because)}"


def _start_lines(view: RunView, attempt: AttemptId, surroundings: LineContext, limit: Weight) -> Iterator[Line]:
    yield Line(f"{_attempt(view, attempt)} started", Weight.USUAL)
    if limit is Weight.DETAIL:  # finding the path costs as much as all the rest
        yield Line(f"log: {one_line(surroundings.log_path(attempt))}", Weight.DETAIL, follows=True)


def _end_lines(view: RunView, event: events.AttemptEnded, surroundings: LineContext) -> Iterator[Line]:
    node = view.nodes[event.attempt.execution.node]
    if event.reused_from is not None:
        label = one_line(node.label(event.attempt.execution.index))
        yield Line(f"{label} reused from {one_line(str(event.reused_from))}", Weight.USUAL)
        return
    attempt = node.execution(event.attempt.execution.index).attempts[-1]
    took = duration_text(attempt.duration_s or 0.0)
    head = f"{attempt_text(node, event.attempt)} {ending_word(event.outcome)} in {took}{setup_text(attempt)}"
    if event.outcome in FAILED:
        yield Line(head + _reason(attempt.because or exit_text(attempt)), Weight.VITAL)
        yield from (Line(text, Weight.VITAL, follows=True) for text in failure_block(view, event.attempt, surroundings))
    else:
        measured = metadata_text(event.metadata)
        because = None if attempt.because == view.because else attempt.because
        yield Line(head + _reason(because) + (measured and f" {measured}"), Weight.USUAL)
        yield from (Line(f"{one_line(key)}: {one_line(str(value))}", Weight.DETAIL, follows=True)
                    for key, value in event.metadata.items())  # fmt: skip


def _why_it_stops(view: RunView, because: str) -> str:
    """Of a node that failed the reason was said a line before, and is said again when the run has ended."""
    failed = (f"`{name}` failed" for name in view.nodes)
    return brief(next((text for text in failed if because.startswith(f"{text}: ")), because))


def failure_block(view: RunView, attempt: AttemptId, surroundings: LineContext) -> Iterator[str]:
    """What is known about a failed attempt: where, how, the end of its log, the full log, and what to do next.

    What the log names below `/valohai` has the host's path beside it. After a few failures of the same node only where
    its log is.
    """
    node = view.nodes[attempt.execution.node]
    index = attempt.execution.index
    path = one_line(surroundings.log_path(attempt))
    if node.counts.failed > LONG_FAILURES:
        yield f"full log: {path}"
        return
    failed = next(one for one in node.execution(index).attempts if one.number == attempt.number)
    yield f"node {one_line(node.name)}, execution {index}, attempt {attempt.number}, {exit_text(failed)}"
    tail = [safe_log(line)[:LONGEST_LOG_LINE].rstrip().expandtabs() for line in surroundings.log_tail(attempt)]
    if tail or failed.exit_code is not None:  # else it has not begun
        yield log_heading(len(tail))
        yield from (f"| {one_line(line)}" for line in tail)
        yield from map(host_path_text, surroundings.host_paths(attempt))
        yield f"full log: {path}"
    yield f"look inside: {surroundings.commands.about(view.number, 'shell', node.label(index))}"


def log_heading(lines: int) -> str:
    if not lines:
        return "the log is empty"
    return "the last line of the log:" if lines == 1 else f"the last {lines} lines of the log:"


def exit_text(attempt: AttemptView) -> str:
    """Negative codes are signals, as Python counts them."""
    if attempt.exit_code is None:
        return "no exit code"
    return f"exit code {attempt.exit_code}" if attempt.exit_code >= 0 else f"ended by signal {-attempt.exit_code}"


def _about_approval(
    view: RunView,
    event: events.ApprovalAwaited | events.ApprovalGranted | events.ApprovalRefused,
    surroundings: LineContext,
) -> Iterator[Line]:
    name = one_line(event.node)
    match event:
        case events.ApprovalAwaited() if surroundings.approvals_are_answered:
            pass
        case events.ApprovalAwaited():
            held = "" if event.moment is Moment.STARTING else " before its downstream starts"
            yield Line(f"{name} waits for approval{held}", Weight.VITAL)
            for what, verb in (("continue", "approve"), ("refuse", "reject")):
                answer = surroundings.commands.about(view.number, verb, event.node)
                yield Line(f"{what}: {answer}", Weight.VITAL, follows=True)
        case events.ApprovalGranted():
            yield Line(f"{name} approved by {one_line(event.by)}", Weight.NOTABLE)
        case events.ApprovalRefused():
            yield Line(f"{name} refused by {one_line(event.by)}", Weight.VITAL)


def _about_deployment(
    node: NodeView, event: events.DeploymentRequested | events.DeploymentCreated | events.DeploymentFailed
) -> Iterator[Line]:
    name = one_line(node.name)
    match event:
        case events.DeploymentRequested():
            yield Line(f"{name} started", Weight.USUAL)
        case events.DeploymentCreated():
            aliases = f", aliases {', '.join(map(one_line, node.aliases))}" if node.aliases else ""
            yield Line(f"{name} made deployment version {one_line(event.version)}{aliases}", Weight.USUAL)
            yield from (Line(one_line(path), Weight.DETAIL, follows=True) for path in event.files)
        case events.DeploymentFailed():
            yield Line(f"{name} failed: {brief(event.because)}", Weight.VITAL)


def _about_node(
    view: RunView,
    node: NodeView,
    event: events.NodeStarted | events.NodeStopping | events.NodeSettled | events.Warned | events.ActionTaken,
) -> Iterator[Line]:
    name = one_line(node.name)
    match event:
        case events.NodeStarted() if node.type == "task":
            yield Line(f"{name} started: {counted(event.executions, 'execution')}", Weight.USUAL)
        case events.NodeStopping():
            yield Line(f"{name} stopping: {brief(event.because)}", Weight.NOTABLE)
        case events.NodeSettled():
            yield Line(*_settled_text(view, node, name))
        case events.Warned():
            yield Line(f"{name} warning: {brief(event.message)}", Weight.NOTABLE)
        case events.ActionTaken():
            taken = ", ".join(node.planned.actions[event.action].then)
            yield Line(f"{name} action at {event.moment}: {one_line(taken)}", Weight.DETAIL)


def _settled_text(view: RunView, node: NodeView, name: str) -> tuple[str, Weight]:
    """A node with one execution says nothing new when it settles as that ended.

    The reason why the entire run stops is not repeated.
    """
    took_s = node.took_s()
    took = "" if took_s is None else duration_text(took_s)
    counts = f", {counts_text(node.counts)}" if node.type == "task" and node.total else ""
    failed = node.status is Status.COMPLETE and node.because is not None
    reason = f" although it failed: {brief(node.because or '')}" if failed else _reason(_own_reason(view, node))
    text = f"{name} {ending_word(node.status)}{took and ' in ' + took}{counts}{reason}"
    if (
        isinstance(node.planned, PlannedExecution)
        and node.total
        and _failed_alike(node.execution(0).status, node.status)
    ):
        return text, Weight.DETAIL
    is_shown_above = node.type == "deployment" or node.counts.failed
    return text, Weight.VITAL if node.status is Status.ERROR and not is_shown_above else Weight.USUAL


def _failed_alike(one: Status, other: Status) -> bool:
    return one is other or (one in FAILED and other in FAILED)


def _own_reason(view: RunView, node: NodeView) -> str | None:
    return None if node.status is Status.SKIPPED and node.because == view.because else node.because


def _attempt(view: RunView, attempt: AttemptId) -> str:
    return attempt_text(view.nodes[attempt.execution.node], attempt)


def _reason(because: str | None) -> str:
    return f": {brief(because)}" if because else ""
