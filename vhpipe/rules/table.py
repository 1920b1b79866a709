"""All rules about what a file means, in the order in which a reader meets the things: one line each.

Faults of the text and of the form are found before, in `document` and `config`. A published id keeps its meaning.
"""

from collections.abc import Callable, Iterator

from vhpipe.graph.model import PipelineGraph
from vhpipe.rules import (
    actions,
    commands,
    conditions,
    cycles,
    edges,
    endpoints,
    names,
    nodes,
    parameters,
    pipeline_parameters,
    steps,
    tasks,
    useless,
)
from vhpipe.rules.subject import Finding, Rule, Subject


def _in_each_pipeline(
    find: Callable[[Subject, PipelineGraph], Iterator[Finding]],
) -> Callable[[Subject], Iterator[Finding]]:
    def in_all(subject: Subject) -> Iterator[Finding]:
        for graph in subject.graphs:
            yield from find(subject, graph)

    return in_all


RULES: tuple[Rule, ...] = (
    Rule("duplicate-name", "warning", "two steps, tasks … have one name", names.duplicate_names),
    Rule("duplicate-node", "error", "two nodes of a pipeline have one name", names.duplicate_nodes),
    Rule("duplicate-parameter", "error", "two parameters of a step have one name", names.duplicate_parameters),
    Rule("duplicate-input", "error", "two inputs of a step have one name", names.duplicate_inputs),
    Rule(
        "duplicate-pipeline-parameter",
        "warning",
        "two parameters of a pipeline have one name",
        names.duplicate_pipeline_parameters,
    ),
    Rule(
        "duplicate-endpoint-file",
        "warning",
        "two files of an endpoint have one name",
        names.duplicate_endpoint_files,
    ),
    Rule("dotted-node-name", "warning", "no edge can name a node with a dot", names.dotted_node_names),
    Rule("empty-command", "warning", "a step has nothing to do", steps.empty_commands),
    Rule(
        "trailing-backslash",
        "error",
        "an item of a command would run on into the next",
        commands.trailing_backslashes,
    ),
    Rule(
        "quoted-placeholder",
        "warning",
        "a value would not stay one word where the command has it",
        commands.quoted_placeholders,
    ),
    Rule(
        "unknown-placeholder",
        "warning",
        "a command names a parameter that its step does not have",
        commands.unknown_placeholders,
    ),
    Rule(
        "preset-without-environment",
        "error",
        "a preset needs its environment",
        nodes.presets_without_environment,
    ),
    Rule("local-input-path", "info", "an input is a file of this machine", steps.local_input_paths),
    Rule("useless-property", "warning", "a property changes nothing where it stands", useless.useless_properties),
    Rule("invalid-default", "warning", "a default does not fit its parameter", parameters.invalid_defaults),
    Rule("invalid-pass-as", "error", "a `pass-as` cannot be filled in", parameters.invalid_pass_as),
    Rule(
        "clashing-variable-names",
        "warning",
        "two parameters would be one environment variable",
        parameters.clashing_names,
    ),
    Rule("list-default", "warning", "a default is a list where one value is taken", parameters.list_defaults),
    Rule("unknown-step", "error", "a node or task names a step that is not there", nodes.unknown_steps),
    Rule("unknown-task", "error", "a node names a task that is not there", nodes.unknown_tasks),
    Rule(
        "unknown-task-parameter",
        "warning",
        "a task varies a parameter that its step does not have",
        tasks.unknown_parameters,
    ),
    Rule("duplicate-variant", "error", "a task varies one parameter twice", tasks.sweep_faults("duplicate-variant")),
    Rule("missing-variant-rule", "error", "a variant lacks what its style needs", tasks.sweep_faults("missing-rule")),
    Rule("zero-variant-step", "error", "a variant gets nowhere", tasks.sweep_faults("zero-step")),
    Rule("empty-variant", "error", "a variant has no values", tasks.sweep_faults("no-values")),
    Rule(
        "unknown-distribution",
        "error",
        "random values have a distribution that is not known",
        tasks.sweep_faults("unknown-distribution"),
    ),
    Rule("variant-too-large", "error", "a variant leads beyond numbers", tasks.sweep_faults("value-too-large")),
    Rule("unfit-variant-value", "warning", "a task tries a value that does not fit", tasks.sweep_faults("unfit-value")),
    Rule("ragged-parameter-sets", "error", "parameter sets differ in their names", tasks.sweep_faults("ragged-sets")),
    Rule(
        "missing-execution-count",
        "warning",
        "a search does not say how many executions it has",
        tasks.sweep_faults("missing-execution-count"),
    ),
    Rule("invalid-count", "error", "a task has no executions", tasks.sweep_faults("invalid-count")),
    Rule(
        "unknown-override-input",
        "error",
        "an override names an input that its step does not have",
        nodes.unknown_override_inputs,
    ),
    Rule(
        "unknown-override-parameter",
        "error",
        "an override names a parameter that its step does not have",
        nodes.unknown_override_parameters,
    ),
    Rule(
        "unknown-edge-node",
        "error",
        "an edge names a node that is not there",
        _in_each_pipeline(edges.unknown_edge_nodes),
    ),
    Rule("self-edge", "error", "an edge leads from a node to itself", _in_each_pipeline(cycles.self_edges)),
    Rule("cycle", "error", "nodes wait for each other", _in_each_pipeline(cycles.cycles)),
    Rule(
        "incompatible-edge-kinds",
        "error",
        "what an edge brings cannot go where it leads",
        _in_each_pipeline(edges.incompatible_kinds),
    ),
    Rule(
        "edge-kind-not-of-node",
        "error",
        "an edge names a kind that its node does not have",
        _in_each_pipeline(edges.kinds_that_nodes_lack),
    ),
    Rule(
        "unknown-deployment-key",
        "error",
        "an edge takes from a deployment what it does not give",
        _in_each_pipeline(edges.unknown_deployment_keys),
    ),
    Rule(
        "unknown-edge-input",
        "error",
        "an edge names an input that the step does not have",
        _in_each_pipeline(edges.unknown_inputs),
    ),
    Rule(
        "unknown-edge-parameter",
        "error",
        "an edge names a parameter that the step does not have",
        _in_each_pipeline(edges.unknown_parameters),
    ),
    Rule(
        "parameter-filled-twice",
        "error",
        "two edges lead into one parameter",
        _in_each_pipeline(edges.parameters_filled_twice),
    ),
    Rule("duplicate-edge", "warning", "an edge stands twice", _in_each_pipeline(edges.duplicate_edges)),
    Rule("unknown-endpoint", "error", "an endpoint is not there", endpoints.unknown_endpoints),
    Rule(
        "endpoint-not-of-node",
        "error",
        "an edge names an endpoint that the node does not deploy",
        _in_each_pipeline(endpoints.endpoints_not_deployed),
    ),
    Rule(
        "unknown-endpoint-file",
        "error",
        "an edge names a file that the endpoint does not have",
        _in_each_pipeline(endpoints.unknown_endpoint_files),
    ),
    Rule(
        "incomplete-endpoint-file",
        "error",
        "an edge does not name both an endpoint and its file",
        _in_each_pipeline(endpoints.incomplete_endpoint_files),
    ),
    Rule("relative-mount-path", "error", "a mount path is not absolute", endpoints.relative_mount_paths),
    Rule("absolute-sub-path", "error", "a sub-path is absolute", endpoints.absolute_sub_paths),
    Rule("duplicate-mount-path", "error", "two volumes are mounted at one path", endpoints.duplicate_mount_paths),
    Rule(
        "deployment-without-target",
        "warning",
        "a deployment has no default target",
        endpoints.deployments_without_target,
    ),
    Rule(
        "pipeline-parameter-without-target",
        "warning",
        "a pipeline parameter fills nothing",
        _in_each_pipeline(pipeline_parameters.without_target),
    ),
    Rule(
        "wrong-target-kind",
        "error",
        "a pipeline parameter fills something else than a parameter",
        _in_each_pipeline(pipeline_parameters.wrong_target_kinds),
    ),
    Rule(
        "unknown-parameter-target",
        "error",
        "the target of a pipeline parameter is not there",
        _in_each_pipeline(pipeline_parameters.unknown_targets),
    ),
    Rule(
        "target-filled-twice",
        "warning",
        "two pipeline parameters fill one parameter",
        _in_each_pipeline(pipeline_parameters.targets_filled_twice),
    ),
    Rule(
        "overruled-target",
        "warning",
        "an edge fills what a pipeline parameter is for",
        _in_each_pipeline(pipeline_parameters.overruled_by_edges),
    ),
    Rule(
        "invalid-pipeline-default",
        "warning",
        "the default of a pipeline parameter does not fit its target",
        _in_each_pipeline(pipeline_parameters.invalid_defaults),
    ),
    Rule(
        "unset-pipeline-parameter",
        "warning",
        "a node cannot do without a pipeline parameter that has no default",
        _in_each_pipeline(nodes.unset_pipeline_parameters),
    ),
    Rule("unfilled-input", "warning", "nothing fills an input", _in_each_pipeline(nodes.unfilled_inputs)),
    Rule(
        "unfilled-parameter",
        "warning",
        "nothing gives a parameter a value",
        _in_each_pipeline(nodes.unfilled_parameters),
    ),
    Rule("unconnected-node", "info", "a node has no edges", _in_each_pipeline(nodes.unconnected_nodes)),
    Rule(
        "unknown-action-word",
        "warning",
        "an action waits for nothing that happens, or does nothing that can be done",
        _in_each_pipeline(actions.unknown_words),
    ),
    Rule("invalid-condition", "error", "a condition cannot be read", conditions.invalid_conditions),
    Rule(
        "unknown-condition-parameter",
        "warning",
        "a condition speaks of a parameter that the step does not have",
        conditions.unknown_parameters,
    ),
    Rule(
        "metadata-before-start",
        "warning",
        "a condition needs metadata before there can be any",
        conditions.metadata_before_start,
    ),
)
