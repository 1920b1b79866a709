"""What a sweep on the command line makes of a pipeline: execution nodes become tasks, tasks vary otherwise.

What follows such a node gets the outputs of a task: lists of values, the files of every execution.
Sources: decisions 11, 18, 77 and 78.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from vhpipe.config.edge_kinds import EDGE_KINDS
from vhpipe.config.model import (
    EdgeKind,
    ExecutionNode,
    Multiple,
    Parameter,
    Step,
    Task,
    TaskNode,
    TaskType,
    VariantParameter,
    VariantStyle,
)
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedExecution, PlannedTask
from vhpipe.plan.sweep_arguments import (
    ParameterSet,
    ParameterSetFile,
    SweepArguments,
    is_range,
    split_range,
    variation,
)
from vhpipe.plan.typed_text import TypedText, doubt, read_typed_items
from vhpipe.sweep.parameter_sets import SweepProblem, sweep_problems
from vhpipe.wording import listed, unknown_name

SEARCHES = {
    "grid": TaskType.GRID,
    "random": TaskType.RANDOM,
    "bayesian": TaskType.BAYESIAN,
    "manual": TaskType.MANUAL,
}
COUNTED = (TaskType.RANDOM, TaskType.BAYESIAN)
SETS = "--sets"


class SweptPipeline(NamedTuple):
    """The pipeline with its sweeps; `by` names for each node the parameters that vary and the option that says so."""

    graph: PipelineGraph
    by: dict[str, dict[str, str]]
    notices: tuple[str, ...] = ()


def swept(graph: PipelineGraph, sweeps: SweepArguments) -> SweptPipeline:
    """The graph of a file without errors in which the nodes vary as the user says.

    Errors: UsageError for unknown names, ranges that cannot be counted out, and searches that lack or do not take
    what is said.
    """
    asked = _by_node(graph, sweeps)
    for node, of_node in asked.items():
        graph = _as_task(graph, node, _task(graph, node, of_node, sweeps))
    by = {node: of_node.options() for node, of_node in asked.items()}
    return SweptPipeline(graph, by, tuple(dict.fromkeys(_doubts(graph, sweeps))))


def _doubts(graph: PipelineGraph, sweeps: SweepArguments) -> Iterator[str]:
    """Texts that look like numbers, in ranges and in cells of tables."""
    for typed in sweeps.ranges:
        name, text = split_range(typed)
        parameter = _swept_parameter(graph, name, f"--sweep {typed}")[1]
        items = () if is_range(text) else read_typed_items(text)
        yield from (f"`--sweep {typed}`: {found}" for each in items if (found := doubt(parameter, each)))
    for sets in filter(lambda sets: sets.is_table, sweeps.sets):
        node, _ = _sets_of_node(graph, sets)
        for name, value in (pair for row in sets.rows for pair in row):
            parameter = _parameter(graph, node, name.removeprefix(f"{node}."))
            found = doubt(parameter, TypedText(value)) if isinstance(value, str) else None
            if found:
                yield f"`{SETS} {sets.file}`: parameter `{parameter.name}`: {found}"


class _NodeSweep(NamedTuple):
    """What is said of one node: its variations in the order typed, each with what was typed, and its sets."""

    variants: dict[str, VariantParameter]
    typed: dict[str, str]
    sets: ParameterSetFile | None = None

    def options(self) -> dict[str, str]:
        by_set = dict.fromkeys(_names(self.sets.rows), f"`{SETS} {self.sets.file}`") if self.sets else {}
        return by_set | {name: f"`--sweep {typed}`" for name, typed in self.typed.items()}


# ── which node ───────────────────────────────────────────────────────────────────────────────────


def _by_node(graph: PipelineGraph, sweeps: SweepArguments) -> dict[str, _NodeSweep]:
    asked: dict[str, _NodeSweep] = {}
    for typed in sweeps.ranges:
        name, text = split_range(typed)
        node, parameter = _swept_parameter(graph, name, f"--sweep {typed}")
        of_node = asked.setdefault(node, _NodeSweep({}, {}))
        if parameter.name in of_node.variants:
            raise UsageError(f"parameter `{parameter.name}` of node `{node}` is swept twice", _both(of_node, typed))
        of_node.variants[parameter.name] = _variant(node, parameter, typed, text)
        of_node.typed[parameter.name] = typed
    for sets in sweeps.sets:
        node, found = _sets_of_node(graph, sets)
        of_node = asked.get(node, _NodeSweep({}, {}))
        if of_node.sets is not None:
            raise UsageError(f"node `{node}` has two files of parameter sets", "put them into one")
        asked[node] = of_node._replace(sets=found)
    if not asked and sweeps:
        asked[_only_task(graph, sweeps)] = _NodeSweep({}, {})
    return asked


def _both(of_node: _NodeSweep, typed: str) -> str:
    name = split_range(typed)[0].rpartition(".")[2]
    first = next((text for known, text in of_node.typed.items() if known.endswith(name)), "")
    return f"leave out `--sweep {first}` or `--sweep {typed}`"


def _variant(node: str, parameter: Parameter, typed: str, text: str) -> VariantParameter:
    try:
        style, rules = variation(text, parameter)
    except ValueError as problem:
        raise UsageError(f"`--sweep {typed}` for node `{node}` {problem}") from None
    return VariantParameter(parameter.name, style, rules, ("--sweep", parameter.name))


def _swept_parameter(graph: PipelineGraph, name: str, option: str) -> tuple[str, Parameter]:
    """The node and parameter that `node.name` means, or `name` where only one node has it."""
    steps = {node: step for node, step in graph.steps.items() if step is not None}
    before = [node for node in graph.nodes if name.startswith(f"{node}.")]
    if before:
        node = min(before, key=len)
        return node, _parameter(graph, node, name[len(node) + 1 :])
    having = {node: parameter for node, step in steps.items() if (parameter := step.parameter(name))}
    if len(having) == 1:
        return next(iter(having.items()))
    if having:
        places = listed((f"{node}.{name}" for node in having), " or ")
        raise UsageError(f"`{option}`: {len(having)} nodes have a parameter `{name}`", f"name one: {places}")
    known = [parameter.name for step in steps.values() for parameter in step.parameters]
    full = [f"{node}.{parameter.name}" for node, step in steps.items() for parameter in step.parameters]
    raise unknown_name("parameter", name, full if "." in name else known)


def _parameter(graph: PipelineGraph, node: str, name: str) -> Parameter:
    step = graph.steps.get(node)
    if step is None:
        raise UsageError(f"`{node}` is a deployment: it has no parameters", "execution and task nodes can be swept")
    parameter = step.parameter(name)
    if parameter is None:
        problem = unknown_name("parameter", name, [known.name for known in step.parameters], prefix=f"{node}.")
        raise UsageError(f"node `{node}` has no parameter `{name}`", problem.hint)
    return parameter


def _sets_of_node(graph: PipelineGraph, sets: ParameterSetFile) -> tuple[str, ParameterSetFile]:
    """The node that the names of the sets mean, and the sets with bare names."""
    names = _names(sets.rows)
    nodes = [sets.node] if sets.node else _nodes_before(graph, names) or _nodes_having(graph, names)
    if len(nodes) > 1:
        places = listed((f"{SETS} {node}={sets.file}" for node in nodes), " or ")
        raise UsageError(f"`{SETS} {sets.file}` fits the nodes {listed(nodes)}", f"name one: {places}")
    if not nodes:
        _meant_together(graph, sets, names)
    node = nodes[0]
    parameters = {name: _parameter(graph, node, name.removeprefix(f"{node}.")) for name in names}
    rows = tuple(sets.set_of(index, parameters) for index in range(len(sets.rows)))
    return node, msgspec.structs.replace(sets, node=node, rows=rows, is_table=False, texts=())


def _nodes_before(graph: PipelineGraph, names: Iterable[str]) -> list[str]:
    """The nodes that stand before a dot in names."""
    found = ([node for node in graph.nodes if name.startswith(f"{node}.")] for name in names)
    return list(dict.fromkeys(min(nodes, key=len) for nodes in found if nodes))


def _nodes_having(graph: PipelineGraph, names: Iterable[str]) -> list[str]:
    """The nodes that have all of the parameters."""
    wanted = set(names)
    steps = ((node, step) for node, step in graph.steps.items() if step is not None)
    return [node for node, step in steps if wanted <= {parameter.name for parameter in step.parameters}]


def _meant_together(graph: PipelineGraph, sets: ParameterSetFile, names: Iterable[str]) -> None:
    """Always raises: for the first name that no node has, else because no node has all."""
    for name in names:
        if not _nodes_having(graph, [name]):
            _swept_parameter(graph, name, f"{SETS} {sets.file}")
    raise UsageError(f"`{SETS} {sets.file}`: no node has all of {listed(names)}", "one file is for one node")


def _only_task(graph: PipelineGraph, sweeps: SweepArguments) -> str:
    tasks = [name for name, node in graph.nodes.items() if isinstance(node, TaskNode)]
    if len(tasks) == 1:
        return tasks[0]
    option = "--search" if sweeps.search else "--count" if sweeps.count is not None else "--metric"
    option = "--target" if option == "--metric" and sweeps.metric is None else option
    raise UsageError(
        f"`{option}`: it does not say what varies{f' in which of the tasks {listed(tasks)}' if tasks else ''}",
        "add `--sweep NODE.PARAMETER=…` or `--sets FILE`",
    )


def _names(rows: Iterable[ParameterSet]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name, _ in row))


# ── the task of a node ───────────────────────────────────────────────────────────────────────────


def _as_task(graph: PipelineGraph, name: str, task: Task) -> PipelineGraph:
    node = graph.nodes[name]
    assert isinstance(node, ExecutionNode | TaskNode), "deployments have no parameters"
    if isinstance(node, ExecutionNode):
        node = TaskNode(node.name, node.step, None, *node[2:])
    return graph._replace(nodes={**graph.nodes, name: node}, tasks={**graph.tasks, name: task})


def _task(graph: PipelineGraph, node: str, asked: _NodeSweep, sweeps: SweepArguments) -> Task:
    """The blueprint of a node with what was asked for over it."""
    step = graph.steps[node]
    assert step is not None, "a node with parameters has a step"
    written = graph.tasks.get(node)
    kind = _kind(written, asked, sweeps)
    _refuse_contradictions(node, kind, asked, sweeps)
    task = written or Task(node, step.name, at=("--sweep", node))
    sets = _sets(task, kind, asked)
    task = task._replace(
        type=kind,
        parameters=_variants(task, asked),
        parameter_sets=sets,
        execution_count=sweeps.count if sweeps.count is not None else task.execution_count,
        optimization_target_metric=sweeps.metric or task.optimization_target_metric,
        optimization_target_value=sweeps.target if sweeps.target is not None else task.optimization_target_value,
    )
    _refuse_problems(node, task, step, asked)
    return task


def _kind(written: Task | None, asked: _NodeSweep, sweeps: SweepArguments) -> TaskType:
    """How the node searches: as is said, else as a blueprint that is no grid does, else as the variations need."""
    if sweeps.search is not None:
        return SEARCHES[sweeps.search]
    if asked.sets is not None:
        return TaskType.MANUAL
    if written is not None and written.type is not TaskType.GRID:
        return written.type
    return TaskType.RANDOM if _random_ranges(asked) else TaskType.GRID


def _random_ranges(asked: _NodeSweep) -> list[str]:
    return [name for name, item in asked.variants.items() if item.style is VariantStyle.RANDOM]


def _sets(task: Task, kind: TaskType, asked: _NodeSweep) -> tuple[ParameterSet, ...]:
    if kind is not TaskType.MANUAL:
        return ()
    if asked.sets is not None:
        return asked.sets.rows
    rows = (tuple(pair for pair in row if pair[0] not in asked.variants) for row in task.parameter_sets)
    return tuple(row for row in rows if row)


def _variants(task: Task, asked: _NodeSweep) -> tuple[VariantParameter, ...]:
    """Those of the blueprint, each in its place, and the new ones; a file of sets replaces all of the blueprint's."""
    written = () if asked.sets is not None else task.parameters
    return tuple(({item.name: item for item in written} | asked.variants).values())


