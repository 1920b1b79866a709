"""A run in words: what `vhpipe show` prints."""

from collections.abc import Iterator

from vhpipe.plan.model import AttemptId, CommitOfStep, ExecutionId
from vhpipe.schedule.terms import ending_word
from vhpipe.views.lines import end_text, exit_text
from vhpipe.views.next_step import next_step
from vhpipe.views.node_progress import FAILED, NodeView
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import (
    FROM_THE_PROJECT,
    TOLD_SETUP_S,
    Commands,
    RunDetails,
    counts_text,
    duration_text,
    host_path_text,
    metadata_text,
    use_text,
)
from vhpipe.views.safe_text import brief, one_line
from vhpipe.wording import counted

SHOWN_FAILURES = 10
SHOWN_PUBLISHED = 20


def summary(view: RunView, details: RunDetails, commands: Commands = FROM_THE_PROJECT) -> Iterator[str]:
    """Lines that are safe to show: the run, each node, what failed and why, what waits, what was not honoured."""
    yield f"run {view.number} of {one_line(view.plan.pipeline)}: {end_text(view)}"
    commits = view.plan.commits()
    for node in view.nodes.values():
        yield f"  {_node_line(node, commits.get(node.name), details.place_of(node.name))}"
        yield from (f"    warning: {brief(warning)}" for warning in node.warnings)
        yield from _failures(view, node, details, commands)
    yield from _published_lines(view)
    for node in view.awaiting:
        answer = commands.about(view.number, "approve", node.name)
        yield f"{one_line(node.name)} waits for approval: {answer}"
    if (step := next_step(view, commands)) is not None:
        yield step
    yield from (f"ignored: {one_line(ignored)}" for ignored in view.plan.ignored)


def _published_lines(view: RunView) -> Iterator[str]:
    """What the run itself has: files one by one, metrics in one line."""
    files = [event for event in view.published.values() if event.datum is not None]
    for event in files[:SHOWN_PUBLISHED]:
        label = view.nodes[event.execution.node].label(event.execution.index)
        yield f"published {event.kind} {one_line(event.name)} of {one_line(label)}"
    if len(files) > SHOWN_PUBLISHED:
        yield f"and {len(files) - SHOWN_PUBLISHED} more published files"
    metrics = {event.name: event.value for event in view.published.values() if event.datum is None}
    if metrics:
        yield f"published metrics: {metadata_text(metrics)}"


def _node_line(node: NodeView, commit: CommitOfStep | None, place: str | None) -> str:
    of_commit = f" at commit {one_line(str(commit))}" if commit is not None else ""
    where = [f"in {place}"] if place is not None and node.has_run else []
    parts = [f"{one_line(node.name)}: {node.type}{of_commit} {node.status}", *where, *_details(node)]
    return ", ".join(parts) + (f": {brief(node.because)}" if node.because else "")


def _details(node: NodeView) -> Iterator[str]:
    if (took_s := node.took_s()) is not None:
        yield duration_text(took_s)
    if node.setup_s >= TOLD_SETUP_S:
        yield f"set up in {duration_text(node.setup_s)}"
    if used := use_text(execution.use for execution in node.known_executions()):
        yield used
    if node.waits_because:
        yield f"waits because {one_line(node.waits_because)}"
    if node.type == "task" and node.total:
        yield counts_text(node.counts)
    if node.type == "deployment":
        yield from _deployment_details(node)
        return
    if node.type == "execution" and node.total and (origin := node.execution(0).reused_from):
        yield f"reused from {one_line(str(origin))}"
    files = sum(len(execution.outputs) for execution in node.known_executions())
    if files:
        yield counted(files, "output")
    if node.total == 1 and (measured := metadata_text(node.metadata, limit=60)):
        yield measured


def _deployment_details(node: NodeView) -> Iterator[str]:
    if node.version is not None:
        yield f"version {one_line(node.version)}"
        yield counted(len(node.files), "file")
    if node.aliases:
        yield "aliases " + " ".join(map(one_line, node.aliases))


def _failures(view: RunView, node: NodeView, details: RunDetails, commands: Commands) -> Iterator[str]:
    failed = [execution for execution in node.known_executions() if execution.status in FAILED]
    for execution in failed[:SHOWN_FAILURES]:
        last = execution.attempts[-1]
        attempt = AttemptId(ExecutionId(node.name, execution.index), last.number)
        said = last.because or ""
        code = "" if last.exit_code is None or "exit code" in said else f" ({exit_text(last)})"
        because = f": {brief(said)}" if said else ""
        number = f" in attempt {last.number}" if last.number > 1 else ""
        label = one_line(node.label(execution.index))
        yield f"    {label} {ending_word(execution.status)}{number}{because}{code}"
        yield f"      log: {one_line(details.log_path(attempt))}"
        yield from (f"      {host_path_text(each)}" for each in details.host_paths(attempt))
        yield f"      look inside: {commands.about(view.number, 'shell', node.label(execution.index))}"
    if len(failed) > SHOWN_FAILURES:
        yield f"    and {len(failed) - SHOWN_FAILURES} more that failed"
