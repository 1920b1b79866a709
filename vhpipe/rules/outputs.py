"""Outputs that can be foreseen: names that the command or `outputs:` spell out, and what edges make of them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vhpipe.config.model import EdgeEnd, EdgeKind, Input, KeepDirectories, Step
from vhpipe.diagnostics import Location, Path, RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.language.globs import is_sidecar, match_outputs
from vhpipe.language.template import has_references
from vhpipe.rules.places import key_in, name_at, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject
from vhpipe.rules.variation import varying_nodes

PREFIXES = ("$VH_OUTPUTS_DIR/", "${VH_OUTPUTS_DIR}/", "/valohai/outputs/")
ENDS_A_WORD = frozenset(" \t\n\"'<>|;&()`")
VARYING = frozenset("$*?[{\\")
TRANSPARENT = frozenset(
    ("cat", "date", "dd", "echo", "env", "grep", "head", "ls", "mkdir", "printf", "pwd", "sleep", "tail", "touch", "wc")
)
"""Programs that write nowhere but where their line says."""


class NamedOutput(NamedTuple):
    """A file that a command or `outputs:` name; `varies` where only the run can tell the rest of the name."""

    name: str
    at: Location
    varies: bool

    @property
    def is_surely_a_file(self) -> bool:
        return not self.varies and "." in self.name.rpartition("/")[2].strip(".")


def colliding_outputs(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Files that every execution of a task writes under one name, where an edge brings them together.

    Source: decision 16.
    """
    varying = varying_nodes(graph)
    written = _memory(subject, graph)
    for edge in graph.edges if varying else ():
        source = edge.source
        if source.kind is not EdgeKind.OUTPUT or source.node not in varying:
            continue
        fixed = {item.name: item for item in written(source.node) if item.is_surely_a_file}
        for name in match_outputs(source.key, tuple(fixed))[:1]:
            yield Finding(
                f"every execution of `{source.node}` writes `{name}`, and only one of these files can be in "
                f"{_place(edge.target)}",
                key_in(source),
                hint="put a parameter into the name of the file, or run with `--on-collision keep-all`",
                related=(RelatedPlace(fixed[name].at, "written here"),),
            )


