"""The extension item `vhpipe`: does what it names exist, and can what it asks for be done."""

from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from vhpipe.config.model import DeploymentNode
from vhpipe.diagnostics import Location, RelatedPlace
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.places import key_at, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

if TYPE_CHECKING:
    from vhpipe.config.extension_model import ConfigurationExtension, Extension, HookExtension, Monitor

WITH_EXECUTIONS = ("retry", "reuse", "code", "monitor", "configuration", "queue", "time-limit")
"""Properties that say nothing to a deployment."""


def unknown_pipelines(subject: Subject) -> Iterator[Finding]:
    known = tuple(pipeline.name for pipeline in subject.config.pipelines)
    for extension in subject.config.extensions:
        if extension.pipeline not in known and subject.is_sound(extension.at):
            message = f"there is no pipeline `{extension.pipeline}` in this file"
            choice = NameChoice(extension.pipeline, known, "its pipelines")
            yield Finding(message, value_at(extension.at, "pipeline"), choice=choice)


def duplicates(subject: Subject) -> Iterator[Finding]:
    first: dict[str, Extension] = {}
    for extension in subject.config.extensions:
        earlier = first.setdefault(extension.pipeline, extension)
        if earlier is not extension:
            yield Finding(
                f"pipeline `{extension.pipeline}` has a second item `vhpipe`",
                value_at(extension.at, "pipeline"),
                hint="the last one counts; make one of them",
                related=(RelatedPlace(value_at(earlier.at, "pipeline"), "the first one"),),
            )


def unknown_nodes(subject: Subject) -> Iterator[Finding]:
    for graph, extension in _with_extension(subject):
        if not subject.knows_all(graph.pipeline.at, "nodes"):
            continue
        known, where = tuple(graph.nodes), f"in pipeline `{graph.pipeline.name}`"
        for node in extension.nodes:
            if node.name not in graph.nodes:
                choice = NameChoice(node.name, known, "its nodes")
                yield Finding(f"there is no node `{node.name}` {where}", Location(node.at, "key"), choice=choice)
            for name, at in zip(node.after, node.after_at, strict=True):
                if name not in graph.nodes:
                    choice = NameChoice(name, known, "its nodes")
                    yield Finding(f"there is no node `{name}` {where}", Location(at), choice=choice)


def invalid_whens(subject: Subject) -> Iterator[Finding]:
    for extension in subject.config.extensions:
        for node in extension.nodes:
            if node.when is None:
                continue
            found = _when_fault(node.when)
            if found is not None:
                message, chars = found
                at = value_at(node.at, "when")._replace(chars=chars)
                yield Finding(f"this is not a condition for `when`: {message}", at, hint=_WHEN_HINT)


_WHEN_HINT = "write for example `${NODE.metadata.accuracy} >= 0.9`"


def _when_fault(text: str) -> tuple[str, tuple[int, int] | None] | None:
    from vhpipe.language.conditions import ConditionError, names_in, parse_condition
    from vhpipe.language.node_condition import read_when

    when = read_when(text)
    try:
        names = names_in(parse_condition(when.condition))
    except ConditionError as error:
        return error.message, (error.position, error.position + 1)
    known, named = dict(when.references), {name.keys[0].text for name in names}
    quoted = next((reference for name, reference in known.items() if name not in named), None)
    if quoted is not None:
        return f"`{quoted.text}` is in quotes", (quoted.start, quoted.start + len(quoted.text))
    other = next((name.text for name in names if name.keys[0].text not in known), None)
    if other is not None and "${" not in other:
        start = when.condition.find(other)
        return f"`{other}` has no value before the node starts", (start, start + len(other))
    return None


def invalid_hooks(subject: Subject) -> Iterator[Finding]:
    for hook in _hooks(subject):
        fault = _hook_fault(hook.text)
        if fault is not None:
            hint = "write a shell command, or `module:function`"
            yield Finding(f"hook `{hook.moment}` {fault}", value_at(hook.at), hint=hint)


