"""How many executions a task has, as far as the file tells, and whether these differ."""

from collections.abc import Iterator

from vhpipe.config.edge_kinds import EDGE_KINDS
from vhpipe.config.model import (
    EdgeKind,
    Multiple,
    Scalar,
    Step,
    Task,
    TaskNode,
    TaskType,
    Value,
    VariantParameter,
    VariantStyle,
)
from vhpipe.diagnostics import Location, Path, RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import key_in, name_at, value_at
from vhpipe.rules.subject import Finding, Subject

MANY_EXECUTIONS = 1000
"""More than these are warned about: a slip in the rules of one variant is more likely than such a wish."""
FEWER = {True: "`type: random_search` with `execution-count` tries some", False: "are that many intended?"}
HARMLESS = frozenset({"unfit-value", "unused-sets", "missing-execution-count", "unknown-parameter"})
CANNOT_SPREAD = (TaskType.MANUAL, TaskType.BAYESIAN, TaskType.DISTRIBUTED)


def sweeps_too_large(subject: Subject) -> Iterator[Finding]:
    for task, step in _blueprints(subject):
        count = _size(task, step)
        if count is not None and count > MANY_EXECUTIONS:
            is_grid = task.type is TaskType.GRID
            shown = f"{count:,}" if count < 10**15 else "more than 10¹⁵"
            yield Finding(
                f"task `{task.name}` has {shown} executions{_product(task)}",
                name_at(task.at),
                hint=f"that is more than {MANY_EXECUTIONS:,}; {FEWER[is_grid]}",
            )


def _product(task: Task) -> str:
    if task.type is not TaskType.GRID:
        return ""
    sizes = {item.name: _variant_size(item) for item in task.parameters}
    return f": {' × '.join(f'{size:,}' for size in sizes.values())}" if 1 < len(sizes) <= 8 else ""


def sweeps_without_variation(subject: Subject) -> Iterator[Finding]:
    """Blueprints whose executions would all be alike; not those into which something may bring a list."""
    filled = _blueprints_filled_from_outside(subject)
    for task, step in _blueprints(subject):
        if task.type is TaskType.DISTRIBUTED or task.name in filled or not subject.is_sound(task.at):
            continue
        if _size(task, step) is not None and not _varies(task):
            yield Finding(
                f"nothing varies in task `{task.name}`, so its executions are all the same",
                name_at(task.at),
                hint="give a parameter several values, or make an execution of the step instead",
            )


def _varies(task: Task) -> bool:
    if task.type is TaskType.MANUAL and len({_key_of_set(pairs) for pairs in task.parameter_sets}) > 1:
        return True
    return any(_variant_varies(item) for item in task.parameters)


def _variant_varies(item: VariantParameter) -> bool:
    if item.style is VariantStyle.RANDOM:
        return item.rules.minimum != item.rules.maximum
    if item.style is VariantStyle.MULTIPLE:
        return len({_key(value) for value in item.rules.items}) > 1
    return _variant_size(item) > 1


def _variant_size(item: VariantParameter) -> int:
    from vhpipe.sweep.parameter_sets import Axis, Sweep, sweep_size

    return sweep_size(Sweep(axes=(Axis(item.name, item.style, item.rules),)))


def _blueprints_filled_from_outside(subject: Subject) -> frozenset[str]:
    """The blueprints of nodes into whose parameters an edge or a pipeline parameter goes."""
    names: set[str] = set()
    for graph in subject.graphs:
        filled = _nodes_with_filled_parameters(graph) if graph.tasks else frozenset()
        names |= {task.name for node, task in graph.tasks.items() if task is not None and node in filled}
    return frozenset(names)


def _nodes_with_filled_parameters(graph: PipelineGraph) -> frozenset[str]:
    by_edges = {edge.target.node for edge in graph.edges if edge.target.kind is EdgeKind.PARAMETER}
    return frozenset(by_edges | {end.node for item in graph.pipeline.parameters for end in item.targets})


