"""Settings of `vhpipe run` and of runs from Python: what counts where neither says otherwise."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from vhpipe.settings.keys import (
    APPROVAL_ANSWER,
    APPROVAL_TIMEOUT,
    IMAGE_OF_QUEUE,
    INHERIT_ENV,
    JOBS,
    PULL_OF_RUN,
    PYTHON,
    REPOSITORY_KIND,
    SECRETS,
    SHM_SIZE,
    SIZE_OF_QUEUE,
    SLOTS_OF_QUEUE,
    VARIABLE,
)
from vhpipe.settings.places import PlaceSettings, place_settings
from vhpipe.settings.read import settings_sources
from vhpipe.settings.values import Approval, Pull, Repository


class RunSettings(NamedTuple):
    """`jobs` None is the number of cores, `python` None the environment that is found, a timeout of None never.

    `queues` are sizes by name, also of queues that a pipeline does not have, `queue_slots` and `queue_images` what else
    is set for them; `variables` are values by name. `places` are what each source says of these, the strongest first.
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
    places: tuple[PlaceSettings, ...] = ()
    queue_slots: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    queue_images: Mapping[str, str] = MappingProxyType({})
    pull: Pull | None = None
    shm_bytes: int | None = None


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
        queues=sources.of_each(SIZE_OF_QUEUE, short="size"),
        variables=sources.named(VARIABLE),
        places=place_settings(sources),
        queue_slots=sources.of_each(SLOTS_OF_QUEUE),
        queue_images=sources.of_each(IMAGE_OF_QUEUE),
        pull=sources.value(PULL_OF_RUN),
        shm_bytes=sources.value(SHM_SIZE),
    )
