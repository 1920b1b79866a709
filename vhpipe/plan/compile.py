"""PipelineGraph + arguments → Plan: everything that can be decided before the start is decided here.

The values of a node come from, weakest first: step default, override (both merged in the graph), blueprint variant,
pipeline parameter default, pipeline parameter argument, edge or reference, node argument. Source: decision 11.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from vhpipe.command.parameter_values import fitting
from vhpipe.config.model import (
    DeploymentNode,
    EdgeKind,
    EdgeMergeMode,
    EnvironmentVariable,
    ExecutionNode,
    Input,
    Multiple,
    NodeAction,
    Step,
    Task,
    TaskNode,
    TaskType,
    Value,
)
from vhpipe.errors import UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.plan.arguments import FIXED, Arguments
from vhpipe.plan.assignments import Assignment, Assignments, assignments, checked_value, doubtful_arguments
from vhpipe.plan.capabilities import CAPABILITIES, not_honoured
from vhpipe.plan.compile_references import CompiledReferences, pipeline_values, refer, slots_filled_by
from vhpipe.plan.edges import cut_notice, dependency_edges, edges_in_force
from vhpipe.plan.extension import with_extension
from vhpipe.plan.model import (
    CommitOfStep,
    EnvironmentValue,
    Literal,
    Plan,
    PlannedAction,
    PlannedDeployment,
    PlannedEndpoint,
    PlannedEndpointFile,
    PlannedExecution,
    PlannedInput,
    PlannedNode,
    PlannedTask,
    StepSpec,
)
from vhpipe.plan.named_variables import variable_notices
from vhpipe.plan.pipeline_version import definition_of
from vhpipe.plan.places import EVERYTHING_LOCAL, NodePlaces
from vhpipe.plan.queues import queue_sizes
from vhpipe.plan.required_values import FilledTargets, MissingValue, missing_values, refuse_missing
from vhpipe.plan.search_goal import search_of
from vhpipe.plan.secrets import with_given_variables
from vhpipe.plan.unsafe_values import refuse_unsafe
from vhpipe.sweep.parameter_sets import Sweep, spread_sweep, sweep_of, with_value

KNOWN_MOMENTS = ("node-starting", "node-complete", "node-error")
KNOWN_CONSEQUENCES = ("stop-pipeline", "error-pipeline", "require-approval", "noop")


def compile_plan(
    graph: PipelineGraph,
    arguments: Arguments,
    file: str,
    places: NodePlaces = EVERYTHING_LOCAL,
    unfilled: list[MissingValue] | None = None,
) -> Plan:
    """The plan of a pipeline whose file has no errors. `file` is its name as the user gave it.

    What a node's place of `places` does not honour is said in `Plan.ignored`.
    Faults of the arguments, values that nothing fills or that a command may not take, and commits that are not here
    raise `UsageError`; with `unfilled` what nothing fills is put there.
    """
    _refuse_commits(graph)
    definition = definition_of(graph) if graph.extension and graph.extension.version else None
    assigned = assignments(graph, arguments)
    edges, cut = edges_in_force(graph, arguments)
    referring = _referring(graph, arguments, assigned)
    graph = graph._replace(steps={**graph.steps, **{name: each.step for name, each in referring.items()}})
    by_edge = frozenset((edge.target, edge.target_kind, edge.target_key) for edge in edges)
    filled = by_edge.union(*(slots_filled_by(name, each.references) for name, each in referring.items()))
    nodes = tuple(_planned_node(graph, name, referring.get(name), arguments, by_edge) for name in graph.order)
    nodes = with_extension(with_given_variables(nodes, arguments, graph.steps), graph.extension)
    missing = missing_values(graph, nodes, filled)
    if unfilled is None:
        refuse_missing(missing)
    else:
        unfilled.extend(missing)
    refuse_unsafe(nodes, filled)
    extension = graph.extension
    queues = queue_sizes(graph, arguments.queues)
    return Plan(
        pipeline=graph.pipeline.name,
        nodes=nodes,
        edges=(*edges, *dependency_edges(graph, nodes)),
        seed=arguments.seed,
        file=file,
        on_collision=arguments.on_collision,
        ignored=not_honoured(graph, lambda node: CAPABILITIES[places.of(node)], queues),
        notices=(
            *(cut_notice(edge, arguments) for edge in cut),
            *(notice for each in referring.values() for notice in each.notices),
            *variable_notices(graph, arguments.named),
            *arguments.notices,
            *doubtful_arguments(graph, arguments),
            *_useless_arguments(graph, arguments),
        ),
        parameters=pipeline_values(graph, arguments),
        version=extension.version if extension else None,
        tags=extension.tags if extension else (),
        time_limit_s=extension.time_limit_s if extension else None,
        definition=definition,
        queues=queues,
        named_variables=arguments.named.values,
    )


def _referring(graph: PipelineGraph, arguments: Arguments, assigned: Assignments) -> dict[str, CompiledReferences]:
    """Of every execution and task node what becomes of its references, values that came by them checked."""
    found = {}
    for name in graph.order:
        if not isinstance(graph.nodes[name], DeploymentNode):
            each = refer(graph, name, arguments, assigned[name])
            new = {key: value for key, value in each.assigned.items() if assigned[name].get(key) is not value}
            checked = {key: checked_value(graph, name, key, *value) for key, value in new.items()}
            found[name] = each._replace(assigned={**each.assigned, **checked})
    return found


def _refuse_commits(graph: PipelineGraph) -> None:
    for node in graph.nodes.values():
        if isinstance(node, DeploymentNode) or node.commit is None or graph.steps.get(node.name) is not None:
            continue
        file = graph.commits.get(node.name)
        because = f": {file.absent}" if file is not None and file.absent else ", whose step is not known here"
        raise UsageError(f"node `{node.name}` runs commit `{node.commit}`{because}", file.cure if file else None)


def _useless_arguments(graph: PipelineGraph, arguments: Arguments) -> Iterator[str]:
    """Arguments for parameters of the pipeline that reach no node, or not all that was made of them."""
    texts = (text for of_node in graph.references.values() for text in of_node)
    referred = {each.key for text in texts for each in text.references() if each.is_of_pipeline}
    for item in graph.pipeline.parameters:
        if item.name not in arguments.pipeline_parameters:
            continue
        if item.description and FIXED in item.description:
            yield f"pipeline parameter `{item.name}`: {item.description}"
        elif not item.targets and item.name not in referred:
            yield f"pipeline parameter `{item.name}` reaches no node: its value changes nothing"


def _planned_node(
    graph: PipelineGraph, name: str, referring: CompiledReferences | None, arguments: Arguments, filled: FilledTargets
) -> PlannedNode:
    node = graph.nodes[name]
    if isinstance(node, DeploymentNode):
        return _planned_deployment(graph, node)
    assert referring is not None, "all nodes that have a step were looked at"
    step, assigned = referring.step, referring.assigned
    given = arguments.node_inputs.get(name, {})
    known = tuple(parameter.name for parameter in step.parameters)
    inputs = tuple(
        _planned_input(item, given.get(item.name), (name, EdgeKind.INPUT, item.name) in filled, node, known)
        for item in step.inputs
    )
    if isinstance(node, ExecutionNode):
        planned: PlannedExecution | PlannedTask = _planned_execution(graph, node, step, inputs, assigned)
    else:
        planned = _planned_task(graph, node, step, inputs, assigned)
    return msgspec.structs.replace(planned, references=referring.references)


def _planned_input(
    item: Input,
    given: tuple[str, ...] | None,
    is_filled: bool,
    node: ExecutionNode | TaskNode,
    known: tuple[str, ...],
) -> PlannedInput:
    replaced = is_filled and node.edge_merge_mode is EdgeMergeMode.REPLACE
    uris = given if given is not None else () if replaced else item.default
    if any("{parameter" in uri for uri in uris):
        from vhpipe.plan.uri_templates import refuse_unknown_names

        refuse_unknown_names(node.name, item.name, uris, known)
    return PlannedInput(
        name=item.name,
        uris=uris,
        optional=item.optional,
        filename=item.filename,
        keep_directories=item.keep_directories,
        relative_to="project" if given is None else "cwd",
        on_demand=item.download_on_demand,
    )


def _planned_execution(
    graph: PipelineGraph,
    node: ExecutionNode,
    step: Step,
    inputs: tuple[PlannedInput, ...],
    assigned: Mapping[str, Assignment],
) -> PlannedExecution:
    for name, (value, by) in assigned.items():
        parameter = step.parameter(name)
        if parameter and parameter.multiple is Multiple.NONE and isinstance(value, tuple):
            raise UsageError(
                f"{by} is a list, and parameter `{name}` of node `{node.name}` takes one value",
                "a list makes one execution per element in a task node only; else the parameter needs `multiple`",
            )
    values = {name: value for name, (value, _) in assigned.items()}
    return PlannedExecution(
        name=node.name,
        spec=_spec(graph, node.name, step, inputs, _step_values(step) | values),
        on_error=node.on_error,
        actions=_planned_actions(node.actions),
        reuse=graph.pipeline.reuse_executions,
    )


def _planned_task(
    graph: PipelineGraph,
    node: TaskNode,
    step: Step,
    inputs: tuple[PlannedInput, ...],
    assigned: Mapping[str, Assignment],
) -> PlannedTask:
    blueprint = graph.tasks[node.name]
    try:
        sweep = sweep_of(blueprint, step) if blueprint else Sweep()
    except ValueError as problem:
        raise UsageError(f"task `{node.task}` cannot be expanded: {problem}") from None
    values = _step_values(step)
    for name, given in assigned.items():
        sweep = _spread_over_values(node.name, step, sweep, name, given)
        if not _spreads(step, name, given.value):
            values[name] = given.value
    return PlannedTask(
        name=node.name,
        spec=_spec(graph, node.name, step, inputs, values),
        sweep=sweep,
        blueprint=node.task,
        on_error=node.on_error,
        on_child_error=blueprint.on_child_error if blueprint else None,
        maximum_queued_executions=blueprint.maximum_queued_executions if blueprint else None,
        stop_condition=blueprint.stop_condition if blueprint else None,
        search=search_of(blueprint) if blueprint else None,
        actions=_planned_actions(node.actions),
        reuse=_reuses(graph, blueprint),
    )


def _reuses(graph: PipelineGraph, blueprint: Task | None) -> bool:
    """Whether a task's executions may be reused: members of a group need each other, so they never are."""
    if blueprint is not None and blueprint.type is TaskType.DISTRIBUTED:
        return False
    return graph.pipeline.reuse_executions or (blueprint is not None and blueprint.reuse_children)


