"""Pipelines: nodes, edges, parameters."""

from vhpipe.config.edge_ends import read_edge_end, read_target
from vhpipe.config.members import (
    Raw,
    choice_of,
    flag_of,
    mapping_of,
    name_of,
    objects_of,
    text_of,
    texts_of,
    value_of,
)
from vhpipe.config.model import (
    DeploymentNode,
    Edge,
    EdgeEnd,
    EdgeMergeMode,
    ExecutionNode,
    Node,
    NodeAction,
    OnError,
    Override,
    Pipeline,
    PipelineParameter,
    TaskNode,
)
from vhpipe.config.steps import read_override
from vhpipe.diagnostics import Diagnostic, Location, Path

_ON_ERRORS = {choice.value: choice for choice in OnError}
_MERGE_MODES = {choice.value: choice for choice in EdgeMergeMode}


def read_pipeline(raw: Raw, at: Path, notes: list[Diagnostic]) -> Pipeline:
    """The pipeline that stands at a path; an edge with an unreadable end is left out of it."""
    return Pipeline(
        name=name_of(raw),
        nodes=tuple(_node(item, place, notes) for item, place in objects_of(raw, "nodes", at)),
        edges=_edges(raw, at, notes),
        parameters=tuple(_parameter(item, place, notes) for item, place in objects_of(raw, "parameters", at)),
        reuse_executions=flag_of(raw, "reuse-executions"),
        at=at,
    )


def _node(raw: Raw, at: Path, notes: list[Diagnostic]) -> Node:
    """The node; its kind is guessed from its properties where `type` does not say it."""
    kind = raw.get("type")
    on_error = choice_of(raw, "on-error", _ON_ERRORS, OnError.STOP_ALL)
    actions = _actions(raw, at) if "actions" in raw else ()
    if kind == "deployment" or (kind != "execution" and kind != "task" and "deployment" in raw):
        return DeploymentNode(
            name=name_of(raw),
            deployment=name_of(raw, "deployment"),
            endpoints=texts_of(raw, "endpoints"),
            aliases=texts_of(raw, "aliases"),
            on_error=on_error,
            actions=actions,
            at=at,
        )
    override = _override(raw, at, notes) if "override" in raw else None
    merge_mode = choice_of(raw, "edge-merge-mode", _MERGE_MODES, EdgeMergeMode.REPLACE)
    commit = text_of(raw, "commit")
    if kind == "task" or (kind != "execution" and "task" in raw):
        step, task = text_of(raw, "step"), text_of(raw, "task")
        return TaskNode(name_of(raw), step, task, commit, override, merge_mode, on_error, actions, at)
    step = name_of(raw, "step")
    return ExecutionNode(name_of(raw), step, commit, override, merge_mode, on_error, actions, at)


def _override(raw: Raw, at: Path, notes: list[Diagnostic]) -> Override | None:
    found = mapping_of(raw, "override")
    return None if found is None else read_override(found, (*at, "override"), notes)


def _actions(raw: Raw, at: Path) -> tuple[NodeAction, ...]:
    return tuple(
        NodeAction(
            when=tuple(text.lower() for text in texts_of(item, "when")),
            then=texts_of(item, "then"),
            conditions=texts_of(item, "if"),
            at=place,
        )
        for item, place in objects_of(raw, "actions", at)
    )


def _edges(raw: Raw, at: Path, notes: list[Diagnostic]) -> tuple[Edge, ...]:
    value = raw.get("edges")
    if type(value) is not list:
        return ()
    found = []
    for number, item in enumerate(value):
        place = (*at, "edges", number)
        if type(item) is list and len(item) == 2:
            first: str | int = 0
            second: str | int = 1
        elif type(item) is dict and "source" in item and "target" in item:
            first, second = "source", "target"
        else:
            continue
        source_text, target_text = item[first], item[second]
        if type(source_text) is str and type(target_text) is str:
            source = read_edge_end(source_text, (*place, first), notes)
            target = read_edge_end(target_text, (*place, second), notes)
            if source is not None and target is not None:
                found.append(Edge(source, target, place))
    return tuple(found)


def _parameter(raw: Raw, at: Path, notes: list[Diagnostic]) -> PipelineParameter:
    return PipelineParameter(
        name=name_of(raw),
        targets=_targets(raw, at, notes),
        default=value_of(raw, "default"),
        has_default="default" in raw,
        category=text_of(raw, "category"),
        description=text_of(raw, "description"),
        at=at,
    )


def _targets(raw: Raw, at: Path, notes: list[Diagnostic]) -> tuple[EdgeEnd, ...]:
    if "target" in raw and "targets" in raw:
        message = f"parameter `{name_of(raw)[:60]}` has both `target` and `targets`"
        hint = "put all of them into `targets`"
        notes.append(Diagnostic("target-and-targets", "error", message, Location((*at, "targets"), "key"), hint))
    written: list[tuple[str, Path]] = []
    for key in ("target", "targets"):
        value = raw.get(key)
        if type(value) is str:
            written.append((value, (*at, key)))
        elif type(value) is list:
            written.extend((item, (*at, key, number)) for number, item in enumerate(value) if type(item) is str)
    ends = (read_target(text, place, notes) for text, place in written)
    return tuple(end for end in ends if end is not None)
