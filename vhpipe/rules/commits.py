"""Nodes of other commits: can what they name be a commit, and does its file have their step."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vhpipe.config.model import DeploymentNode, ExecutionNode, TaskNode
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

if TYPE_CHECKING:
    from vhpipe.config.commits import CommitFile, PartKind


def invalid_commits(subject: Subject) -> Iterator[Finding]:
    """What git does not allow as a name, and commits whose file does not have what a node wants of it.

    `library:…` and the `~…` of uploads are fine.
    """
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode) or node.commit is None:
                continue
            fault = _commit_fault(node.commit)
            if fault is not None:
                yield Finding(
                    f"this cannot be a commit: {fault}",
                    value_at(node.at, "commit"),
                    hint="write the hash of a commit, a branch, a tag, or `library:…`",
                )
                continue
            file = subject.config.commits.get(node.commit)
            if file is not None and file.absent is None:
                yield from _faults_there(file, node)


def _faults_there(file: "CommitFile", node: ExecutionNode | TaskNode) -> Iterator[Finding]:
    """The step that the node takes from there, or the blueprint and its step."""
    where = f"commit {file.called}"
    if file.config is None:
        yield Finding(f"{where} has no file `{file.path}`", value_at(node.at, "commit"), f"git log -- {file.path}")
        return
    for kind, name in _parts_of(file, node):
        fault = file.faults.get((kind, name))
        known = file.config.steps_by_name() if kind == "step" else file.config.tasks_by_name()
        if fault is not None:
            message = f"{kind} `{name}` of {where} has an error: {fault}"
            yield Finding(message, value_at(node.at, "commit"), "name a commit in which it is right")
            return
        if name not in known:
            choice = NameChoice(name, tuple(known), f"its {kind}s")
            yield Finding(f"there is no {kind} `{name}` in {where}", value_at(node.at, kind), choice=choice)
            return


def _parts_of(file: "CommitFile", node: ExecutionNode | TaskNode) -> "Iterator[tuple[PartKind, str]]":
    if isinstance(node, TaskNode) and node.task is not None:
        yield "task", node.task
        _, task = file.step_of(node)
        if task is not None:
            yield "step", task.step
    elif node.step is not None:
        yield "step", node.step


def unchecked_commits(subject: Subject) -> Iterator[Finding]:
    """Nodes of a commit whose file could not be read: nothing is known of their steps."""
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            file = graph.commits.get(name)
            if isinstance(node, DeploymentNode) or file is None or file.absent is None:
                continue
            if _commit_fault(file.name) is None:
                message = f"the step that node `{name}` takes from commit `{file.name}` is not checked: {file.absent}"
                yield Finding(message, value_at(node.at, "commit"), hint=file.cure)


def _commit_fault(commit: str) -> str | None:
    """Source: the rules of `git check-ref-format`."""
    text = commit.removeprefix("library:").removeprefix("~")
    if not text.strip():
        return "it is empty"
    found = next((c for c in text if c in " ^:?*[\\~" or ord(c) < 32 or ord(c) == 127), None)
    if found is not None:
        return f"it has {'a blank' if found.isspace() else f'a `{found}`' if found.isprintable() else 'a control code'}"
    if ".." in text or "@{" in text:
        return f"it has `{'..' if '..' in text else '@{'}`"
    return "it ends with a `/` or a `.`" if text[-1] in "/." else None
