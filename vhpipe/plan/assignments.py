"""Which parameters and inputs of which nodes the user's arguments and the pipeline's parameters set.

Weakest first: pipeline parameter default, pipeline parameter argument, node argument. What a step, an override or a
blueprint says is weaker than all of these; an edge stands between the last two. Source: decision 11.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vhpipe.command.parameter_values import fitting, value_problem
from vhpipe.config.model import DeploymentNode, Multiple, Parameter, PipelineParameter, Value
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import Arguments
from vhpipe.plan.typed_text import Given, arriving, doubt
from vhpipe.wording import unknown_name


class Assignment(NamedTuple):
    """A value that fits its parameter, or a list whose elements do; `by` says in words who set it."""

    value: Value
    by: str


Assignments = Mapping[str, Mapping[str, Assignment]]
"""By node and parameter."""


def assignments(graph: PipelineGraph, arguments: Arguments) -> Assignments:
    """The strongest value that stands for each parameter of each node, edges apart.

    Names that the pipeline does not have and values that do not fit raise `UsageError`.
    """
    _refuse_unknown(graph, arguments)
    assigned: dict[str, dict[str, Assignment]] = {name: {} for name in graph.nodes}
    for parameter in graph.pipeline.parameters:
        if parameter.default is not None and parameter.name not in arguments.pipeline_parameters:
            by = f"the default of pipeline parameter `{parameter.name}`"
            _assign_targets(graph, parameter, parameter.default, by, assigned)
    for parameter in graph.pipeline.parameters:
        if parameter.name in arguments.pipeline_parameters:
            given = arguments.pipeline_parameters[parameter.name]
            _assign_targets(graph, parameter, given, f"`-p {parameter.name}`", assigned)
    for node, swept in arguments.swept.items():
        for name in swept:
            assigned[node].pop(name, None)
    for node, values in arguments.node_parameters.items():
        for name, given in values.items():
            assigned[node][name] = checked_value(graph, node, name, given, f"`-p {node}.{name}`")
    return assigned


def doubtful_arguments(graph: PipelineGraph, arguments: Arguments) -> Iterator[str]:
    """What to say of typed texts that look like numbers and are none, each argument once."""
    for parameter in graph.pipeline.parameters:
        given = arguments.pipeline_parameters.get(parameter.name)
        steps = [(graph.steps.get(target.node), target.key) for target in parameter.targets]
        taking = [taken for step, key in steps if step and (taken := step.parameter(key))]
        doubts = (doubt(each, given, parameter.default) for each in taking)
        if found := next(filter(None, doubts), None):
            yield f"`-p {parameter.name}`: {found}"
    for node, values in arguments.node_parameters.items():
        step = graph.steps[node]
        for name, given in values.items():
            declared = step.parameter(name) if step else None
            if declared and (found := doubt(declared, given)):
                yield f"`-p {node}.{name}`: {found}"


def _assign_targets(
    graph: PipelineGraph, parameter: PipelineParameter, given: Given, by: str,
    assigned: dict[str, dict[str, Assignment]],
) -> None:  # fmt: skip
    for target in parameter.targets:
        step = graph.steps.get(target.node)
        if step is not None and step.parameter(target.key) is not None:
            checked = checked_value(graph, target.node, target.key, given, by, parameter.default)
            assigned[target.node][target.key] = checked


def checked_value(
    graph: PipelineGraph, node: str, name: str, given: Given, by: str, default: Value = None
) -> Assignment:
    """What is given, in type and shape of its parameter; what does not fit raises `UsageError`.

    `default` is that of the pipeline's parameter. Source: decision 122.
    """
    step = graph.steps[node]
    parameter = step.parameter(name) if step else None
    assert parameter is not None, "unknown names were refused"
    try:
        value = fitting(parameter, arriving(parameter, given, default))
        problem = _problem(parameter, value)
    except ValueError as fault:
        problem = str(fault)
    if problem:
        raise UsageError(f"{by} does not fit parameter `{name}` of node `{node}`: {problem}")
    return Assignment(value, by)


def _problem(parameter: Parameter, value: Value) -> str | None:
    """What is wrong with a value, or with the first wrong element of a list that may spread."""
    if value is None:
        return None if parameter.optional else "it has no value, and the parameter is not optional"
    if isinstance(value, tuple) and parameter.multiple is Multiple.NONE:
        problems = (value_problem(parameter, item) for item in value)
        return next((problem for problem in problems if problem), None)
    return value_problem(parameter, value)


def _refuse_unknown(graph: PipelineGraph, arguments: Arguments) -> None:
    known = [parameter.name for parameter in graph.pipeline.parameters]
    for name in arguments.pipeline_parameters:
        if name not in known:
            raise unknown_name("pipeline parameter", name, [*known, *_all_parameters(graph)])
    for node, values in arguments.node_parameters.items():
        _refuse_unknown_of_node(graph, node, "parameter", values)
    for node, uris in arguments.node_inputs.items():
        _refuse_unknown_of_node(graph, node, "input", uris)
        _refuse_empty(graph, node, uris)


def _refuse_empty(graph: PipelineGraph, node: str, uris: Mapping[str, tuple[str, ...]]) -> None:
    step = graph.steps[node]
    optional = {item.name for item in step.inputs if item.optional} if step else set()
    for name, given in uris.items():
        if not all(given):
            raise UsageError(f"`-i {node}.{name}` names no file", f"`-i {node}.{name}=PATH`")
        if not given and name not in optional:
            fault = f"`-i {node}.{name}=` leaves `{name}` empty, and `{node}` requires it"
            raise UsageError(fault, f"name a file: `-i {node}.{name}=PATH`; only an optional input can be empty")


def _all_parameters(graph: PipelineGraph) -> list[str]:
    return [f"{name}.{parameter.name}" for name, step in graph.steps.items() if step for parameter in step.parameters]


def _refuse_unknown_of_node(graph: PipelineGraph, node: str, what: str, names: Mapping[str, object]) -> None:
    if node not in graph.nodes:
        raise unknown_name("node", node, graph.nodes)
    if isinstance(graph.nodes[node], DeploymentNode):
        raise UsageError(f"`{node}` is a deployment: it has no {what}s", "give them to execution and task nodes")
    step = graph.steps[node]
    if step is None:
        return
    known = [item.name for item in (step.parameters if what == "parameter" else step.inputs)]
    for name in names:
        if name not in known:
            problem = unknown_name(what, name, known, prefix=f"{node}.")
            raise UsageError(f"node `{node}` has no {what} `{name}`", problem.hint)
