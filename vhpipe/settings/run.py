"""Settings of `vhpipe run` and of runs from Python: what counts where neither says otherwise."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from vhpipe.settings.keys import (
    APPROVAL_ANSWER,
    APPROVAL_TIMEOUT,
    ENVIRONMENTS_MADE,
    INHERIT_ENV,
    JOBS,
    PYTHON,
    QUEUE,
    REPOSITORY_KIND,
    SECRETS,
    VARIABLE,
)
from vhpipe.settings.read import settings_sources
from vhpipe.settings.values import Approval, Environments, Repository


class RunSettings(NamedTuple):
    """`jobs` None is the number of cores, `python` None the environment that is found, a timeout of None never.

    `queues` are sizes by name, also of queues that a pipeline does not have; `variables` are values by name.
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
    env: Environments = "auto"


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
        env=sources.value(ENVIRONMENTS_MADE) or "auto",
    )
