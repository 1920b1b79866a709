"""How a run is made, whatever it runs: what a door was asked for, and what counts where it was asked for nothing."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.plan.container_settings import SHM_BYTES, ContainerSettings

if TYPE_CHECKING:
    from vhpipe.plan.container_settings import PullPolicy
    from vhpipe.plan.places import PlaceRule
    from vhpipe.settings.images import ImageRule
    from vhpipe.settings.run import RunSettings
    from vhpipe.store.run_folder import EnvironmentMode, Repository, RunInfo


class RunConditions(NamedTuple):
    """`capacity` is how many executions run at once, `queues` are sizes that settings give to those of that name.

    `slots` are what executions share, `queue_slots` what those of a queue do: texts by name. `queue_images` are those
    of steps in a queue.
    `python` is a folder or a file, None for the project's own. `typed_places` are as `--in` has them, `place_rules`
    count after these, the strongest first. `mounts` are folders by the sources that they stand for.
    `environments` says which steps get one of their own, `images` what stands for images; a typed Python is for all.
    """

    capacity: int
    python: str | None
    title: str | None
    tags: tuple[str, ...]
    repository: "Repository"
    inherits_environment: bool
    queues: Mapping[str, int]
    typed_places: tuple[str, ...] = ()
    place_rules: "tuple[PlaceRule, ...]" = ()
    slots: Mapping[str, str] = MappingProxyType({})
    queue_slots: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    mounts: Mapping[str, str] = MappingProxyType({})
    allows_mounts: bool = False
    has_network: bool = True
    queue_images: Mapping[str, str] = MappingProxyType({})
    containers: ContainerSettings = ContainerSettings()
    pulls_images: bool = True
    shows_pulls: bool = False
    environments: "EnvironmentMode" = "none"
    images: "tuple[ImageRule, ...]" = ()


class RunChoices(NamedTuple):
    """What a door was asked for; else None. `words` are the command line that may be recorded without secrets.

    `shares_process`: the engine runs in a program of the user's. `own_python` is the one where settings name none.
    `places` are `PLACE` and `NODE=PLACE`, `slots` is `gpu=2,mem=32G` or a mapping of that meaning. `pulls_images`: what
    is not here is pulled, else it stays unknown; `shows_pulls`: the terminal shows how far that is.
    """

    jobs: int | None = None
    python: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    repository: "Repository | None" = None
    inherits_environment: bool | None = None
    words: tuple[str, ...] = ()
    shares_process: bool = False
    own_python: str | None = None
    places: tuple[str, ...] = ()
    pull: "PullPolicy | None" = None
    pulls_images: bool = True
    shows_pulls: bool = False
    slots: "str | Mapping[str, int | str] | None" = None
    network: bool | None = None
    environments: "EnvironmentMode | None" = None

    def settled(self, settings: "RunSettings") -> RunConditions:
        """Those of a new run. Errors: UsageError for a number of jobs that is none."""
        inherits = self.inherits_environment
        return RunConditions(
            capacity=self._capacity(settings),
            python=self.python or settings.python or self.own_python,
            title=self.title,
            tags=self.tags,
            repository=self.repository or settings.repository,
            inherits_environment=settings.inherit_env if inherits is None else inherits,
            queues=settings.queues,
            slots=self._slots(settings),
            queue_slots=settings.queue_slots,
            typed_places=self.places,
            place_rules=settings.places,
            mounts=settings.mounts,
            allows_mounts=settings.allow_mounts,
            has_network=settings.network if self.network is None else self.network,
            queue_images=settings.queue_images,
            containers=self._containers(settings),
            pulls_images=self.pulls_images,
            shows_pulls=self.shows_pulls,
            environments=self._environments() or settings.env,
            images=self._images(settings),
        )

    def settled_as_in(self, info: "RunInfo", settings: "RunSettings") -> RunConditions:
        """Those of a run that is taken up; how many at once, what they share, Python, environments can be said anew."""
        return self.settled(settings)._replace(
            python=self.python or info.python,
            title=info.title,
            tags=info.tags,
            repository=info.repository,
            inherits_environment=info.inherits_environment,
            place_rules=(EarlierPlaces(info), *settings.places),
            has_network=info.has_network,
            environments=self._environments() or info.environments,
        )

    def _images(self, settings: "RunSettings") -> "tuple[ImageRule, ...]":
        """A Python that is typed is for all nodes; other images are for places where no Python of this machine is."""
        return tuple(rule for rule in settings.images if not (self.python and rule.is_path))

    def _environments(self) -> "EnvironmentMode | None":
        if self.environments is None:
            return None
        from vhpipe.settings.values import ENVIRONMENTS_TYPE, UnfitValueError

        try:
            return ENVIRONMENTS_TYPE.read(self.environments)
        except UnfitValueError as fault:
            raise UsageError(f"env {fault.expected}", fault.hint) from None

    def _containers(self, settings: "RunSettings") -> ContainerSettings:
        return ContainerSettings(self.pull or settings.pull or "missing", settings.shm_bytes or SHM_BYTES)

    def _slots(self, settings: "RunSettings") -> Mapping[str, str]:
        if self.slots is None:
            return settings.slots
        from vhpipe.settings.values import AMOUNTS, UnfitValueError

        try:
            return AMOUNTS.read(dict(self.slots) if isinstance(self.slots, Mapping) else self.slots)
        except UnfitValueError as fault:
            raise UsageError(f"slots {fault.expected}", fault.hint) from None

    def _capacity(self, settings: "RunSettings") -> int:
        if self.jobs is None:
            return settings.jobs or default_capacity()
        from vhpipe.settings.values import COUNT, UnfitValueError

        try:
            return COUNT.read(self.jobs)
        except UnfitValueError as fault:
            raise UsageError(f"jobs {fault.expected}, not `{self.jobs}`") from None


class EarlierPlaces(NamedTuple):
    """The places of a run as a rule for the one that takes it up; whether `/valohai` is needed, settings say."""

    info: "RunInfo"

    @property
    def place(self) -> str:
        return self.info.place

    def place_for(self, node: str, step: str, queues: tuple[str, ...]) -> str:
        return self.info.place_of(node)

    def folder_for(self, node: str, step: str) -> None:
        return None


def default_capacity() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
