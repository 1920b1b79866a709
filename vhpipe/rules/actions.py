"""Actions of nodes: words that mean something."""

from collections.abc import Iterator

from vhpipe.config.model import NodeAction
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject
from vhpipe.wording import listed, plural

MOMENTS = ("node-starting", "node-complete", "node-error")
EFFECTS = ("stop-pipeline", "error-pipeline", "require-approval", "noop")
ENDS = ("stop-pipeline", "error-pipeline")
SHOWN = 4


def unknown_words(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for action in _actions(graph):
        for index, word in enumerate(action.when):
            if word not in MOMENTS:
                yield Finding(
                    f"`{word}` is not a moment of a node, so the action never happens",
                    value_at(action.at, "when", index),
                    choice=NameChoice(word, MOMENTS, "the moments"),
                )
        for index, word in enumerate(action.then):
            if word not in EFFECTS:
                yield Finding(
                    f"`{word}` is not something that an action can do",
                    value_at(action.at, "then", index),
                    choice=NameChoice(word, EFFECTS, "what it can do"),
                )


def _actions(graph: PipelineGraph) -> Iterator[NodeAction]:
    for node in graph.pipeline.nodes:
        yield from node.actions


def unreachable_nodes(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Nodes behind one that ends the pipeline whenever it starts or completes. Source: decision 21."""
    for name, node in graph.nodes.items():
        behind = graph.downstream[name]
        for action in node.actions:
            index = next((index for index, word in enumerate(action.then) if word in ENDS), None)
            if index is None or action.conditions:
                continue
            if "node-starting" in action.when:
                message = f"node `{name}` never runs, because the pipeline ends when it starts"
            elif "node-complete" in action.when and behind:
                runs = plural(len(behind), "runs", "run")
                message = f"{listed(behind, most=SHOWN)} never {runs}, because the pipeline ends here"
            else:
                continue
            yield Finding(message, value_at(action.at, "then", index), hint="add `if:` with a condition")
            break
