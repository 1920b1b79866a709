"""What the extension item `vhpipe` adds to the plan of a pipeline and of its nodes."""

from collections.abc import Iterator

import msgspec

from vhpipe.config import extension_model as config
from vhpipe.config.extension_model import Extension, Monitor, MonitoredName, NodeExtension
from vhpipe.graph.references import configuration_of
from vhpipe.language.node_condition import read_when
from vhpipe.language.reference import Reference
from vhpipe.language.template import OPENING, references_in
from vhpipe.plan.execution import is_group
from vhpipe.plan.model import (
    ConfigurationObject,
    Hook,
    Hooks,
    MonitorName,
    PlannedDeployment,
    PlannedExtension,
    PlannedMonitor,
    PlannedNode,
    PlannedWhen,
    RetryPolicy,
)


def with_extension(nodes: tuple[PlannedNode, ...], extension: Extension | None) -> tuple[PlannedNode, ...]:
    """The nodes with what the extension says of them; what it says of the entire pipeline counts where that is nothing.

    Configuration objects are merged by name, what is monitored adds up, of two hooks for one moment the node's counts.
    """
    if extension is None:
        return nodes
    said = {node.name: node for node in extension.nodes}
    return tuple(_extend_node(node, extension, said.get(node.name) or NodeExtension(node.name)) for node in nodes)


def _extend_node(planned: PlannedNode, extension: Extension, said: NodeExtension) -> PlannedNode:
    hooks = _hooks((*extension.hooks, *said.hooks))
    planned = msgspec.structs.replace(planned, extras=_extras(extension, said), hooks=hooks)
    if isinstance(planned, PlannedDeployment):
        return planned
    limit = planned.spec.time_limit_s if said.time_limit_s is None else said.time_limit_s
    return msgspec.structs.replace(
        planned,
        spec=msgspec.structs.replace(planned.spec, time_limit_s=limit),
        reuse=planned.reuse if said.reuse is None or is_group(planned) else said.reuse,
        retry=RetryPolicy(said.retry.tries, said.retry.delay_s, said.retry.backoff) if said.retry else None,
    )


def _extras(extension: Extension, node: NodeExtension) -> PlannedExtension:
    return PlannedExtension(
        when=_when(node.when),
        monitor=_monitor(extension.monitor or Monitor(), node.monitor or Monitor()),
        configuration=tuple(
            ConfigurationObject(item.name, item.content, item.file, waits(item.content))
            for item in configuration_of(extension, node)
        ),
        queue=node.queue or extension.queue,
        tags=node.tags,
        code=tuple(each.text for each in node.code or extension.code),
        any_before=node.any_before,
    )


def sources_in(extras: PlannedExtension) -> tuple[str, ...]:
    """The nodes that conditions and configuration refer to, each once."""
    when = (reference for _, reference in extras.when.references) if extras.when else iter(())
    inside = (each for item in extras.configuration if item.waits for each in _references(item.content))
    return tuple(dict.fromkeys(each.node for each in (*when, *inside) if not each.is_of_pipeline))


def _when(text: str | None) -> PlannedWhen | None:
    if text is None:
        return None
    when = read_when(text)
    return PlannedWhen(text, when.condition, when.references)


def _hooks(written: tuple[config.HookExtension, ...]) -> Hooks | None:
    """Of several for one moment the last."""
    last = {hook.moment: (_hook(hook.text),) for hook in written}
    return Hooks(last.get("pre", ()), last.get("post", ()), last.get("status", ())) if last else None


def _hook(text: str) -> Hook:
    return Hook(function=text) if config.is_function(text) else Hook(command=text)


def _monitor(common: Monitor, own: Monitor) -> PlannedMonitor:
    return PlannedMonitor(
        metrics=_monitor_names((*common.metrics, *own.metrics)),
        artifacts=_monitor_names((*common.artifacts, *own.artifacts)),
        models=_monitor_names((*common.models, *own.models)),
        latest_models=_monitor_names((*common.latest_models, *own.latest_models)),
    )


def _monitor_names(watched: tuple[MonitoredName, ...]) -> tuple[MonitorName, ...]:
    return tuple(dict.fromkeys(MonitorName(each.source, each.target) for each in watched))


def waits(content: object) -> bool:
    """Whether a text in it has a reference, or an escape to take away."""
    match content:
        case str():
            return OPENING in content
        case dict():
            return any(map(waits, content.values()))
        case list():
            return any(map(waits, content))
    return False


def _references(content: object) -> Iterator[Reference]:
    """Those in the texts of a content, at any depth, those to the pipeline too."""
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and OPENING in each:
            yield from references_in(each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple):
            waiting.extend(each)