def _spreads(step: Step, name: str, value: Value) -> bool:
    """Whether a value given to a task node makes one execution per element. Source: decision 18."""
    parameter = step.parameter(name)
    return isinstance(value, tuple) and parameter is not None and parameter.multiple is Multiple.NONE


def _spread_over_values(node: str, step: Step, sweep: Sweep, name: str, given: Assignment) -> Sweep:
    if not _spreads(step, name, given.value):
        return with_value(sweep, name, given.value)
    assert isinstance(given.value, tuple), "what spreads is a list"
    if not given.value:
        raise UsageError(f"{given.by} is an empty list, which leaves node `{node}` without executions")
    try:
        return spread_sweep(sweep, name, given.value)
    except ValueError as problem:
        raise UsageError(f"{given.by} cannot vary parameter `{name}` of node `{node}`: {problem}") from None


def _step_values(step: Step) -> dict[str, Value]:
    """The defaults, those of flags too: nothing else would ever set them. Source: decision 8."""
    shaped = ((parameter.name, fitting(parameter, parameter.default)) for parameter in step.parameters)
    return {name: value for name, value in shaped if value is not None}


def _spec(
    graph: PipelineGraph, node: str, step: Step, inputs: tuple[PlannedInput, ...], values: dict[str, Value]
) -> StepSpec:
    commit = graph.commits.get(node)
    return StepSpec(
        step=step.name,
        image=step.image,
        command=step.command,
        parameters=step.parameters,
        values=values,
        inputs=inputs,
        environment_variables=_environment(step.environment_variables),
        time_limit_s=step.time_limit_s,
        no_output_timeout_s=step.no_output_timeout_s,
        source_path=step.source_path,
        resources=step.resources,
        stop_condition=step.stop_condition,
        commit=CommitOfStep(commit.id, commit.name) if commit is not None else None,
    )