def tasks_without_sweep(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Task nodes of a step, without blueprint, to which nothing in the file gives several values."""
    if not subject.knows_all(graph.pipeline.at, "nodes", "edges", "parameters"):
        return
    filled = _nodes_with_filled_parameters(graph)
    for name, node in graph.nodes.items():
        if not isinstance(node, TaskNode) or (node.commit is not None and graph.steps.get(name) is None):
            continue
        if node.step is not None and name not in filled:
            yield Finding(
                f"task node `{name}` has one execution, because nothing gives it several values",
                name_at(node.at),
                hint="name a blueprint with `task:`, or fill a parameter with a list",
            )


def repeated_values(subject: Subject) -> Iterator[Finding]:
    """Values that a grid tries twice, and parameter sets that stand twice."""
    for task in subject.config.tasks:
        if task.type is TaskType.GRID:
            for item in task.parameters:
                if item.style is VariantStyle.MULTIPLE:
                    yield from _repeated_items(item)
        if task.type is TaskType.MANUAL and not task.parameters:
            yield from _repeated_sets(task)


def _repeated_items(item: VariantParameter) -> Iterator[Finding]:
    first: dict[tuple[bool, Value], int] = {}
    for index, value in enumerate(item.rules.items):
        earlier = first.setdefault(_key(value), index)
        if earlier != index:
            yield _again(f"this value of `{item.name}`", (*item.at, "rules", "items"), index, earlier)


def _repeated_sets(task: Task) -> Iterator[Finding]:
    first: dict[frozenset[tuple[str, tuple[bool, Value]]], int] = {}
    for index, pairs in enumerate(task.parameter_sets):
        earlier = first.setdefault(_key_of_set(pairs), index)
        if earlier != index:
            yield _again("this parameter set", (*task.at, "parameter-sets"), index, earlier)


def _again(what: str, at: Path, index: int, earlier: int) -> Finding:
    return Finding(
        f"{what} appears here a second time",
        value_at(at, index),
        hint="its executions are the same; remove it",
        related=(RelatedPlace(value_at(at, earlier), "the first one"),),
    )


def lists_that_cannot_spread(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Lists for one value of a task whose search has no place for them. Source: decision 18."""
    for item in graph.pipeline.parameters:
        if isinstance(item.default, tuple):
            for end in item.targets:
                yield from _unspread(graph, end.node, end.key, value_at(item.at, "default"))
    varying = varying_nodes(graph)
    for edge in graph.edges if varying else ():
        gives = edge.source.node in varying and edge.source.kind is not None and EDGE_KINDS[edge.source.kind].is_listed
        if gives and edge.target.kind is EdgeKind.PARAMETER:
            yield from _unspread(graph, edge.target.node, edge.target.key, key_in(edge.source))


def lists_into_one_value(_: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """What a task with several executions gives is a list, and its target takes one value. Source: decision 18."""
    varying = varying_nodes(graph)
    for edge in graph.edges if varying else ():
        gives = edge.source.node in varying and edge.source.kind is not None and EDGE_KINDS[edge.source.kind].is_listed
        step = graph.steps.get(edge.target.node) if gives and edge.target.kind is EdgeKind.PARAMETER else None
        parameter = step.parameter(edge.target.key) if step else None
        if parameter is None or parameter.multiple is not Multiple.NONE:
            continue
        if not isinstance(graph.nodes[edge.target.node], TaskNode):
            yield Finding(
                f"node `{edge.source.node}` provides a list, with an element for each of its executions, but parameter "
                f"`{parameter.name}` of node `{edge.target.node}` takes one value",
                key_in(edge.source),
                hint="write `multiple: repeat`, or make the node a task, which runs once for each element",
                related=(RelatedPlace(key_in(edge.target), "this parameter"),),
            )


def _unspread(graph: PipelineGraph, node: str, name: str, at: Location) -> Iterator[Finding]:
    step, task = graph.steps.get(node), graph.tasks.get(node)
    parameter = step.parameter(name) if step else None
    if parameter is not None and parameter.multiple is Multiple.NONE and task and task.type in CANNOT_SPREAD:
        yield Finding(
            f"a list cannot spread over parameter `{name}` of node `{node}` in a task of type `{task.type}`",
            at,
            hint="give one value, or write `type: grid_search`",
            related=(RelatedPlace(name_at(graph.nodes[node].at), "this node"),),
        )


def varying_nodes(graph: PipelineGraph) -> frozenset[str]:
    """The task nodes that have several executions by what the file itself says."""
    if not any(isinstance(node, TaskNode) for node in graph.nodes.values()):
        return frozenset()
    lists = (item for item in graph.pipeline.parameters if isinstance(item.default, tuple) and len(item.default) > 1)
    filled = {end.node for item in lists for end in item.targets}
    several: dict[Path, bool] = {}
    for name, task in graph.tasks.items():
        step = graph.steps.get(name)
        if task is not None and step is not None and task.at not in several:
            several[task.at] = (_size(task, step) or 0) > 1
    return frozenset(
        name for name, task in graph.tasks.items() if name in filled or (task is not None and several.get(task.at))
    )


def _blueprints(subject: Subject) -> Iterator[tuple[Task, Step]]:
    steps = subject.config.steps_by_name() if subject.config.tasks else {}
    for task in subject.config.tasks:
        step = steps.get(task.step)
        if step is not None and subject.is_sound(step.at) and subject.is_sound(task.at):
            yield task, step


def _size(task: Task, step: Step) -> int | None:
    """How many executions a blueprint has; None where a fault keeps it from being counted out."""
    from vhpipe.sweep.parameter_sets import sweep_of, sweep_problems, sweep_size

    if any(problem.kind not in HARMLESS for problem in sweep_problems(task, step)):
        return None
    return sweep_size(sweep_of(task, step))


def _key(value: Scalar | Value) -> tuple[bool, Value]:
    """Equal for equal values; true is not 1."""
    return isinstance(value, bool), value


def _key_of_set(pairs: tuple[tuple[str, Value], ...]) -> frozenset[tuple[str, tuple[bool, Value]]]:
    return frozenset((name, _key(value)) for name, value in pairs)