def colliding_edges(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Files of one name that edges from different nodes bring into one input."""
    for name, edges in graph.edges_into.items():
        if len(edges) < 2:
            continue
        step = graph.steps.get(name)
        brought = [edge for edge in edges if edge.source.kind is EdgeKind.OUTPUT and "." in edge.source.key]
        if step is None or len(brought) < 2:
            continue
        flat = {item.name for item in step.inputs if item.keep_directories is KeepDirectories.NONE}
        first: dict[tuple[str, str], EdgeEnd] = {}
        for edge in brought:
            file, end = edge.source.key.rpartition("/")[2], edge.target
            if end.kind is not EdgeKind.INPUT or end.key not in flat or not _is_one_file(file):
                continue
            earlier = first.setdefault((end.key, file), edge.source)
            if earlier.node != edge.source.node:
                yield Finding(
                    f"`{file}` comes from `{earlier.node}` too, and only one can be in {_place(end)}",
                    key_in(edge.source),
                    hint="the last edge wins; write another name, or run with `--on-collision keep-all`",
                    related=(RelatedPlace(key_in(earlier), "the first one"),),
                )


def _is_one_file(pattern: str) -> bool:
    return "." in pattern and VARYING.isdisjoint(pattern)


def colliding_defaults(subject: Subject) -> Iterator[Finding]:
    """Files of one name among the defaults of one input."""
    for step in subject.config.steps:
        for item in step.inputs:
            if len(item.default) > 1 and item.keep_directories is KeepDirectories.NONE:
                yield from _same_names(item)


def _same_names(item: Input) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, uri in enumerate(item.default):
        file = uri.partition("?")[0].partition("#")[0].rpartition("/")[2]
        if not file or uri.startswith("datum:") or has_references(uri) or not VARYING.isdisjoint(file):
            continue
        earlier = first.setdefault(file, index)
        if earlier != index and item.default[earlier] != uri:
            yield Finding(
                f"input `{item.name}` has another file `{file}`, and only one of them can be in its folder",
                value_at(item.at, "default", index),
                hint="write `keep-directories: full`, or make an input for each",
                related=(RelatedPlace(value_at(item.at, "default", earlier), "the first one"),),
            )


def undeclared_outputs(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Edges that take files which a step with `outputs:` does not declare. Names without an ending are labels."""
    written = _memory(subject, graph)
    for end, step in _output_ends(subject, graph):
        if not step.outputs or is_sidecar(end.key) or not VARYING.isdisjoint(end.key.replace("*", "").replace("?", "")):
            continue
        files = written(end.node)
        if any(item.varies for item in files) or not all(item.is_surely_a_file for item in files[: len(step.outputs)]):
            continue
        names = tuple(item.name for item in files)
        if not match_outputs(end.key, names):
            yield Finding(
                f"step `{step.name}` of node `{end.node}` declares no output that `{end.key}` selects",
                key_in(end),
                choice=NameChoice(end.key, tuple(output.name for output in step.outputs), "its outputs"),
            )


def unwritten_outputs(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Edges that take files which a step of plain shell commands does not write."""
    written = _memory(subject, graph)
    transparent: dict[tuple[str, ...], bool] = {}
    for end, step in _output_ends(subject, graph):
        if step.command not in transparent:
            transparent[step.command] = all(map(_is_transparent, step.command)) and any(step.command)
        if not transparent[step.command] or step.outputs or is_sidecar(end.key):
            continue
        files = written(end.node)
        if any(item.varies for item in files):
            continue
        names = tuple(dict.fromkeys(item.name for item in files))
        if not match_outputs(end.key, names):
            yield Finding(
                f"the command of node `{end.node}` writes no output that `{end.key}` selects",
                key_in(end),
                hint=None if names else "outputs are the files in `$VH_OUTPUTS_DIR`",
                choice=NameChoice(end.key, names, "what it writes") if names else None,
            )


def _output_ends(subject: Subject, graph: PipelineGraph) -> Iterator[tuple[EdgeEnd, Step]]:
    """The ends of edges that take outputs of a node whose step is known for certain."""
    for edge in graph.edges:
        end = edge.source
        step = graph.steps.get(end.node) if end.kind is EdgeKind.OUTPUT else None
        if step is not None and subject.is_sound(step.at):
            yield end, step


def _memory(subject: Subject, graph: PipelineGraph) -> Callable[[str], tuple[NamedOutput, ...]]:
    """A look-up of the files that the step of a node names; steps without overrides are read once."""
    memory: dict[tuple[Path, tuple[str, ...]], tuple[NamedOutput, ...]] = {}

    def written(node: str) -> tuple[NamedOutput, ...]:
        step = graph.steps.get(node)
        if step is None or not subject.is_sound(step.at):
            return ()
        key = (step.at, step.command)
        if key not in memory:
            memory[key] = (*_declared_outputs(step), *_outputs_in_command(step, _command_at(step, node, graph)))
        return memory[key]

    return written


def _command_at(step: Step, node: str, graph: PipelineGraph) -> Path:
    override = getattr(graph.nodes[node], "override", None)
    return override.at if override is not None and override.command else step.at


def _declared_outputs(step: Step) -> Iterator[NamedOutput]:
    for output in step.outputs:
        yield NamedOutput(output.name, name_at(output.at), not VARYING.isdisjoint(output.name))


def _outputs_in_command(step: Step, at: Path) -> Iterator[NamedOutput]:
    """The names behind the folder of outputs in each item of a command."""
    for index, item in enumerate(step.command):
        if "outputs" not in item and "VH_OUTPUTS_DIR" not in item:
            continue
        for start, name in _names_in(item):
            place = value_at(at, "command", index)._replace(chars=(start, start + len(name)))
            yield NamedOutput(name, place, not VARYING.isdisjoint(name))


def _names_in(item: str) -> Iterator[tuple[int, str]]:
    for prefix in PREFIXES:
        start = item.find(prefix)
        while start >= 0:
            first = end = start + len(prefix)
            while end < len(item) and item[end] not in ENDS_A_WORD:
                end += 1
            if end > first and item[end - 1] != "/":
                yield first, item[first:end]
            start = item.find(prefix, end)


def _is_transparent(item: str) -> bool:
    """Whether all that the item writes is where its text says."""
    text = item
    for prefix in PREFIXES:
        text = text.replace(prefix, "/outputs/")
    if any(sign in text for sign in ("$", "`", "(", "<<", "\\")) or "VH_OUTPUTS_DIR" in text:
        return False
    for sign in ("&&", "||", ";", "|", "\n", "&"):
        text = text.replace(sign, "\0")
    firsts = (part.split(None, 1)[0] for part in text.split("\0") if part.strip())
    return all(first in TRANSPARENT for first in firsts)


def _place(end: EdgeEnd) -> str:
    return f"{'file' if end.kind is EdgeKind.FILE else 'input'} `{end.key}` of `{end.node}`"
