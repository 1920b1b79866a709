"""What the extension item `vhpipe` adds to the plan of a pipeline and of its nodes."""

from collections.abc import Iterator

from vhpipe.config.extension_model import Extension, Hook, Monitor, NodeExtension, Watched, is_function
from vhpipe.config.reference_parts import Reference
from vhpipe.config.references import OPENING, references_in
from vhpipe.config.when import read_when
from vhpipe.graph.references import configuration_of
from vhpipe.plan.model import (
    NO_EXTRAS,
    ConfigurationObject,
    NodeExtras,
    PlannedHook,
    PlannedHooks,
    PlannedMonitor,
    PlannedRetry,
    PlannedWhen,
    Shown,
)


def extras_of(extension: Extension | None, name: str) -> NodeExtras:
    """What the extension says of a node; what it says of the whole pipeline counts where the node says nothing.

    Configuration objects are merged by name, what is monitored adds up.
    """
    if extension is None:
        return NO_EXTRAS
    node = extension.node(name) or NodeExtension(name)
    retry = node.retry
    return NodeExtras(
        when=_when(node.when),
        retry=PlannedRetry(retry.tries, retry.delay_s, retry.backoff) if retry else None,
        hooks=_hooks((*extension.hooks, *node.hooks)),
        monitor=_monitor(extension.monitor or Monitor(), node.monitor or Monitor()),
        configuration=tuple(
            ConfigurationObject(item.name, item.content, item.file, _waits(item.content))
            for item in configuration_of(extension, node)
        ),
        queue=node.queue or extension.queue,
        tags=node.tags,
    )


def nodes_after(extension: Extension | None, name: str) -> tuple[str, ...]:
    """The nodes that the extension puts before a node."""
    node = extension.node(name) if extension else None
    return node.after if node else ()


def sources_in(extras: NodeExtras) -> tuple[str, ...]:
    """The nodes that conditions and configuration refer to, each once."""
    when = (reference for _, reference in extras.when.references) if extras.when else iter(())
    inside = (each for item in extras.configuration if item.waits for each in _references(item.content))
    return tuple(dict.fromkeys(each.node for each in (*when, *inside) if not each.is_of_pipeline))


def _when(text: str | None) -> PlannedWhen | None:
    if text is None:
        return None
    when = read_when(text)
    return PlannedWhen(text, when.condition, when.references)


def _hooks(written: tuple[Hook, ...]) -> PlannedHooks:
    """Of several for one moment the last."""
    last = {hook.moment: PlannedHook(hook.text, is_function(hook.text)) for hook in written}
    return PlannedHooks(last.get("pre"), last.get("post"), last.get("status"))


def _monitor(common: Monitor, own: Monitor) -> PlannedMonitor:
    return PlannedMonitor(
        metrics=_shown((*common.metrics, *own.metrics)),
        artifacts=_shown((*common.artifacts, *own.artifacts)),
        models=_shown((*common.models, *own.models)),
    )


def _shown(watched: tuple[Watched, ...]) -> tuple[Shown, ...]:
    return tuple(dict.fromkeys(Shown(each.source, each.target) for each in watched))


def _waits(content: object) -> bool:
    """Whether a text in it has a reference, or an escape to take away."""
    match content:
        case str():
            return OPENING in content
        case dict():
            return any(map(_waits, content.values()))
        case list():
            return any(map(_waits, content))
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
