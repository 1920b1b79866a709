"""Steps made of scripts as a pipeline: a node each, and edges where the scripts show which files go where."""

from collections.abc import Sequence
from posixpath import splitext
from typing import NamedTuple

from vhpipe.document.spans import Document
from vhpipe.edit.placing import DocumentEdits
from vhpipe.edit.script import Script, ScriptOutput
from vhpipe.edit.writing import flow_text, item_lines

NO_EDGES = "edges: []  # no script shows which files go where; an edge is [NODE.output.FILE, NODE.input.NAME]"


class LinkedPipeline(NamedTuple):
    """A file's text with a pipeline in it, and the edges that were found. None: one of that name is there already."""

    text: str
    edges: tuple[tuple[str, str], ...] | None


def with_pipeline(document: Document, name: str, steps: Sequence[tuple[str, Script]]) -> LinkedPipeline:
    """The file with a pipeline of steps in their order."""
    taken = (item.get("pipeline") for item in document.data or () if isinstance(item, dict))
    if any(isinstance(pipeline, dict) and pipeline.get("name") == name for pipeline in taken):
        return LinkedPipeline(document.text, None)
    edges = tuple(edges_between(steps))
    nodes = [{"name": node_name(step), "type": "execution", "step": step} for step, _ in steps]
    lines = item_lines({"pipeline": {"name": name, "nodes": nodes}})
    lines += ["    edges:", *(f"      - {flow_text(edge)}" for edge in edges)] if edges else [f"    {NO_EDGES}"]
    placing = DocumentEdits(document)
    placing.append(lines, None)
    return LinkedPipeline(placing.result(), edges)


def node_name(step: str) -> str:
    """A step's name without the dots that would end it in an edge."""
    return step.replace(".", "-")


def edges_between(steps: Sequence[tuple[str, Script]]) -> list[tuple[str, str]]:
    """For each input the files of the nearest step before that makes some of its name.

    A file is of an input's name if its folder or, without its ending, itself is called so.
    """
    found = []
    for place, (step, script) in enumerate(steps):
        for input_ in script.inputs:
            for source, made in _makers(steps[:place], input_.name):
                found.append((f"{node_name(source)}.output.{_glob(made)}", f"{node_name(step)}.input.{input_.name}"))
    return found


def _makers(before: Sequence[tuple[str, Script]], name: str) -> list[tuple[str, ScriptOutput]]:
    for step, script in reversed(before):
        fitting = [(step, made) for made in script.outputs if _fits(made, name)]
        if fitting:
            return fitting
    return []


def _fits(made: ScriptOutput, name: str) -> bool:
    stem = splitext(made.pattern.rpartition("/")[2])[0].strip("*")
    return _plain(name) in (_plain(made.folder), _plain(stem))


def _plain(name: str) -> str:
    return name.strip("-_ .").replace("_", "-").lower()


def _glob(made: ScriptOutput) -> str:
    return f"{made.folder}/{made.pattern}" if made.folder else made.pattern
