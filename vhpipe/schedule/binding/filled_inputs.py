"""Inputs whose URIs have parameters in them: which URIs they are for each execution, and the files found for these."""

from collections.abc import Iterator, Mapping

import msgspec

from vhpipe.config.model import Value
from vhpipe.plan.execution import execution_count, execution_values, given_execution, is_search
from vhpipe.plan.input_places import Candidate, Placement, collision_text, place_files
from vhpipe.plan.model import FilledUri, InputFile, PlannedExecution, PlannedInput, PlannedNode, PlannedTask
from vhpipe.plan.uri_templates import UnfilledUriError, filled_uri, is_template
from vhpipe.schedule.binding.upstream import CannotBindError, Upstream


def uris_to_find(upstream: Upstream, node: PlannedNode) -> tuple[FilledUri, ...]:
    """The URIs that executions of a node need and whose files are not known yet, each once for an input.

    A required input of which a parameter has no value raises `CannotBindError`.
    """
    if not has_templates(node):
        return ()
    found = upstream.state.nodes[node.name].found
    wanted: dict[str, FilledUri] = {}
    for item in templated_inputs(node):
        for values in _values_of_executions(upstream, node):
            for each in _filled(item, values):
                wanted.setdefault(each.key, each)
    return tuple(each for key, each in wanted.items() if key not in found)


def has_templates(node: PlannedNode) -> bool:
    return any(True for _ in templated_inputs(node))


def templated_inputs(node: PlannedNode) -> Iterator[PlannedInput]:
    """None of a node that an earlier run gives: its files are known."""
    if isinstance(node, PlannedExecution | PlannedTask) and not (node.given and node.given.is_whole):
        yield from (item for item in node.spec.inputs if item.base)


def filled_files(upstream: Upstream, name: str, item: PlannedInput, index: int | None) -> tuple[InputFile, ...]:
    """The files of an input for one execution, those that edges bring included; for None those of all executions."""
    node = upstream.nodes[name]
    every = _values_of_executions(upstream, node, index)
    files = dict.fromkeys(file for values in every for file in _placed_files(upstream, name, item, values)[0])
    return tuple(files)


def collision_warnings(upstream: Upstream, node: PlannedNode) -> tuple[str, ...]:
    """What becomes of files that want one name, each sentence once. Under `error` it raises `CannotBindError`."""
    policy = upstream.plan.on_collision
    found: dict[str, None] = {}
    for item in templated_inputs(node):
        for values in _values_of_executions(upstream, node):
            for collision in _placed_files(upstream, node.name, item, values)[1].collisions:
                found[f"input `{item.name}`: {collision_text(collision, policy)}"] = None
    if found and policy == "error":
        raise CannotBindError(next(iter(found)))
    return tuple(found)


def _placed_files(
    upstream: Upstream, name: str, item: PlannedInput, values: Mapping[str, Value]
) -> tuple[list[InputFile], Placement]:
    by_edges = dict(upstream.bound(name).files).get(item.name, ())
    found = upstream.state.nodes[name].found
    candidates = [
        (Candidate(file.path, 0, None, file.uri, file.uri), InputFile(file.path, uri=file.uri))
        for each in _filled(item, values)
        for file in found.get(each.key, ())
    ]
    candidates += [(Candidate(file.path, 1, None, file.uri or file.path, file.path), file) for file in by_edges]
    placement = place_files([candidate for candidate, _ in candidates], upstream.plan.on_collision)
    rename = item.filename if len(placement.placed) == 1 else None
    placed = [
        msgspec.structs.replace(candidates[position][1], path=rename or path) for path, position in placement.placed
    ]
    return placed, placement


def _filled(item: PlannedInput, values: Mapping[str, Value]) -> tuple[FilledUri, ...]:
    try:
        return tuple(
            FilledUri(item, uri, filled_uri(uri, values), dict(values) if is_template(uri) else {}) for uri in item.uris
        )
    except UnfilledUriError as problem:
        if item.optional:
            return ()
        raise CannotBindError(f"input `{item.name}`: {problem}") from problem


def _values_of_executions(
    upstream: Upstream, node: PlannedNode, only: int | None = None
) -> Iterator[Mapping[str, Value]]:
    """The values of each execution that runs. What a search proposes stands in no URI: the plan refuses it."""
    bound = upstream.bound(node.name)
    if is_search(node):
        assert isinstance(node, PlannedTask), "only tasks search"
        yield {**node.spec.values, **bound.values}
        return
    indexes = range(execution_count(node, bound)) if only is None else (only,)
    chosen = node.children if isinstance(node, PlannedTask) else None
    for index in indexes:
        if given_execution(node, index) is None and (chosen is None or index in chosen):
            yield execution_values(node, bound, index, upstream.plan.seed)
