"""Which project, run, node, execution and attempt a command line means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vhpipe.errors import UsageError
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule.terms import what_became
from vhpipe.store.project import ProjectStore
from vhpipe.views.node_progress import FAILED, ExecutionView, NodeView
from vhpipe.views.progress import RunView
from vhpipe.wording import did_you_mean, listed


def opened_project(project: Path) -> ProjectStore:
    """The store of a project that has runs, for reading. Errors: UsageError if there is none."""
    return ProjectStore.open(project.absolute())


@dataclass(frozen=True, slots=True)
class AttemptSelector:
    """What `NODE[#index][.attempt]` names; None where it is left open."""

    node: str
    index: int | None = None
    attempt: int | None = None


_SUFFIXES = (re.compile(r"(.+)#(\d{1,9})\.(\d{1,9})", re.DOTALL), re.compile(r"(.+)#(\d{1,9})()", re.DOTALL),
             re.compile(r"(.+)()\.(\d{1,9})", re.DOTALL))  # fmt: skip


def parse_selection(text: str, nodes: Sequence[str]) -> AttemptSelector:
    """The node, index and attempt that the text means.

    Names may hold `#` and dots, so the names decide: an equal name wins over one that differs in case, and that over
    an unambiguous beginning. Errors: UsageError with the nearest name.
    """
    readings = tuple(_readings(text))
    for fits in (_equal, _equal_but_for_case, _begins):
        for reading in readings:
            found = [node for node in nodes if fits(node, reading.node)]
            if len(found) > 1:
                raise UsageError(f"`{text}` fits several nodes", hint="one of " + listed(found))
            if found:
                return replace(reading, node=found[0])
    raise _unknown_node(readings[-1].node, nodes)


def _readings(text: str) -> Iterator[AttemptSelector]:
    """All readings of the text, that with the longest name first."""
    yield AttemptSelector(text)
    for suffix in reversed(_SUFFIXES):
        if match := suffix.fullmatch(text):
            node, index, attempt = match.groups()
            yield AttemptSelector(node, int(index) if index else None, int(attempt) if attempt else None)


def _equal(node: str, typed: str) -> bool:
    return node == typed


def _equal_but_for_case(node: str, typed: str) -> bool:
    return node.casefold() == typed.casefold()


def _begins(node: str, typed: str) -> bool:
    return node.casefold().startswith(typed.casefold())


def _unknown_node(typed: str, nodes: Sequence[str]) -> UsageError:
    return UsageError(f"the run has no node `{typed}`", did_you_mean(typed, nodes, f"its nodes: {listed(nodes)}"))


def selected_node(view: RunView, selection: AttemptSelector) -> NodeView:
    """The node; errors: UsageError if it is a deployment, which executes nothing, or has no such execution."""
    node = view.nodes[selection.node]
    if node.type == "deployment":
        raise UsageError(f"node `{node.name}` is a deployment: it has no executions", hint="vhpipe deployments")
    if selection.index is not None and not (selection.index < node.total or _may_come(node, selection.index)):
        raise UsageError(f"node `{node.name}` has no execution {selection.index}", hint=_what_it_has(node))
    return node


def _may_come(node: NodeView, index: int) -> bool:
    """Before a node has started its number of executions is open, but of an execution node."""
    return node.total == 0 and not node.is_settled and (node.type == "task" or index == 0)


def _what_it_has(node: NodeView) -> str:
    if node.total == 0:
        return f"it {what_became(node.status)} and has none"
    return "it has only execution 0" if node.total == 1 else f"it has the executions 0 to {node.total - 1}"


def selected_executions(view: RunView, selection: AttemptSelector) -> tuple[ExecutionView, ...]:
    """One execution where the selection names one, else all of the node, in order."""
    node = selected_node(view, selection)
    if selection.index is not None:
        return (node.execution(selection.index),)
    return tuple(node.executions())


def one_execution(view: RunView, selection: AttemptSelector) -> ExecutionView:
    """The execution meant; a node with several needs an index. Errors: UsageError, also if none has been queued."""
    executions = selected_executions(view, selection)
    if len(executions) == 1:
        return executions[0]
    node = view.nodes[selection.node]
    if not executions:
        raise UsageError(f"node `{node.name}` has no execution", hint=f"it {what_became(node.status)}")
    failed = [one.index for one in executions if one.status in FAILED]
    example = failed[0] if failed else 0
    raise UsageError(f"node `{node.name}` has {node.total} executions", hint=f"say which: `{node.name}#{example}`")


def selected_attempt(selection: AttemptSelector, execution: ExecutionView) -> AttemptId:
    """The attempt named, or the last one, of an execution that has started. Errors: UsageError for one not made."""
    last = execution.attempts[-1].number
    number = last if selection.attempt is None else selection.attempt
    if not 1 <= number <= last:
        hint = "it has only attempt 1" if last == 1 else f"it has the attempts 1 to {last}"
        raise UsageError(f"execution {execution.index} of node `{selection.node}` has no attempt {number}", hint=hint)
    return AttemptId(ExecutionId(selection.node, execution.index), number)
