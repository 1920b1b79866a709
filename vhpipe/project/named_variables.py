"""The values that variables have on this machine which settings name for steps."""

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.project.environment_files import fault_of_name, read_variables

if TYPE_CHECKING:
    from vhpipe.plan.named_variables import NamedVariables
    from vhpipe.settings.run import RunSettings


class VariablesOfSettings(NamedTuple):
    """`project` are the names for every step, `groups` names by group, `values` the texts of those that are set."""

    project: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    values: Mapping[str, str] = MappingProxyType({})

    @property
    def is_none(self) -> bool:
        return not (self.project or self.groups)

    def planned(self, secret_names: tuple[str, ...]) -> "NamedVariables":
        """These variables as a plan has them, secrets by their names only."""
        from vhpipe.plan.named_variables import NamedVariables
        from vhpipe.plan.secrets import environment_value

        values = {name: environment_value(name, text, secret_names) for name, text in self.values.items()}
        return NamedVariables(self.project, dict(self.groups), values)


def variables_of_settings(settings: "RunSettings", environ: Mapping[str, str]) -> VariablesOfSettings:
    """What settings name, with the values of the environment and, where it has none, of the file that settings name.

    A name that is set nowhere has no value, which is no error; neither is a file that is not there.
    Errors: UsageError for what cannot be the name of a variable, and for a file that cannot be read.
    """
    groups = settings.variable_groups
    names = dict.fromkeys((*settings.variable_names, *(name for group in groups.values() for name in group)))
    _refuse_faulty(names)
    path = settings.variables_file
    in_file = read_variables(path) if names and path is not None and os.path.lexists(path) else {}
    found = {**in_file, **environ}
    values = {name: found[name] for name in names if name in found}
    return VariablesOfSettings(settings.variable_names, groups, values)


def _refuse_faulty(names: Iterable[str]) -> None:
    for name in names:
        fault = fault_of_name(name)
        if fault:
            raise UsageError(f"`environment-variables` in settings: {fault}", "settings have names, never values")
