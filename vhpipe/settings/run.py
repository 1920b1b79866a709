"""Settings of `vhpipe run` and of runs from Python: what counts where neither says otherwise."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from vhpipe.settings.files import project_files
from vhpipe.settings.keys import (
    APPROVAL_ANSWER,
    APPROVAL_TIMEOUT,
    INHERIT_ENV,
    JOBS,
    PROJECT_VARIABLES,
    PYTHON,
    QUEUE,
    REPOSITORY_KIND,
    SECRETS,
    VARIABLE,
    VARIABLE_GROUPS,
    VARIABLES_FILE,
)
from vhpipe.settings.read import SettingsSources, settings_sources
from vhpipe.settings.values import Approval, Repository


class RunSettings(NamedTuple):
    """`jobs` None is the number of cores, `python` None the environment that is found, a timeout of None never.

    `queues` are sizes by name, also of queues that a pipeline does not have; `variables` are values by name.
    `variable_names` and `variable_groups` are names of variables, whose values stand in the environment and, weaker, in
    `variables_file`.
    """

    jobs: int | None = None
    repository: Repository = "copy"
    approval: Approval = "wait"
    approval_timeout_s: float | None = None
    python: str | None = None
    inherit_env: bool = False
    secrets: tuple[str, ...] = ()
    queues: Mapping[str, int] = MappingProxyType({})
    variables: Mapping[str, str] = MappingProxyType({})
    variable_names: tuple[str, ...] = ()
    variable_groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    variables_file: str | None = None


def named_by_project(folder: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The variables that a project's files name for every step, and those of groups; nobody's own file counts.

    Errors: UsageError as for `run_settings`.
    """
    sources = SettingsSources({}, tuple(project_files(folder)))
    return sources.value(PROJECT_VARIABLES) or (), sources.by_name(VARIABLE_GROUPS)


def run_settings(project: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> RunSettings:
    """The settings of a project's runs. No file and no variable is not an error: then it is `RunSettings()`.

    Errors: UsageError for a file or variable that cannot be read, or says what is not known or not allowed there.
    """
    sources = settings_sources(os.path.abspath(project), environ)
    return RunSettings(
        jobs=sources.value(JOBS),
        repository=sources.value(REPOSITORY_KIND) or "copy",
        approval=sources.value(APPROVAL_ANSWER) or "wait",
        approval_timeout_s=sources.value(APPROVAL_TIMEOUT),
        python=sources.path(PYTHON),
        inherit_env=sources.value(INHERIT_ENV) or False,
        secrets=sources.value(SECRETS) or (),
        queues=sources.named(QUEUE),
        variables=sources.named(VARIABLE),
        variable_names=sources.value(PROJECT_VARIABLES) or (),
        variable_groups=sources.by_name(VARIABLE_GROUPS),
        variables_file=sources.path(VARIABLES_FILE),
    )
