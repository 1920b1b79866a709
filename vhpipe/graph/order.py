"""The order in which nodes can run, and the cycles that forbid one. Names and neighbours in, names out.

Written without recursion: a chain of nodes may be longer than Python's stack is deep.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush

Neighbours = Mapping[str, tuple[str, ...]]


def topological_order(downstream: Neighbours) -> tuple[str, ...]:
    """Every node after all that it waits for; of those that could stand next the first in the file does.

    Nodes in a cycle, and those that wait for one, are left out.
    """
    names = tuple(downstream)
    position = {name: number for number, name in enumerate(names)}
    waiting_for = _incoming(downstream)
    ready = [position[name] for name, count in waiting_for.items() if count == 0]
    heapify(ready)
    order = []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        for follower in downstream[name]:
            waiting_for[follower] -= 1
            if waiting_for[follower] == 0:
                heappush(ready, position[follower])
    return tuple(order)


def cycles_in(downstream: Neighbours) -> tuple[tuple[str, ...], ...]:
    """One cycle of each component, the shortest through its first node in the file, and all edges to oneself.

    Sorted by the places of their first nodes.
    """
    position = {name: number for number, name in enumerate(downstream)}
    cycles: list[tuple[str, ...]] = [(name,) for name, followers in downstream.items() if name in followers]
    for component in _components(downstream):
        first = min(component, key=position.__getitem__)
        cycles.append(_shortest_cycle(first, component, downstream))
    return tuple(sorted(cycles, key=lambda cycle: position[cycle[0]]))


def _incoming(downstream: Neighbours) -> dict[str, int]:
    counts = dict.fromkeys(downstream, 0)
    for followers in downstream.values():
        for follower in followers:
            counts[follower] += 1
    return counts


def _shortest_cycle(first: str, component: frozenset[str], downstream: Neighbours) -> tuple[str, ...]:
    came_from: dict[str, str] = {}
    queue = deque([first])
    while queue:
        name = queue.popleft()
        if name != first and first in downstream[name]:
            return _path_back(first, name, came_from)
        for follower in downstream[name]:
            if follower in component and follower != first and follower not in came_from:
                came_from[follower] = name
                queue.append(follower)
    raise AssertionError("a component has a path from each of its nodes back to it")


def _path_back(first: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    path = [last]
    while path[-1] != first:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))


def _components(downstream: Neighbours) -> Iterable[frozenset[str]]:
    """The strongly connected components of more than one node (Tarjan's algorithm)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: list[str] = []
    is_open: set[str] = set()
    for root in downstream:
        path: list[tuple[str, Iterator[str]]] = []
        entering: str | None = None if root in number else root
        while path or entering is not None:
            if entering is not None:
                number[entering] = lowest[entering] = len(number)
                open_names.append(entering)
                is_open.add(entering)
                path.append((entering, iter(downstream[entering])))
                entering = None
            name, followers = path[-1]
            for follower in followers:
                if follower not in number:
                    entering = follower
                    break
                if follower in is_open:
                    lowest[name] = min(lowest[name], number[follower])
            if entering is not None:
                continue
            path.pop()
            if path:
                lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
            if lowest[name] == number[name]:
                component = _component_from(open_names, name)
                is_open -= component
                if len(component) > 1:
                    yield component


def _component_from(open_names: list[str], first: str) -> frozenset[str]:
    """The names from `first` on, taken off the end of the list."""
    names = {open_names.pop()}
    while first not in names:
        names.add(open_names.pop())
    return frozenset(names)
