"""What of a file a pipeline, a step or a task reaches: only that must be without errors for it to run.

A document is made that has only the items in question, at their places, and is read and checked as if the file had
nothing else. Source: decision 130.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Config, DeploymentNode, Pipeline, TaskNode
from vhpipe.diagnostics import Diagnostic, Location, NodeMarks, Path, Span
from vhpipe.errors import InvalidFile, UsageError
from vhpipe.project.checked_file import AskedPart, CheckedFile
from vhpipe.rules.edges import is_edge_without_need

if TYPE_CHECKING:
    from vhpipe.document.spans import Document
    from vhpipe.graph.model import PipelineGraph

OF_ONE_ITEM = frozenset(
    {
        "bad-character", "duplicate-key", "non-string-key", "not-a-number", "number-too-large", "reserved-scalar",
        "unknown-tag", "wrong-merge", "wrong-tag",
    }
)  # fmt: skip
"""Faults of the text that leave the items around them as they are."""
RUNS_ALL_THE_SAME = frozenset(
    {
        "absolute-sub-path", "duplicate-key", "duplicate-mount-path", "preset-without-environment",
        "relative-mount-path", "too-long", "unknown-property",
    }
)  # fmt: skip
"""Errors that only matter to the platform, or that the file can be read without: they may be suppressed."""


def runnable_part(file: CheckedFile, asked: AskedPart) -> CheckedFile:
    """What of a file with errors was asked for, which has none that matter.

    Errors: `InvalidFile` with those errors; those that are suppressed say so. UsageError for unknown names.
    """
    part = reached_part(file, asked)
    _refuse(part)
    if part.config.broken:  # all of it is suppressed and harmless, so nothing that is absent is hidden by it
        part = _as_intact(part)
        _refuse(part)
    return part


class FaultyPart(NamedTuple):
    """A pipeline as far as it can be understood, and what is wrong with it."""

    part: CheckedFile
    graph: "PipelineGraph"
    marks: NodeMarks


def faulty_part(file: CheckedFile, asked: AskedPart, with_harmless: bool = True) -> FaultyPart:
    """What was asked for, for those who show what they can. Errors: as of `reached_part`."""
    from vhpipe.project.excuses import with_excuses
    from vhpipe.project.marked_errors import marks_of

    part = reached_part(file, asked)
    found = with_excuses(part, [item for item in part.findings if item.severity == "error"])
    if not with_harmless:
        found = tuple(each for each in found if not _is_harmless(part, each.diagnostic, each.is_excused))
    graph = part.graphs[-1]
    return FaultyPart(part, graph, marks_of(part, graph, found))


def _refuse(part: CheckedFile) -> None:
    from vhpipe.project.excuses import with_excuses

    found = with_excuses(part, [item for item in part.findings if item.severity == "error"])
    left = [each for each in found if not _is_harmless(part, each.diagnostic, each.is_excused)]
    if left:
        raise InvalidFile(part.name, tuple(each.told for each in left))


def _as_intact(part: CheckedFile) -> CheckedFile:
    from vhpipe.rules.check import check, subject_of

    nothing: frozenset[Path] = frozenset()
    config = part.config._replace(broken=nothing, damaged=nothing, unread=nothing)
    subject = subject_of(config)
    findings = tuple(dict.fromkeys((*part.findings, *check(subject))))
    return part._replace(config=config, graphs=subject.graphs, findings=findings, diagnostics=findings)


def reached_part(file: CheckedFile, asked: AskedPart) -> CheckedFile:
    """The file as if it had only what was asked for, with what is wrong there.

    Errors: `InvalidFile` for a file that cannot be read so far, UsageError for unknown names.
    """
    if file.document is None or not isinstance(file.document.data, list):
        raise InvalidFile(file.name, file.errors())
    items = frozenset(_items_of(file, asked))
    return _with_items(file, file.document, items)


def _is_harmless(part: CheckedFile, item: Diagnostic, is_excused: bool) -> bool:
    if item.rule == "unknown-edge-parameter":
        return any(is_edge_without_need(graph, item.at) for graph in part.graphs)
    return is_excused and item.rule in RUNS_ALL_THE_SAME


# ── what is reached ──────────────────────────────────────────────────────────────────────────────────


def _items_of(file: CheckedFile, asked: AskedPart) -> Iterator[int]:
    """The numbers of the items that are reached."""
    from vhpipe.project.typed_names import match_name, pick_pipeline

    config = file.config
    try:
        if asked.step:
            yield from _of_step(config, match_name(asked.step, config.steps_by_name(), "step"))
        elif asked.task:
            yield from _of_task(config, match_name(asked.task, config.tasks_by_name(), "task"))
        else:
            yield from _of_pipeline(config, pick_pipeline(config, asked.pipeline))
    except UsageError:
        if _hides_names(config, "step" if asked.step else "task" if asked.task else "pipeline"):
            raise InvalidFile(file.name, file.errors()) from None
        raise


def _hides_names(config: Config, kind: str) -> bool:
    """Whether an item of a kind could not be read so far that its name is known."""
    kinds = ("pipeline", "blueprint") if kind == "pipeline" else (kind,)
    named = {each.at for each in config.pipelines if each.name} | {each.at for each in config.steps if each.name}
    named |= {each.at for each in config.tasks if each.name}
    return any(path not in named for path in config.broken if len(path) < 2 or path[1] in kinds)


def _of_step(config: Config, name: str | None) -> Iterator[int]:
    step = config.steps_by_name().get(name or "")
    if step is not None:
        yield int(step.at[0])


def _of_task(config: Config, name: str | None) -> Iterator[int]:
    task = config.tasks_by_name().get(name or "")
    if task is not None:
        yield int(task.at[0])
        yield from _of_step(config, task.step)


def _of_pipeline(config: Config, pipeline: Pipeline) -> Iterator[int]:
    yield int(pipeline.at[0])
    endpoints = config.endpoints_by_name()
    for node in pipeline.nodes:
        if isinstance(node, DeploymentNode):
            yield from (int(endpoints[name].at[0]) for name in node.endpoints if name in endpoints)
            yield from (int(each.at[0]) for each in config.deployments if each.name == node.deployment)
        elif node.commit is None:
            yield from _of_step(config, node.step)
            yield from _of_task(config, node.task if isinstance(node, TaskNode) else None)
    yield from (int(each.at[0]) for each in config.extensions if _may_mean(config, each.pipeline, pipeline.name))


def _may_mean(config: Config, written: str, name: str) -> bool:
    """Whether the extension of a pipeline that is written so can be meant for the one of this name."""
    from vhpipe.wording import nearest

    names = [pipeline.name for pipeline in config.pipelines]
    if written in names:
        return written == name
    return nearest(written, names) == name if written else len(names) == 1


# ── the file as if it had only that ──────────────────────────────────────────────────────────────────


def _with_items(file: CheckedFile, document: "Document", items: frozenset[int]) -> CheckedFile:
    from vhpipe.config.read import read_config
    from vhpipe.document.spans import Document
    from vhpipe.rules.check import check, subject_of

    data = [item if number in items else {} for number, item in enumerate(document.data)]
    reduced = Document(document.name, document.text, data)
    config, notes = read_config(reduced)
    config = config._replace(commits=file.config.commits)
    faults = tuple(item for item in file.findings if isinstance(item.at, Span) and _counts(document, item, items))
    notes = tuple(item for item in notes if not _is_of_other_items(item, items))
    subject = subject_of(config)
    known = {(item.rule, item.at, item.message): item for item in file.findings}
    findings = tuple(known.get((item.rule, item.at, item.message), item) for item in (*faults, *notes, *check(subject)))
    errors = sum(item.severity == "error" for item in file.findings)
    over = max(0, errors - sum(item.severity == "error" for item in findings))
    return file._replace(
        document=reduced, source=reduced, config=config, graphs=subject.graphs, findings=findings,
        diagnostics=findings, passed_over=over,
    )  # fmt: skip


def _is_of_other_items(item: Diagnostic, items: frozenset[int]) -> bool:
    return isinstance(item.at, Location) and bool(item.at.path) and item.at.path[0] not in items


def _counts(document: "Document", item: Diagnostic, items: frozenset[int]) -> bool:
    """Whether a fault of the text is in one of the items, in what they may refer to, or in none."""
    if item.rule not in OF_ONE_ITEM:
        return True
    assert isinstance(item.at, Span), "faults of the text have places in it"
    starts = [document.span(Location((number,))) for number in range(len(document.data))]
    number = bisect_right(starts, (item.at.line, item.at.column, 1 << 40, 0)) - 1
    if number < 0 or number in items:
        return True
    end = starts[number + 1].line if number + 1 < len(starts) else len(document.lines) + 1
    return _has_anchor(document.lines[starts[number].line - 1 : end])


def _has_anchor(lines: tuple[str, ...]) -> bool:
    """Whether another item may have a part of these lines by an alias."""
    words = (word for line in lines for word in line.replace("[", " ").replace("{", " ").replace(",", " ").split())
    return any(len(word) > 1 and word[0] == "&" != word[1] for word in words)
