"""How a run is made, whatever it runs: what a door was asked for, and what counts where it was asked for nothing."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError

if TYPE_CHECKING:
    from vhpipe.settings.run import RunSettings
    from vhpipe.store.run_folder import EnvironmentMode, Repository, RunInfo


class RunConditions(NamedTuple):
    """`capacity` is how many executions run at once, `queues` are sizes that settings give to those of that name.

    `python` is a folder or a file, None for the project's own; `environments` says which steps get one of their own.
    """

    capacity: int
    python: str | None
    title: str | None
    tags: tuple[str, ...]
    repository: "Repository"
    inherits_environment: bool
    queues: Mapping[str, int]
    environments: "EnvironmentMode" = "none"


class RunChoices(NamedTuple):
    """What a door was asked for; else None. `words` are the command line that may be recorded without secrets.

    `shares_process`: the engine runs in a program of the user's. `own_python` is the one where settings name none.
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
            environments=self.environments or settings.env,
        )

    def settled_as_in(self, info: "RunInfo", settings: "RunSettings") -> RunConditions:
        """Those of a run that is taken up: how many at once, Python and environments can be chosen anew."""
        return RunConditions(
            capacity=self._capacity(settings),
            python=self.python or info.python,
            title=info.title,
            tags=info.tags,
            repository=info.repository,
            inherits_environment=info.inherits_environment,
            queues=settings.queues,
            environments=self.environments or info.environments,
        )

    def _capacity(self, settings: "RunSettings") -> int:
        if self.jobs is None:
            return settings.jobs or default_capacity()
        from vhpipe.settings.values import COUNT, UnfitValueError

        try:
            return COUNT.read(self.jobs)
        except UnfitValueError as fault:
            raise UsageError(f"jobs {fault.expected}, not `{self.jobs}`") from None


def default_capacity() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
