"""Parts of a pipeline: which nodes run, which are given by an earlier run, and which are left out altogether.

node       the node           node+      and all that follows it
+node      and all before it  node#3     one execution of a task, node#0,3 two of them
--from x is x+, --until x is +x; the same option again adds, another option keeps what both name
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from vhpipe.errors import UsageError
from vhpipe.plan.execution import is_group
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedEdge, PlannedNode, PlannedTask
from vhpipe.sweep.parameter_sets import sweep_size
from vhpipe.wording import listed, unknown_name


class Selectors(NamedTuple):
    """What the user typed, by option. All empty: the entire pipeline."""

    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class PartialRun(NamedTuple):
    """Names in the order of the plan. `given` are the direct upstream of what runs that does not run itself.

    `children` has the indexes of those tasks of which not every execution runs.
    """

    runs: tuple[str, ...]
    given: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    children: Mapping[str, tuple[int, ...]] = {}


Part = set[int] | None
"""The executions of a node that are meant; None for all."""


class _SelectorMeaning(NamedTuple):
    """What one selector says."""

    node: str
    indexes: tuple[int, ...]
    with_ancestors: bool
    with_descendants: bool


def select(plan: Plan, selectors: Selectors) -> PartialRun:
    """What the selectors choose of the plan.

    Errors: UsageError for an unknown node or execution, and where nothing is left to run.
    """
    graph = _Graph(plan)
    parts: dict[str, Part] = {node.name: None for node in plan.nodes}
    for typed, widened in (
        (selectors.only, _SelectorMeaning._replace),
        (selectors.start, lambda meant: meant._replace(with_descendants=True)),
        (selectors.until, lambda meant: meant._replace(with_ancestors=True)),
    ):
        if typed:
            parts = _common(parts, graph.meant(typed, widened))
    if selectors.exclude:
        parts = _without(parts, graph.meant(selectors.exclude, _SelectorMeaning._replace), graph)
    if not plan.nodes:
        raise UsageError(f"pipeline `{plan.pipeline}` has no nodes", "list them below `nodes:`")
    if not parts:
        raise UsageError("nothing is left to run", "no node is selected by all of the options")
    return _selection(plan, parts)


def executions_named_by(plan: Plan, selectors: Iterable[str]) -> dict[str, frozenset[int] | None]:
    """The nodes that selectors name, each with the executions that are meant; None for all. Errors: UsageError."""
    parts = _Graph(plan).meant(selectors, _SelectorMeaning._replace)
    return {name: None if part is None else frozenset(part) for name, part in parts.items()}


def reduced_plan(plan: Plan, selection: PartialRun) -> Plan:
    """The plan of the nodes that run or are given, and of the edges into those that run."""
    kept, running = {*selection.runs, *selection.given}, set(selection.runs)
    nodes = (_with_children(node, selection.children.get(node.name)) for node in plan.nodes if node.name in kept)
    edges = tuple(edge for edge in plan.edges if edge.target in running)
    return msgspec.structs.replace(plan, nodes=tuple(nodes), edges=edges)


def _with_children(node: PlannedNode, children: tuple[int, ...] | None) -> PlannedNode:
    if children is None:
        return node
    assert isinstance(node, PlannedTask), "only tasks have children"
    return msgspec.structs.replace(node, children=children)


def _selection(plan: Plan, parts: Mapping[str, Part]) -> PartialRun:
    runs = tuple(node.name for node in plan.nodes if node.name in parts)
    before = {edge.source for edge in plan.edges if edge.target in parts}
    given = tuple(node.name for node in plan.nodes if node.name in before and node.name not in parts)
    dropped = tuple(node.name for node in plan.nodes if node.name not in parts and node.name not in before)
    children = {name: tuple(sorted(part)) for name in runs if (part := parts[name]) is not None}
    return PartialRun(runs, given, dropped, children)


def _common(one: Mapping[str, Part], other: Mapping[str, Part]) -> dict[str, Part]:
    both: dict[str, Part] = {}
    for name, part in one.items():
        if name not in other:
            continue
        of_other = other[name]
        common = of_other if part is None else part if of_other is None else part & of_other
        if common is None or common:
            both[name] = common
    return both


def _without(parts: Mapping[str, Part], excluded: Mapping[str, Part], graph: "_Graph") -> dict[str, Part]:
    left: dict[str, Part] = {}
    for name, part in parts.items():
        if name not in excluded:
            left[name] = part
            continue
        indexes = excluded[name]
        rest = set() if indexes is None else (graph.all_of(name) if part is None else part) - indexes
        if rest:
            left[name] = rest
    return left


class _Graph:
    """Who stands before and after whom, and what a selector means there."""

    def __init__(self, plan: Plan) -> None:
        self._nodes = {node.name: node for node in plan.nodes}
        self._edges = plan.edges
        self._before = _neighbours(plan.edges, lambda edge: (edge.target, edge.source))
        self._after = _neighbours(plan.edges, lambda edge: (edge.source, edge.target))

    def meant(self, typed: Iterable[str], widened: Callable[[_SelectorMeaning], _SelectorMeaning]) -> dict[str, Part]:
        """All that the selectors of one option name."""
        found: dict[str, Part] = {}
        for text in typed:
            selector = widened(read_selector(text, tuple(self._nodes)))
            for name in self._around(selector):
                found[name] = None
            part = self._part(selector)
            known = found.get(selector.node, set())
            found[selector.node] = None if part is None or known is None else known | part
        return found

    def _around(self, selector: _SelectorMeaning) -> Iterator[str]:
        if selector.with_ancestors:
            yield from _reachable(self._before, selector.node)
        if selector.with_descendants:
            yield from _reachable(self._after, selector.node)

    def _part(self, selector: _SelectorMeaning) -> Part:
        if not selector.indexes:
            return None
        name, node = selector.node, self._nodes[selector.node]
        count = self._count(name)
        beyond = next((index for index in selector.indexes if count is not None and index >= count), None)
        if isinstance(node, PlannedDeployment) or beyond is not None:
            index = selector.indexes[0] if beyond is None else beyond
            raise UsageError(f"node `{name}` has no execution {index}", _what_it_has(node, count or 0))
        if is_group(node):
            raise UsageError(f"the executions of `{name}` are one group and run together", f"select the node: {name}")
        return set(selector.indexes) if isinstance(node, PlannedTask) else None

    def all_of(self, name: str) -> set[int]:
        count = self._count(name)
        if count is None:
            raise UsageError(
                f"how many executions `{name}` has is known only when it starts",
                f"name those to run: --only '{name}#0'",
            )
        return set(range(count))

    def _count(self, name: str) -> int | None:
        """None where an edge into the task can change the number."""
        node = self._nodes[name]
        if not isinstance(node, PlannedTask):
            return 0 if isinstance(node, PlannedDeployment) else 1
        fills = any(edge.target == name and edge.target_kind == "parameter" for edge in self._edges)
        return None if fills else sweep_size(node.sweep)


def _what_it_has(node: PlannedNode, count: int) -> str:
    if isinstance(node, PlannedDeployment):
        return "it is a deployment and executes nothing"
    return "it has only execution 0" if count == 1 else f"it has the executions 0 to {count - 1}"


def _neighbours(
    edges: Iterable[PlannedEdge], ends: Callable[[PlannedEdge], tuple[str, str]]
) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for node, neighbour in map(ends, edges):
        found.setdefault(node, {})[neighbour] = None
    return found


def _reachable(neighbours: Mapping[str, Collection[str]], start: str) -> set[str]:
    """All that one or more steps lead to."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in neighbours.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


