"""Steps: commands that do what they seem to, and files that land where they should."""

from collections.abc import Iterator

from vhpipe.config.model import DeploymentNode, Input
from vhpipe.language.template import has_references
from vhpipe.rules.places import key_at, value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

HINTS = {
    "datum": "write the id or the alias of the datum behind `datum://`",
    "dataset": "write the name and the version: `dataset://NAME/VERSION`",
    "model": "write the name and the version: `model://NAME/VERSION`",
}


def empty_commands(subject: Subject) -> Iterator[Finding]:
    for step in subject.config.steps:
        if not any(item.strip() for item in step.command) and subject.is_sound(step.at):
            yield Finding(
                f"the command of step `{step.name}` is empty", key_at(step.at, "command"), hint="the step does nothing"
            )


def local_input_paths(subject: Subject) -> Iterator[Finding]:
    for item in _inputs(subject):
        for index, uri in enumerate(item.default):
            if uri and not _has_scheme(uri) and not has_references(uri):
                yield Finding(
                    f"`{_shortened(uri)}` is a file on this machine, which the platform cannot see",
                    value_at(item.at, "default", index),
                    hint="it is read relative to the folder of this file",
                )


def empty_addresses(subject: Subject) -> Iterator[Finding]:
    """Addresses such as `datum://` with nothing behind the scheme, or with what an example has there."""
    for item in _inputs(subject):
        for index, uri in enumerate(item.default):
            scheme, separator, rest = uri.partition("://")
            if separator and _has_scheme(uri) and (not rest.strip("/ ") or rest[:1] == "<" or rest in ("...", "…")):
                yield Finding(
                    f"`{_shortened(uri)}` does not say which file",
                    value_at(item.at, "default", index),
                    hint=HINTS.get(scheme, "write the complete address")
                    + "; without a default the input is filled by an edge or by hand",
                )


def unknown_variable_groups(subject: Subject) -> Iterator[Finding]:
    """Groups that the project's settings do not define, where they define some."""
    if subject.surroundings is None or not any(step.environment_variable_groups for step in subject.config.steps):
        return
    known = subject.surroundings.variable_groups()
    for step in subject.config.steps if known else ():
        for index, group in enumerate(step.environment_variable_groups):
            if group not in known:
                yield Finding(
                    f"the settings define no group `{group}`",
                    value_at(step.at, "environment-variable-groups", index),
                    choice=NameChoice(group, known, "the groups of the settings"),
                )


def _inputs(subject: Subject) -> Iterator[Input]:
    for step in subject.config.steps:
        yield from step.inputs
    for pipeline in subject.config.pipelines:
        for node in pipeline.nodes:
            if not isinstance(node, DeploymentNode) and node.override is not None:
                yield from node.override.inputs


def _has_scheme(uri: str) -> bool:
    """Without `re`: a pattern costs 2 ms at each start."""
    scheme, colon, _ = uri.partition(":")
    return bool(colon) and scheme[:1].isalpha() and all(c.isalnum() or c in "+.-" for c in scheme)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