def _environment(variables: Sequence[EnvironmentVariable]) -> dict[str, EnvironmentValue]:
    return {variable.name: Literal(variable.default) for variable in variables if variable.default is not None}


def _planned_deployment(graph: PipelineGraph, node: DeploymentNode) -> PlannedDeployment:
    endpoints = tuple(
        PlannedEndpoint(
            name=endpoint.name,
            image=endpoint.image,
            server_command=endpoint.server_command,
            wsgi=endpoint.wsgi,
            port=endpoint.port,
            files=tuple(PlannedEndpointFile(file.name, file.path) for file in endpoint.files),
        )
        for endpoint in graph.endpoints[node.name].values()
    )
    return PlannedDeployment(
        name=node.name,
        deployment=node.deployment,
        endpoints=endpoints,
        aliases=node.aliases,
        on_error=node.on_error,
        actions=_planned_actions(node.actions),
    )


def _planned_actions(actions: Sequence[NodeAction]) -> tuple[PlannedAction, ...]:
    """The actions reduced to the words that mean something; one without any left can never do anything."""
    planned = (
        PlannedAction(
            when=tuple(word for word in action.when if word in KNOWN_MOMENTS),
            then=tuple(word for word in action.then if word in KNOWN_CONSEQUENCES),
            conditions=action.conditions,
        )
        for action in actions
    )
    return tuple(action for action in planned if action.when and action.then)
