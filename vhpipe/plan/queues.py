"""Queues: on one machine a queue is a number of executions that may run at once, and amounts that they share.

The extension item names queues; where it does not, the environment that a step has on the platform is its queue as
soon as something is known of one of that name.
Source: decisions 89 and 211.
"""

from collections.abc import Collection, Mapping
from itertools import chain

from msgspec import structs

from vhpipe.config.extension_model import Extension
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedNode
from vhpipe.wording import unknown_name

Amounts = Mapping[str, int]
"""What there is or is needed of things that are counted, by their names; see `Capacity`."""
_NOTHING: Amounts = {}


def queue_sizes(graph: PipelineGraph, given: Mapping[str, int]) -> dict[str, int]:
    """The sizes that are given. Errors: UsageError for a queue that no node is in."""
    known = queue_names(graph)
    for name in given:
        if name not in known:
            raise unknown_name("queue", name, known)
    return dict(given)


def sizes_of_known(graph: PipelineGraph, standing: Mapping[str, int]) -> dict[str, int]:
    """Of sizes that were set for any pipeline those of the queues that this one has."""
    known = queue_names(graph)
    return {name: size for name, size in standing.items() if name in known}


def queue_names(graph: PipelineGraph) -> tuple[str, ...]:
    """The names of all queues that nodes can be in, each once."""
    environments = (step.environment for step in graph.steps.values() if step is not None)
    return tuple(dict.fromkeys(chain(queues_of(graph.extension), (name for name in environments if name))))


def queues_of(extension: Extension | None) -> tuple[str, ...]:
    """The names that the item uses, each once."""
    found = (extension.queue, *(node.queue for node in extension.nodes)) if extension else ()
    return tuple(dict.fromkeys(name for name in found if name is not None))


def with_queues(plan: Plan, graph: PipelineGraph, amounts: Mapping[str, Amounts]) -> Plan:
    """The plan with what its queues have, and with nodes in the queue that is called as their environment is."""
    known: set[str | None] = {*plan.queues, *amounts}
    nodes = tuple(_in_queue(node, graph, known) for node in plan.nodes) if known else plan.nodes
    used = {node.extras.queue for node in nodes}
    kept = {name: dict(each) for name, each in amounts.items() if name in used}
    return structs.replace(plan, nodes=nodes, queue_amounts=kept) if known else plan


def _in_queue(node: PlannedNode, graph: PipelineGraph, known: Collection[str | None]) -> PlannedNode:
    step = graph.steps.get(node.name)
    if isinstance(node, PlannedDeployment) or step is None or node.extras.queue or step.environment not in known:
        return node
    return structs.replace(node, extras=structs.replace(node.extras, queue=step.environment))


class Queues:
    """Which nodes share a queue of which something is known."""

    def __init__(self, plan: Plan) -> None:
        known = {*plan.queues, *plan.queue_amounts}
        self._queue_of = {node.name: node.extras.queue for node in plan.nodes if node.extras.queue in known}
        self._sizes, self._amounts = plan.queues, plan.queue_amounts

    def size(self, node: str) -> int | None:
        """How many executions of a node's queue may run at once; None for a node without such a queue."""
        queue = self._queue_of.get(node)
        return None if queue is None else self._sizes.get(queue)

    def amounts(self, node: str) -> Amounts:
        """What the queue of a node has of things that are counted; nothing is counted there that is not named."""
        queue = self._queue_of.get(node)
        return _NOTHING if queue is None else self._amounts.get(queue, _NOTHING)

    def name(self, node: str) -> str | None:
        """The queue of a node, if something is known of it."""
        return self._queue_of.get(node)

    def together_with(self, node: str) -> tuple[str, ...]:
        """The nodes in the queue of a node."""
        return tuple(name for name, queue in self._queue_of.items() if queue == self._queue_of.get(node))