# ── reading ──────────────────────────────────────────────────────────────────────────────────────

_INDEXES = r"(?s)(.+)#(\d{1,9}(?:,\d{1,9})*)"


def read_selector(text: str, nodes: Sequence[str]) -> _SelectorMeaning:
    """What a selector means. Names may hold `+` and `#`, so the names decide: the longest reading that is one wins.

    An equal name wins over one that differs in case, and that over an unambiguous beginning.
    Errors: UsageError with the nearest name.
    """
    readings = tuple(_readings(text))
    for fits in (str.__eq__, _equal_but_for_case, _begins):
        for reading in readings:
            found = [node for node in nodes if fits(node, reading.node)]
            if len(found) > 1:
                raise UsageError(f"`{text}` fits several nodes", f"one of {listed(found)}")
            if found:
                return reading._replace(node=found[0])
    raise unknown_name("node", readings[-1].node, nodes)


def _readings(text: str) -> Iterator[_SelectorMeaning]:
    """All readings of the text, that with the longest name first."""
    for before in (False, True):
        for after in (False, True):
            if (before and not text.startswith("+")) or (after and not text.endswith("+")):
                continue
            name = text[1 if before else 0 : len(text) - 1 if after else len(text)]
            if not name:
                continue
            yield _SelectorMeaning(name, (), before, after)
            if match := re.fullmatch(_INDEXES, name):
                indexes = tuple(dict.fromkeys(map(int, match[2].split(","))))
                yield _SelectorMeaning(match[1], indexes, before, after)


def _equal_but_for_case(node: str, typed: str) -> bool:
    return node.casefold() == typed.casefold()


def _begins(node: str, typed: str) -> bool:
    return node.casefold().startswith(typed.casefold())
