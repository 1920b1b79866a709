"""Environment variables that settings name: those of the project, for every step, and those of groups.

Settings have names only; the values are those of the user's environment. A step's own value wins over that of a group,
a group's over the project's. Source: decision 213.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from vhpipe.plan.model import EnvironmentValue
from vhpipe.wording import listed, plural

if TYPE_CHECKING:
    from vhpipe.config.model import Step
    from vhpipe.graph.model import PipelineGraph


class NamedVariables(msgspec.Struct, frozen=True):
    """`project` are names for every step, `groups` names by group; `values` has those that are set on this machine."""

    project: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    values: dict[str, EnvironmentValue] = {}

    def of_step(self, step: "Step") -> dict[str, EnvironmentValue]:
        """The variables that a step has by its groups and its project; of several groups the last one wins."""
        names = (*self.project, *(name for group in step.environment_variable_groups for name in self.of_group(group)))
        return {name: self.values[name] for name in names if name in self.values}

    def of_group(self, group: str) -> tuple[str, ...]:
        """The names of a group, none of one that is not defined."""
        return self.groups.get(group, ())


NOTHING_NAMED = NamedVariables()


def variable_notices(graph: "PipelineGraph", named: NamedVariables) -> Iterator[str]:
    """What steps get by settings, which of it is not set here, and groups that no settings define; a sentence each."""
    groups = _groups_of(graph)
    names = dict.fromkeys(
        (*named.project, *(name for group in groups for name in named.of_group(group))) if graph.steps else ()
    )
    given = [name for name in names if name in named.values]
    if given:
        yield f"steps get {listed(given)} from your environment, as settings say"
    unset = [name for name in names if name not in named.values]
    if unset:
        yield f"{listed(unset)} {plural(len(unset), 'is', 'are')} not set here, and settings name {_them(unset)}"
    for group, nodes in groups.items():
        if group not in named.groups:
            yield (
                f"environment-variable-groups of {listed(nodes)}: no settings define `{group}`; name its variables in "
                f'`[environment-variables.groups]`, such as `{_key(group)} = ["NAME"]`'
            )


def _groups_of(graph: "PipelineGraph") -> Mapping[str, list[str]]:
    """The nodes by the groups that their steps name."""
    found: dict[str, list[str]] = {}
    for node in graph.order:
        step = graph.steps.get(node)
        for group in step.environment_variable_groups if step is not None else ():
            found.setdefault(group, []).append(node)
    return found


def _them(names: Iterable[str]) -> str:
    return plural(len(tuple(names)), "it", "them")


def _key(group: str) -> str:
    """The name as a key of TOML."""
    return group if group.replace("-", "").replace("_", "").isalnum() and group.isascii() else f'"{group}"'