def _refuse_contradictions(node: str, kind: TaskType, asked: _NodeSweep, sweeps: SweepArguments) -> None:
    problem = next(_contradictions(kind, asked, sweeps), None)
    if problem:
        raise UsageError(f"node `{node}`: {problem[0]}", problem[1])


def _contradictions(kind: TaskType, asked: _NodeSweep, sweeps: SweepArguments) -> Iterator[tuple[str, str]]:
    """What is wrong, and what to do."""
    if asked.sets is not None and kind is not TaskType.MANUAL:
        yield f"`{SETS}` is for manual search, not for `{kind}`", "leave out `--search`, or give `--sweep` ranges"
    ranges = _random_ranges(asked)
    if ranges and kind not in COUNTED:
        yield f"`--sweep {asked.typed[ranges[0]]}` has no values to list for `{kind}`", "--search random --count N"
    if sweeps.count is not None and kind in (TaskType.GRID, TaskType.MANUAL):
        yield f"`--count` has no effect on `{kind}`, which has as many executions as it has points", "--search random"
    for option, value in (("--metric", sweeps.metric), ("--target", sweeps.target)):
        if value is not None and kind is not TaskType.BAYESIAN:
            yield f"`{option}` has no effect on `{kind}`", "--search bayesian"


def _refuse_problems(node: str, task: Task, step: Step, asked: _NodeSweep) -> None:
    """What keeps the task from being counted out. Of what is wrong in the file alone, `validate` has spoken."""
    if task.type in COUNTED and task.execution_count is None:
        raise UsageError(f"node `{node}`: `{task.type}` needs to know how many executions to try", "--count N")
    if task.type is TaskType.BAYESIAN and not task.optimization_target_metric:
        raise UsageError(f"node `{node}`: a bayesian search needs a metric to look at", "--metric KEY --goal max")
    if task.type is TaskType.MANUAL and not (task.parameter_sets or task.parameters):
        raise UsageError(f"node `{node}`: a manual search needs its parameter sets", f"{SETS} FILE")
    for problem in sweep_problems(task, step):
        place = problem.at[len(task.at) :] if problem.at[: len(task.at)] == task.at else ()
        in_sets = asked.sets is not None and place[:1] == ("parameter-sets",)
        if in_sets or problem.at[:1] == ("--sweep",) or problem.kind == "ragged-sets":
            raise _fault(node, problem, asked, place if in_sets else ())