def _hook_fault(text: str) -> str | None:
    from vhpipe.config.extension_model import is_function

    if not text.strip():
        return "is empty"
    if is_function(text) and text.partition(":")[0].endswith(".py"):
        return f"names a file and not a module: `{text[:80]}`"
    is_like_one = text.count(":") == 1 and not any(c.isspace() or c in "/$'\"" for c in text)
    return f"is neither a function nor a command: `{text[:80]}`" if is_like_one and not is_function(text) else None


def empty_monitors(subject: Subject) -> Iterator[Finding]:
    for monitor in _monitors(subject):
        watched = (*monitor.metrics, *monitor.artifacts, *monitor.models, *monitor.latest_models)
        if not watched and subject.is_sound(monitor.at):
            hint = "list names or globs below `metrics`, `artifacts`, `models` or `latest-models`"
            yield Finding("this `monitor` names nothing", Location(monitor.at, "key"), hint=hint)
        for each in watched:
            if not each.source.strip() or not each.target.strip():
                yield Finding("a name of this `monitor` is empty", value_at(each.at), hint="write a name or a glob")


def reserved_configurations(subject: Subject) -> Iterator[Finding]:
    for item in _configurations(subject):
        from vhpipe.config.extension_model import CONFIGURATION_NAMES

        if item.name in CONFIGURATION_NAMES:
            message = f"every execution has a configuration `{item.name}` already"
            yield Finding(message, Location(item.at, "key"), hint="give it another name")


def unmatched_code(subject: Subject) -> Iterator[Finding]:
    """Patterns that no project can have a file for, and those for which this one has none, where it is known."""
    for extension in subject.config.extensions:
        for patterns in (extension.code, *(node.code for node in extension.nodes)):
            baseless = tuple(takewhile(lambda pattern: pattern.text.startswith("!"), patterns))
            for pattern in baseless:
                shown = pattern.text[:80]
                message = f"`{shown}` takes files away where none are selected, so the entire project counts"
                yield Finding(message, value_at(pattern.at), hint="write before it what counts, such as `src/**`")
            for pattern in patterns[len(baseless) :]:
                if _matches_nothing(pattern.text) or _is_without_files(subject, pattern.text):
                    message = f"`{pattern.text[:80]}` matches no file of the project, so all of it counts as code"
                    hint = "name files as `.gitignore` does, such as `train.py` or `lib/**`"
                    yield Finding(message, value_at(pattern.at), hint=hint)


def _is_without_files(subject: Subject, pattern: str) -> bool:
    return subject.surroundings is not None and subject.surroundings.has_no_code(pattern)


def _matches_nothing(pattern: str) -> bool:
    return pattern.strip("/ !") in ("", "..") or pattern.startswith(("#", "../")) or "/../" in pattern


def invalid_versions(subject: Subject) -> Iterator[Finding]:
    for extension in subject.config.extensions:
        version = extension.version
        if version is not None and not all(part.isascii() and part.isdigit() for part in version.split(".")):
            message = f"`{version[:60]}` is not a version"
            yield Finding(
                message, value_at(extension.at, "version"), hint="write numbers separated by dots, such as `1.2.0`"
            )


def useless_on_deployments(subject: Subject) -> Iterator[Finding]:
    for graph, extension in _with_extension(subject):
        for node in extension.nodes:
            if isinstance(graph.nodes.get(node.name), DeploymentNode):
                for word in sorted(node.written.intersection(WITH_EXECUTIONS)):
                    message = f"`{word}` has no effect on a deployment node, which has no executions"
                    yield Finding(message, key_at(node.at, word), hint="remove it")


def _with_extension(subject: Subject) -> Iterator[tuple[PipelineGraph, "Extension"]]:
    return ((graph, graph.extension) for graph in subject.graphs if graph.extension is not None)


def _hooks(subject: Subject) -> Iterator["HookExtension"]:
    for extension in subject.config.extensions:
        yield from extension.hooks
        for node in extension.nodes:
            yield from node.hooks


def _monitors(subject: Subject) -> Iterator["Monitor"]:
    for extension in subject.config.extensions:
        found = (extension.monitor, *(node.monitor for node in extension.nodes))
        yield from (monitor for monitor in found if monitor is not None)


def _configurations(subject: Subject) -> Iterator["ConfigurationExtension"]:
    for extension in subject.config.extensions:
        yield from extension.configuration
        for node in extension.nodes:
            yield from node.configuration
