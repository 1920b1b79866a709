"""Settings of `vhpipe run` and of runs from Python: what counts where neither says otherwise."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.settings.files import project_files
from vhpipe.settings.keys import (
    ALLOW_MOUNTS,
    APPROVAL_ANSWER,
    APPROVAL_TIMEOUT,
    ENVIRONMENTS_MADE,
    IMAGE,
    IMAGE_OF_QUEUE,
    INHERIT_ENV,
    JOBS,
    MOUNT,
    NETWORK,
    PROJECT_VARIABLES,
    PULL_OF_RUN,
    PYTHON,
    REPOSITORY_KIND,
    SECRETS,
    SHM_SIZE,
    SIZE_OF_QUEUE,
    SLOTS,
    SLOTS_OF_QUEUE,
    VARIABLE,
    VARIABLE_GROUPS,
    VARIABLES_FILE,
)
from vhpipe.settings.places import PlaceSettings, place_settings
from vhpipe.settings.read import SettingsSources, settings_sources
from vhpipe.settings.values import Approval, Environments, Pull, Repository

if TYPE_CHECKING:
    from vhpipe.settings.images import ImageRule


class RunSettings(NamedTuple):
    """`jobs` None is the number of cores, `python` None the environment that is found, a timeout of None never.

    `slots` are texts by the names of what is counted. `queues` are sizes by name, also of queues that a pipeline does
    not have, `queue_slots` and `queue_images` what else is set for them; `variables` are values by name. `places` are
    what each source says of these, the strongest first. `variable_names` and `variable_groups` are names of variables,
    whose values stand in the environment and, weaker, in `variables_file`. `mounts` are folders by the sources that
    they stand for.
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
    slots: Mapping[str, str] = MappingProxyType({})
    queue_slots: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    queue_images: Mapping[str, str] = MappingProxyType({})
    network: bool = True
    pull: Pull | None = None
    shm_bytes: int | None = None
    variable_names: tuple[str, ...] = ()
    variable_groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    variables_file: str | None = None
    mounts: Mapping[str, str] = MappingProxyType({})
    allow_mounts: bool = False
    env: Environments = "auto"
    images: "tuple[ImageRule, ...]" = ()


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
        queues=sources.of_each(SIZE_OF_QUEUE, short="size"),
        variables=sources.named(VARIABLE),
        variable_names=sources.value(PROJECT_VARIABLES) or (),
        variable_groups=sources.by_name(VARIABLE_GROUPS),
        variables_file=sources.path(VARIABLES_FILE),
        mounts=sources.named_paths(MOUNT),
        allow_mounts=sources.value(ALLOW_MOUNTS) or False,
        places=place_settings(sources),
        slots=sources.value(SLOTS) or {},
        queue_slots=sources.of_each(SLOTS_OF_QUEUE),
        queue_images=sources.of_each(IMAGE_OF_QUEUE),
        network=sources.value(NETWORK) is not False,
        pull=sources.value(PULL_OF_RUN),
        shm_bytes=sources.value(SHM_SIZE),
        env=sources.value(ENVIRONMENTS_MADE) or "auto",
        images=_images(sources),
    )


def _images(sources: SettingsSources) -> "tuple[ImageRule, ...]":
    if not any(IMAGE.table in file.tables for file in sources.files):
        return ()
    from vhpipe.settings.images import image_rules

    return image_rules(sources)
