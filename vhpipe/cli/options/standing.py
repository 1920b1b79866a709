"""Options that nobody typed, as the settings of the project and of its user have them.

A run that goes on keeps what it was started with; only how it is walked is looked up again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vhpipe.errors import UsageError
from vhpipe.project.environment_files import fault_of_name

if TYPE_CHECKING:
    from vhpipe.settings.run import RunSettings
    from vhpipe.store.run_folder import RunFolder


def settled_for_run(options: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """The options of a new run. Errors: UsageError for settings that cannot be read or used."""
    from vhpipe.settings.run import run_settings

    settings = run_settings(project)
    values = {"python": settings.python, "inherit": settings.inherit_env, "repository": settings.repository}
    return {
        **_settled(options, values | _walking(settings)),
        "secret_names": (*settings.secrets, *options["secret_names"]),
        "standing_variables": checked_variables(settings.variables),
        "standing_queues": settings.queues,
    }


def settled_for_resume(options: Mapping[str, Any], project: Path, run: "RunFolder") -> dict[str, Any]:
    """The options of a run that goes on; of the user's variables only the values of secrets that it has."""
    from vhpipe.plan.secrets import secrets_in
    from vhpipe.settings.run import run_settings

    settings = run_settings(project)
    variables = checked_variables(settings.variables)
    secrets = {secret.name for secret in secrets_in(run.plan())} if variables else set()
    return {
        **_settled(options, _walking(settings)),
        "standing_variables": {name: value for name, value in variables.items() if name in secrets},
        "standing_queues": settings.queues,
    }


def checked_variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Errors: UsageError, which never shows a value, for what cannot be an environment variable."""
    for name, value in variables.items():
        fault = fault_of_name(name) or (f"the value of `{name}` has a NUL character" if "\0" in value else None)
        if fault:
            raise UsageError(f"`variables` in your own settings: {fault}")
    return variables


def _walking(settings: "RunSettings") -> dict[str, object]:
    return {
        "jobs": settings.jobs,
        "approval": settings.approval,
        "approval_timeout": settings.approval_timeout_s,
    }


def _settled(options: Mapping[str, Any], values: Mapping[str, object]) -> dict[str, Any]:
    source = click.get_current_context().get_parameter_source
    return {**options, **{name: value for name, value in values.items() if source(name) is ParameterSource.DEFAULT}}