def _fault(node: str, problem: SweepProblem, asked: _NodeSweep, place: tuple[object, ...]) -> UsageError:
    options: Mapping[str, str] = asked.options()
    if place:
        assert asked.sets is not None, "only sets have places"
        assert isinstance(place[1], int), "a set is found by its position"
        return UsageError(f"`{SETS} {asked.sets.file}` for node `{node}`, set {place[1] + 1}: {problem.message}")
    name = next((name for name in reversed(problem.at) if name in options), None)
    by = f"{options[str(name)]} for node `{node}`" if name in options else f"node `{node}`"
    return UsageError(f"{by}: {problem.message}")


# ── what follows ─────────────────────────────────────────────────────────────────────────────────


def refuse_lists(plan: Plan, nodes: Iterable[str]) -> None:
    """Raises UsageError where a swept node would give its list of values to a parameter that takes one."""
    varied = set(nodes)
    for edge in plan.edges:
        gives = edge.source in varied and EDGE_KINDS[edge.source_kind].is_listed
        target = plan.node(edge.target) if gives and edge.target_kind is EdgeKind.PARAMETER else None
        if target is None or isinstance(target, PlannedDeployment) or target.given is not None:
            continue
        parameter = target.spec.parameter(edge.target_key)
        if parameter is not None and parameter.multiple is Multiple.NONE and not _spreads(target):
            raise UsageError(
                f"node `{edge.source}` has several executions by this sweep, so `{edge}` brings a list, and parameter "
                f"`{parameter.name}` of node `{target.name}` takes one value",
                f"give one: -p {target.name}.{parameter.name}=VALUE",
            )


def _spreads(node: PlannedExecution | PlannedTask) -> bool:
    """Whether a list makes one execution per element."""
    return isinstance(node, PlannedTask) and node.sweep.type in (TaskType.GRID, TaskType.RANDOM)
