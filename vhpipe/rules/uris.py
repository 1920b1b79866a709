"""Addresses of inputs: the parameters that are to be filled in there, and braces that only look like it."""

from collections.abc import Iterator
from typing import NamedTuple

from vhpipe.config.model import DeploymentNode, Input
from vhpipe.diagnostics import Edit, Fix, Location
from vhpipe.rules import commands, placeholders
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

FILLED_IN = ("parameter", "parameter-value")


class _Braces(NamedTuple):
    """Braces in an address, and the parameters that it may name; `complete` says whether these are all there are."""

    uri: str
    at: Location
    start: int
    inner: str
    names: tuple[str, ...]
    complete: bool

    def chars(self, first: int, last: int) -> Location:
        """The place of characters that are counted from the opening brace."""
        return self.at._replace(chars=(self.start + first, self.start + last))


def unknown_placeholders(subject: Subject) -> Iterator[Finding]:
    """In commands and in addresses."""
    yield from commands.unknown_placeholders(subject)
    for braces in _braces(subject):
        kind, _, name = braces.inner.partition(":")
        if kind in FILLED_IN and name and name not in braces.names and braces.complete:
            start = len(kind) + 2
            choice = NameChoice(name, braces.names, "the parameters", braces.chars(start, start + len(name)))
            message = f"there is no parameter `{name}`, so the address cannot be filled in"
            yield Finding(message, braces.chars(0, len(braces.inner) + 2), choice=choice)


def misspelled_placeholders(subject: Subject) -> Iterator[Finding]:
    """In commands and in addresses."""
    yield from placeholders.misspelled_placeholders(subject)
    for braces in _braces(subject):
        kind, _, name = braces.inner.partition(":")
        if not (kind in FILLED_IN and name):
            meant = _meant(braces)
            if meant is not None:
                yield _misspelled(braces, meant)


def _meant(braces: _Braces) -> str | None:
    """The name of the parameter that is probably meant; the empty text where it is not known which."""
    name = placeholders.parameter_meant(braces.inner)
    if name is not None:
        return name if name in braces.names else braces.names[0] if len(braces.names) == 1 else ""
    return braces.inner if braces.inner in braces.names else None


def _misspelled(braces: _Braces, name: str) -> Finding:
    length = len(braces.inner) + 2
    text = f"{{parameter:{name or 'NAME'}}}"
    fix = Fix(f"write `{text}`", (Edit(braces.chars(0, length), text),), is_safe=False) if name else None
    message = f"`{{{braces.inner}}}` is not a placeholder, so it stays in the address as it is"
    return Finding(message, braces.chars(0, length), hint=f"write `{text}`", fix=fix)


def _braces(subject: Subject) -> Iterator[_Braces]:
    for item, names, complete in _inputs(subject):
        for index, uri in enumerate(item.default):
            if "{" in uri:
                for start, inner in placeholders.in_braces(uri):
                    yield _Braces(uri, value_at(item.at, "default", index), start, inner, names, complete)


def _inputs(subject: Subject) -> Iterator[tuple[Input, tuple[str, ...], bool]]:
    """Each input with the names of the parameters of its step, those of overrides too."""
    for step in subject.config.steps:
        names = tuple(parameter.name for parameter in step.parameters)
        for item in step.inputs:
            yield item, names, subject.is_sound(step.at)
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            override = None if isinstance(node, DeploymentNode) else node.override
            merged = graph.steps.get(name)
            if override is not None and merged is not None:
                names = tuple(parameter.name for parameter in merged.parameters)
                for item in override.inputs:
                    yield item, names, subject.is_sound(merged.at)
