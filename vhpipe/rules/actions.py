"""Actions of nodes: words that mean something."""

from collections.abc import Iterator

from vhpipe.config.model import NodeAction
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Choice, Finding, Subject

MOMENTS = ("node-starting", "node-complete", "node-error")
EFFECTS = ("stop-pipeline", "error-pipeline", "require-approval", "noop")


def unknown_words(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for action in _actions(graph):
        for index, word in enumerate(action.when):
            if word not in MOMENTS:
                yield Finding(
                    f"`{word}` is no moment of a node, so the action never happens",
                    value_at(action.at, "when", index),
                    choice=Choice(word, MOMENTS, "the moments"),
                )
        for index, word in enumerate(action.then):
            if word not in EFFECTS:
                yield Finding(
                    f"`{word}` is nothing that an action can do",
                    value_at(action.at, "then", index),
                    choice=Choice(word, EFFECTS, "what it can do"),
                )


def _actions(graph: PipelineGraph) -> Iterator[NodeAction]:
    for node in graph.pipeline.nodes:
        yield from node.actions
