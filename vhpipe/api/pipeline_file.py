"""A pipeline built in code as the data of a valohai.yaml."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from vhpipe.api.arguments import ParameterDefinition, parameter_value
from vhpipe.api.references import texts_in
from vhpipe.api.steps import StepDefinition, WrittenStep
from vhpipe.api.yaml_text import yaml_text
from vhpipe.errors import UsageError
from vhpipe.plan.arguments import FIXED
from vhpipe.wording import unknown_name

HEADING_OF_FIXED = (
    "# vhpipe: ignore-file[pipeline-parameter-without-target] because what the program made of them was fixed\n"
)
_of_pipeline = re.compile(r"\$\{\s*pipeline\.([\w-]+)")
_name = re.compile(r"[\w-]+(?: [\w-]+)*")


class PipelineDefinition(NamedTuple):
    """Everything that was said of a pipeline. `extension` is what the extension item says of all of it.

    `fixed` are parameters that the program computed with when it built the pipeline, `known` all whose values it knew.
    """

    name: str
    parameters: Mapping[str, ParameterDefinition]
    steps: Mapping[str, StepDefinition]
    extension: Mapping[str, Any]
    fixed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()


def refuse_name(name: str, taken: Mapping[str, object]) -> None:
    """Errors: UsageError for a name that a step cannot have."""
    if name in taken:
        raise UsageError(f"there is already a step `{name}`", "give each step its own name")
    if name == "pipeline":
        raise UsageError("a step cannot be called `pipeline`", "`${pipeline.NAME}` means a parameter of the pipeline")
    if not _name.fullmatch(name):
        raise UsageError(f"a step cannot be called `{name}`", "names consist of letters, digits, `_` and `-`")


def refuse_returns(step: str, names: Sequence[str]) -> None:
    """Errors: UsageError for names that results cannot have."""
    for name in names:
        if not name.isidentifier():
            raise UsageError(f"step `{step}` cannot return `{name}`", "names of results are written as in Python")
    if len(set(names)) < len(names):
        raise UsageError(f"step `{step}` returns two results with the same name")


Uris = Callable[[Sequence[str]], Sequence[str]]


def written_text(definition: PipelineDefinition, uris: Uris = tuple) -> str:
    """The text of the file, with the URIs of inputs as `uris` makes them. Errors: UsageError for what it cannot say."""
    written = {
        name: _with_uris(step.written(definition.parameters, definition.steps), uris)
        for name, step in definition.steps.items()
    }
    _name_steps(written)
    items: list[dict[str, Any]] = []
    for step in (each.step for each in written.values()):
        if {"step": step} not in items:
            items.append({"step": step})
    items.append({"pipeline": _pipeline(definition, written)})
    extension = _extension(definition)
    if len(extension) > 1:
        items.append({"vhpipe": extension})
    return (HEADING_OF_FIXED if definition.known else "") + yaml_text(items)


def _with_uris(written: WrittenStep, uris: Uris) -> WrittenStep:
    for items in (written.step, written.override):
        if "inputs" in items:
            items["inputs"] = [_with_default(item, uris) for item in items["inputs"]]
    return written


def _with_default(item: dict[str, Any], uris: Uris) -> dict[str, Any]:
    default = item.get("default")
    if isinstance(default, str):
        return {**item, "default": uris([default])[0]}
    return {**item, "default": list(uris(default))} if isinstance(default, list | tuple) else item


def _name_steps(written: Mapping[str, WrittenStep]) -> None:
    """Give steps that differ names that differ."""
    named: dict[str, dict[str, Any]] = {}
    for node, each in written.items():
        if named.setdefault(each.step["name"], each.step) != each.step:
            each.step["name"] = node if node not in named else f"{node} of the pipeline"
            named[each.step["name"]] = each.step


def _pipeline(definition: PipelineDefinition, written: Mapping[str, WrittenStep]) -> dict[str, Any]:
    edges = [list(edge) for each in written.values() for edge in each.edges]
    edges += _dependencies(definition, edges)
    pipeline: dict[str, Any] = {"name": definition.name}
    parameters = [_parameter(each, written, definition) for each in definition.parameters.values()]
    if parameters:
        pipeline["parameters"] = parameters
    pipeline["nodes"] = [_node(definition.steps[name], each) for name, each in written.items()]
    pipeline["edges"] = edges
    return pipeline


def _parameter(
    parameter: ParameterDefinition, written: Mapping[str, WrittenStep], definition: PipelineDefinition
) -> dict[str, Any]:
    targets = [target for each in written.values() for target, name in each.targets if name == parameter.name]
    described: dict[str, Any] = {"name": parameter.name}
    default = parameter_value(parameter.default)
    if default is not None:
        described["default"] = default
    is_dead = parameter.name in definition.known and not targets and parameter.name not in _referred(definition)
    remark = f"what the program made of it {FIXED}" if is_dead or parameter.name in definition.fixed else None
    if parameter.description or remark:
        described["description"] = "; ".join(filter(None, (parameter.description, remark)))
    if targets:
        described["targets"] = targets
    return described


def _referred(definition: PipelineDefinition) -> frozenset[str]:
    """The parameters of the pipeline that texts in the arguments of steps refer to."""
    texts = (text for step in definition.steps.values() for value in step.values.values() for text in texts_in(value))
    return frozenset(name for text in texts for name in _of_pipeline.findall(text))


def _node(definition: StepDefinition, written: WrittenStep) -> dict[str, Any]:
    node: dict[str, Any] = {"name": definition.name, "type": "execution", "step": written.step["name"]}
    node["on-error"] = definition.policies.on_error
    if written.merges_inputs:
        node["edge-merge-mode"] = "append"
    if written.override:
        node["override"] = written.override
    return node


def _dependencies(definition: PipelineDefinition, edges: Sequence[Sequence[str]]) -> list[list[str]]:
    """Edges from parents that give nothing else."""
    joined = {(source.split(".")[0], target.split(".")[0]) for source, target in edges}
    found = []
    for name, step in definition.steps.items():
        for parent in dict.fromkeys(step.policies.parents):
            if parent not in definition.steps:
                raise unknown_name(f"parent of step `{name}`", parent, definition.steps)
            if (parent, name) not in joined:
                found.append([f"{parent}.dependency.end", f"{name}.dependency.start"])
    return found


def _extension(definition: PipelineDefinition) -> dict[str, Any]:
    nodes = {name: dict(step.policies.extension) for name, step in definition.steps.items() if step.policies.extension}
    found: dict[str, Any] = {"pipeline": definition.name, **definition.extension}
    return {**found, "nodes": nodes} if nodes else found
