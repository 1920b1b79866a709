"""A plan as text, node by node in the order they run."""

from collections.abc import Iterator, Mapping, Sequence

from vhpipe.config.model import Parameter, Value
from vhpipe.diagnostics import NO_MARKS, NodeMarks
from vhpipe.plan.model import (
    Plan,
    PlannedAction,
    PlannedDeployment,
    PlannedEdge,
    PlannedExecution,
    PlannedInput,
    PlannedNode,
    PlannedTask,
)
from vhpipe.views.plan_sets import counted_executions, may_spread, parameter_sets, runs_that_gave
from vhpipe.views.safe_text import one_line
from vhpipe.views.usual_place import PlaceOf, in_usual_place
from vhpipe.wording import counted, joined

SETS_SHOWN = 5


def plan_text(plan: Plan, marks: NodeMarks = NO_MARKS, place_of: PlaceOf = in_usual_place) -> str:
    """The complete plan, without a line break at its end; what is wrong is marked, and places that are not usual."""
    incoming: dict[str, list[PlannedEdge]] = {node.name: [] for node in plan.nodes}
    for edge in plan.edges:
        incoming[edge.target].append(edge)
    lines = [f"{one_line(plan.pipeline)} of {one_line(plan.file)}: {_total(plan)}"]
    for node in plan.nodes:
        head, *rest = _node_lines(plan, node, incoming[node.name], place_of(node.name))
        marked = (f"  ! {each}" for each in marks.of(node.name))
        lines.extend(["", *(one_line(line) for line in (head, *marked, *rest))])
    lines.extend(_unplanned_lines(plan, marks))
    for title, sentences in (("notes", plan.notices), ("not honoured on this machine", plan.ignored)):
        if sentences:
            lines.extend(["", f"{title}:", *(f"  {one_line(sentence)}" for sentence in sentences)])
    return "\n".join(lines)


def _unplanned_lines(plan: Plan, marks: NodeMarks) -> Iterator[str]:
    planned = {node.name for node in plan.nodes}
    named = [f"{name}: {each}" for name, found in marks.of_nodes.items() if name not in planned for each in found]
    if named or marks.others:
        yield from ("", "cannot be planned:", *(f"  ! {one_line(each)}" for each in (*named, *marks.others)))


def _total(plan: Plan) -> str:
    counts = [counted_executions(node) for node in plan.nodes if not isinstance(node, PlannedDeployment)]
    known = sum(count for count in counts if count is not None)
    more = "" if None not in counts else " and those that a search proposes"
    return f"{counted(len(plan.nodes), 'node')}, {counted(known, 'execution')}{more}"


def _node_lines(plan: Plan, node: PlannedNode, incoming: Sequence[PlannedEdge], place: str | None) -> Iterator[str]:
    where = f", in {place}" if place is not None else ""
    yield f"{node.name}  ({_what_it_is(node)}{where}{_given_note(node)})"
    match node:
        case PlannedTask():
            yield from _indent(_task_lines(plan, node, incoming))
            yield from _indent(_input_lines(node.spec.inputs))
        case PlannedExecution():
            yield from _indent(_value_lines(node.spec.values, node.spec.parameters))
            yield from _indent(_input_lines(node.spec.inputs))
        case PlannedDeployment():
            yield from _indent(_deployment_lines(node))
    for edge in incoming:
        source = f"{edge.source}.{edge.source_kind}.{edge.source_key}"
        yield f"  <- {source} as {edge.target_kind}.{edge.target_key}"
    yield from _indent(_policy_lines(node))


def _indent(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _given_note(node: PlannedNode) -> str:
    runs = runs_that_gave(node)
    given_runs = joined(map(str, runs), " and ")
    if node.given is None:
        return f", only {_indexes(node.children)}" if isinstance(node, PlannedTask) and node.children else ""
    what = "" if node.given.is_whole else f"{len(node.given.executions)} of them "
    return f", {what}given{given_runs and f' by run {given_runs}'}"


def _indexes(children: Sequence[int]) -> str:
    return ", ".join(f"#{index}" for index in children)


def _what_it_is(node: PlannedNode) -> str:
    match node:
        case PlannedExecution():
            return f"execution of {node.spec.step}{_commit_note(node)}"
        case PlannedTask():
            kind = f"task {node.blueprint}" if node.blueprint else "task"
            return f"{kind} over {node.spec.step}{_commit_note(node)}, {node.sweep.type}: {_how_many(node)}"
        case PlannedDeployment():
            return f"deployment to {node.deployment}"


def _commit_note(node: PlannedExecution | PlannedTask) -> str:
    return f" at commit {node.spec.commit}" if node.spec.commit is not None else ""


def _how_many(node: PlannedTask) -> str:
    count = counted_executions(node)
    return "as many executions as the search proposes" if count is None else counted(count, "execution")


def _task_lines(plan: Plan, node: PlannedTask, incoming: Sequence[PlannedEdge]) -> Iterator[str]:
    shown = parameter_sets(node, plan.seed, SETS_SHOWN)
    varied = {name for values in shown for name in values}
    fixed = {name: value for name, value in node.spec.values.items() if name not in varied}
    yield from _value_lines(fixed, node.spec.parameters)
    if varied:
        for index, values in enumerate(shown):
            yield f"#{index}: {_listed(values)}"
        rest = (counted_executions(node) or 0) - len(shown)
        if rest > 0:
            yield f"... and {rest:,} more"
    for name in may_spread(node, incoming):
        yield f"a list for `{name}` makes one execution per element"


def _value_lines(values: Mapping[str, Value], parameters: Sequence[Parameter]) -> Iterator[str]:
    ordered = {parameter.name: values[parameter.name] for parameter in parameters if parameter.name in values}
    if ordered:
        yield f"parameters: {_listed(ordered)}"


def _listed(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={_value_text(value)}" for name, value in values.items())


def _value_text(value: Value) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_value_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _input_lines(inputs: Sequence[PlannedInput]) -> Iterator[str]:
    for item in inputs:
        if item.uris:
            yield f"input {item.name}: {', '.join(item.uris)}"


def _deployment_lines(node: PlannedDeployment) -> Iterator[str]:
    for endpoint in node.endpoints:
        files = ", ".join(f"{file.name} at {file.path}" for file in endpoint.files)
        yield f"endpoint {endpoint.name}{': ' if files else ''}{files}"
    if node.aliases:
        yield f"aliases: {', '.join(node.aliases)}"


def _policy_lines(node: PlannedNode) -> Iterator[str]:
    child = f", on-child-error: {node.on_child_error}" if isinstance(node, PlannedTask) and node.on_child_error else ""
    yield f"on-error: {node.on_error}{child}"
    for action in node.actions:
        yield _action_line(action)


def _action_line(action: PlannedAction) -> str:
    conditions = f" if {' and '.join(action.conditions)}" if action.conditions else ""
    return f"{', '.join(action.when)}{conditions}: {', '.join(action.then)}"
