"""The files that edges bring: into the inputs of a node, and into the endpoint files of a deployment."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from vhpipe.config.model import EdgeKind
from vhpipe.language.globs import match_names
from vhpipe.plan.input_places import Candidate, Collision, collision_text, place_files, placed_path
from vhpipe.plan.model import InputFile, PlannedEdge, PlannedInput
from vhpipe.schedule.binding.upstream import CannotBindError, NothingToBindError, Upstream, listing

Placed = dict[str, tuple[InputFile, ...]]


def input_files(
    upstream: Upstream,
    inputs: Mapping[str, PlannedInput],
    edges: Sequence[PlannedEdge],
    referred: Mapping[str, Sequence[tuple[Candidate, InputFile]]],
    warnings: list[str],
) -> Placed:
    """The files of every input that edges go into or that references fill, those from outside included.

    An edge that matches nothing: `CannotBindError` or `NothingToBindError`, unless the input is optional or has
    files from elsewhere. Source: decisions 13 to 17.
    """
    by_input: dict[str, list[PlannedEdge]] = {name: [] for name in referred}
    for edge in edges:
        by_input.setdefault(edge.target_key, []).append(edge)
    return {
        name: _files_of(upstream, inputs[name], into, referred.get(name, ()), warnings)
        for name, into in by_input.items()
    }


def _files_of(
    upstream: Upstream,
    item: PlannedInput,
    edges: Sequence[PlannedEdge],
    referred: Sequence[tuple[Candidate, InputFile]],
    warnings: list[str],
) -> tuple[InputFile, ...]:
    candidates = [
        (Candidate(file.path, 0, None, file.uri, file.uri), InputFile(file.path, uri=file.uri)) for file in item.files
    ]
    candidates.extend(referred)
    for edge in edges:
        candidates.extend(_candidates(upstream, edge, item))
    if edges and not candidates and not item.optional and not item.base:
        refuse_empty(upstream, edges)
    policy = upstream.plan.on_collision
    placement = place_files([candidate for candidate, _ in candidates], policy)
    warnings.extend(_collision_message(item.name, policy, collision) for collision in placement.collisions)
    rename = item.filename if len(placement.placed) == 1 else None
    placed = ((target, candidates[position][1]) for target, position in placement.placed)
    return tuple(_at(rename or target, file) for target, file in placed)


def _at(path: str, file: InputFile) -> InputFile:
    return file if file.path == path else msgspec.structs.replace(file, path=path)


def _collision_message(input_name: str, policy: str, collision: Collision) -> str:
    message = f"input `{input_name}`: {collision_text(collision, policy)}"
    if policy == "error":
        raise CannotBindError(message)
    return message


def _candidates(upstream: Upstream, edge: PlannedEdge, item: PlannedInput) -> Iterator[tuple[Candidate, InputFile]]:
    if edge.source_kind is EdgeKind.INPUT:
        yield from _candidates_of_input(upstream, edge, item)
        return
    for index, datum in upstream.outputs(edge):
        target = placed_path(datum.name, edge.source_key, item.keep_directories)
        label = f"{upstream.label(edge.source, index)}: {datum.name}"
        yield Candidate(target, edge.index + 1, index, datum.id, label), InputFile(target, datum=datum)


def _candidates_of_input(
    upstream: Upstream, edge: PlannedEdge, item: PlannedInput
) -> Iterator[tuple[Candidate, InputFile]]:
    inputs = upstream.inputs(edge.source)
    for name in match_names(edge.source_key, tuple(inputs)):
        for file in inputs[name]:
            target = placed_path(file.path, "*", item.keep_directories)
            key = file.datum.id if file.datum else file.uri
            yield Candidate(target, edge.index + 1, None, key, f"{edge.source}: {name}/{file.path}"), file


def endpoint_files(upstream: Upstream, edges: Sequence[PlannedEdge], warnings: list[str]) -> Placed:
    """One datum per `endpoint.file`; between edges the last wins, of several matches of one edge the first."""
    files: Placed = {}
    for edge in edges:
        matched = [datum for _, datum in upstream.outputs(edge)]
        if not matched:
            refuse_empty(upstream, [edge])
        if len(matched) > 1:
            names = listing([datum.name for datum in matched])
            warnings.append(f"`{edge}` matches {len(matched)} files ({names}); the first is taken")
        if edge.target_key in files:
            warnings.append(f"several edges fill file `{edge.target_key}`; the last, `{edge}`, wins")
        files[edge.target_key] = (InputFile(matched[0].name, datum=matched[0]),)
    return files


def refuse_empty(upstream: Upstream, edges: Sequence[PlannedEdge]) -> None:
    """Say why nothing came: the upstream failed, or the pattern matches none of its outputs. Source: decision 17."""
    because = upstream.why_empty(edge.source for edge in edges)
    if because is not None:
        raise NothingToBindError(f"{because} and left nothing for `{edges[0]}`")
    source = edges[0].source
    if edges[0].source_kind is EdgeKind.INPUT:
        raise CannotBindError(f"`{edges[0]}` brings no file: the inputs of `{source}` are empty")
    names = upstream.output_names(source)
    there = f"its outputs are {listing(names)}" if names else f"`{source}` has no outputs"
    raise CannotBindError(f"`{edges[0]}` matches nothing: {there}")
