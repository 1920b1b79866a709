"""Queues of the extension item: on one machine a queue is a number of executions that may run at once.

Source: decision 89.
"""

from collections.abc import Mapping

from vhpipe.config.extension_model import Extension
from vhpipe.plan.model import PlannedNode
from vhpipe.wording import unknown_name


def queue_sizes(extension: Extension | None, given: Mapping[str, int]) -> dict[str, int]:
    """The sizes that are given. Errors: UsageError for a queue that no node is in."""
    known = queues_of(extension)
    for name in given:
        if name not in known:
            raise unknown_name("queue", name, known)
    return dict(given)


def sizes_of_known(extension: Extension | None, standing: Mapping[str, int]) -> dict[str, int]:
    """Of sizes that were set for any pipeline those of the queues that this one has."""
    known = queues_of(extension)
    return {name: size for name, size in standing.items() if name in known}


def queues_of(extension: Extension | None) -> tuple[str, ...]:
    """The names that the item uses, each once."""
    found = (extension.queue, *(node.queue for node in extension.nodes)) if extension else ()
    return tuple(dict.fromkeys(name for name in found if name is not None))


class Queues:
    """Which nodes share a queue whose size is known."""

    def __init__(self, nodes: tuple[PlannedNode, ...], sizes: Mapping[str, int]) -> None:
        self._queue_of = {node.name: node.extras.queue for node in nodes if node.extras.queue in sizes}
        self._sizes = sizes

    def size(self, node: str) -> int | None:
        """How many executions of a node's queue may run at once; None for a node without such a queue."""
        queue = self._queue_of.get(node)
        return None if queue is None else self._sizes[queue]

    def name(self, node: str) -> str | None:
        """The queue of a node, if its size is known."""
        return self._queue_of.get(node)

    def together_with(self, node: str) -> tuple[str, ...]:
        """The nodes in the queue of a node."""
        return tuple(name for name, queue in self._queue_of.items() if queue == self._queue_of.get(node))
