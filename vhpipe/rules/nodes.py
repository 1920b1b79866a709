"""Nodes: does what they name exist, do their overrides fit, and does everything that must be filled get filled."""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, EdgeKind, Override, ParameterType, Step, TaskNode
from vhpipe.diagnostics import Path
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import key_at, name_at, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject, unmerged_steps


def unknown_steps(subject: Subject) -> Iterator[Finding]:
    """Steps that blueprints and nodes name; what stands in another commit is not looked at."""
    if not subject.knows_every("step"):
        return
    known = tuple(subject.config.steps_by_name())
    names = frozenset(known)
    for task in subject.config.tasks:
        if task.step and task.step not in names:
            yield _no_step(task.step, task.at, known)
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode) or node.commit is not None or node.step is None:
                continue
            if node.step and node.step not in names:
                yield _no_step(node.step, node.at, known)


def _no_step(name: str, at: Path, known: tuple[str, ...]) -> Finding:
    return Finding(
        f"there is no step `{name}` in this file",
        value_at(at, "step"),
        choice=NameChoice(name, known, "its steps"),
    )


def unknown_tasks(subject: Subject) -> Iterator[Finding]:
    if not subject.knows_every("task"):
        return
    known = subject.config.tasks_by_name()
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if not isinstance(node, TaskNode) or node.task is None or node.commit is not None:
                continue
            if not node.task or node.task in known:
                continue
            yield Finding(
                f"there is no task `{node.task}` in this file",
                value_at(node.at, "task"),
                choice=NameChoice(node.task, tuple(known), "its tasks"),
            )


def unknown_override_inputs(subject: Subject) -> Iterator[Finding]:
    for node_name, override, step in _overrides(subject, "inputs"):
        known = frozenset(item.name for item in step.inputs)
        for item in override.inputs:
            if item.name not in known:
                yield Finding(
                    f"step `{step.name}` of node `{node_name}` has no input `{item.name}` to override",
                    name_at(item.at),
                    choice=NameChoice(item.name, tuple(sorted(known)), "its inputs"),
                )


def unknown_override_parameters(subject: Subject) -> Iterator[Finding]:
    for node_name, override, step in _overrides(subject, "parameters"):
        known = frozenset(item.name for item in step.parameters)
        for item in override.parameters:
            if item.name not in known:
                yield Finding(
                    f"step `{step.name}` of node `{node_name}` has no parameter `{item.name}` to override",
                    name_at(item.at),
                    choice=NameChoice(item.name, tuple(sorted(known)), "its parameters"),
                )


def _overrides(subject: Subject, name: str) -> Iterator[tuple[str, Override, Step]]:
    step_of = unmerged_steps(subject.config)
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            if isinstance(node, DeploymentNode) or node.override is None:
                continue
            step = step_of(node)
            if step is not None and subject.knows_all(step.at, name):
                yield node.name, node.override, step


def presets_without_environment(subject: Subject) -> Iterator[Finding]:
    """In an override too: the step's environment does not count there, as on the platform."""
    with_presets: list[Step | Override] = [step for step in subject.config.steps if step.runtime_config_preset]
    for graph in subject.graphs:
        for node in graph.pipeline.nodes:
            override = None if isinstance(node, DeploymentNode) or node.commit is not None else node.override
            if override is not None and override.runtime_config_preset:
                with_presets.append(override)
    for item in with_presets:
        if not item.environment and subject.is_sound(item.at):
            yield Finding(
                "a `runtime-config-preset` needs an `environment` beside it",
                key_at(item.at, "runtime-config-preset"),
                hint="add `environment:` with the name of the machine that the preset is for",
            )


def unfilled_inputs(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    for name, step in _checked_steps(subject, graph):
        missing = [item for item in step.inputs if not item.default and not item.optional]
        filled = _keys_filled_by_edges(graph, name, EdgeKind.INPUT) if missing else frozenset()
        for item in missing:
            if item.name not in filled:
                yield Finding(
                    f"nothing fills input `{item.name}` of node `{name}`",
                    name_at(graph.nodes[name].at),
                    hint=f"add a default or an edge, write `optional: true`, or run with `-i {name}.{item.name}=…`",
                )


def unfilled_parameters(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    by_pipeline = _pipeline_targets(graph)
    for name, step in _checked_steps(subject, graph):
        for parameter in _missing_parameters(graph, name, step):
            if (name, parameter) not in by_pipeline:
                yield Finding(
                    f"nothing gives parameter `{parameter}` of node `{name}` a value",
                    name_at(graph.nodes[name].at),
                    hint=f"add a default or an edge, write `optional: true`, or run with `-p {name}.{parameter}=…`",
                )


def unfilled_variables(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Variables that a step cannot do without: each run has to give them."""
    around = subject.surroundings
    for name, step in _checked_steps(subject, graph):
        filled = _keys_filled_by_edges(graph, name, EdgeKind.ENVIRONMENT_VARIABLE)
        for variable in step.environment_variables:
            if variable.optional or variable.default is not None or variable.name in filled:
                continue
            if around is None or not around.names_variable(variable.name, step.environment_variable_groups):
                yield Finding(
                    f"nothing gives environment variable `{variable.name}` of node `{name}` a value",
                    name_at(graph.nodes[name].at),
                    hint=f"add a default or an edge, name it in `[environment-variables]` of the settings, or run with "
                    f"`-e {variable.name}=…`",
                )


def unset_pipeline_parameters(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Pipeline parameters without default that a node cannot do without: each run has to name them."""
    missing = {
        (name, parameter)
        for name, step in _checked_steps(subject, graph)
        for parameter in _missing_parameters(graph, name, step)
    }
    for item in graph.pipeline.parameters:
        waiting = next((end for end in item.targets if (end.node, end.key) in missing), None)
        if waiting is not None and item.default is None:
            yield Finding(
                f"pipeline parameter `{item.name}` has no default, and node `{waiting.node}` needs a value for "
                f"`{waiting.key}`",
                name_at(item.at),
                hint=f"add a default, or run with `-p {item.name}=…`",
            )


def unconnected_nodes(subject: Subject, graph: PipelineGraph) -> Iterator[Finding]:
    """Nodes without any edge in a pipeline that has edges: they run, but beside all others."""
    if not graph.edges or len(graph.edges) < len(graph.pipeline.edges):
        return
    if not subject.knows_all(graph.pipeline.at, "nodes", "edges"):
        return
    for name, node in graph.nodes.items():
        is_alone = not (graph.upstream[name] or graph.downstream[name])
        if is_alone and name not in graph.references:
            yield Finding(
                f"no edge goes into or out of node `{name}`",
                name_at(node.at),
                hint="it runs at once and nothing uses what it makes",
            )


ITEMS = ("parameters", "inputs", "environment-variables")


def _checked_steps(subject: Subject, graph: PipelineGraph) -> Iterator[tuple[str, Step]]:
    """The nodes whose step is known for certain, where all edges and parameters of the pipeline are."""
    if not subject.knows_all(graph.pipeline.at, "nodes", "edges", "parameters"):
        return
    for name, step in graph.steps.items():
        if step is not None and subject.is_sound(graph.nodes[name].at) and _is_certain(subject, step):
            yield name, step


def _is_certain(subject: Subject, step: Step) -> bool:
    if not subject.config.broken:
        return subject.knows_all(step.at, *ITEMS)
    return subject.knows_all(step.at, *ITEMS) and all(subject.is_sound((*step.at, name)) for name in ITEMS)


def _missing_parameters(graph: PipelineGraph, name: str, step: Step) -> Iterator[str]:
    """The parameters that have to have a value and get none from the step, its override, a blueprint or an edge."""
    missing = [
        item.name
        for item in step.parameters
        if item.default is None and not item.optional and item.type is not ParameterType.FLAG
    ]
    if not missing:
        return
    filled = _keys_filled_by_edges(graph, name, EdgeKind.PARAMETER) | _varied_parameters(graph, name)
    yield from (parameter for parameter in missing if parameter not in filled)


def _keys_filled_by_edges(graph: PipelineGraph, name: str, kind: EdgeKind) -> frozenset[str]:
    return frozenset(edge.target.key for edge in graph.edges_into[name] if edge.target.kind is kind)


def _varied_parameters(graph: PipelineGraph, name: str) -> frozenset[str]:
    task = graph.tasks.get(name)
    if task is None:
        return frozenset()
    in_sets = {key for parameter_set in task.parameter_sets for key, _ in parameter_set}
    return frozenset({parameter.name for parameter in task.parameters} | in_sets)


def _pipeline_targets(graph: PipelineGraph) -> frozenset[tuple[str, str]]:
    return frozenset((end.node, end.key) for item in graph.pipeline.parameters for end in item.targets)
