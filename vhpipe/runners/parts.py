"""What every runner is made of: the run it belongs to, and how it reaches the engine."""

import selectors
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from vhpipe.attempt.news import HearNews
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.paths import OutsidePath
from vhpipe.attempt.running_clock import RunningClock
from vhpipe.attempt.spec import AttemptSecrets, AttemptSpec, RunFacts
from vhpipe.code.run_copies import RunCopies
from vhpipe.plan.container_settings import ContainerSettings
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import Repository, RunFolder
from vhpipe.store.snapshots import Snapshot

Made = TypeVar("Made")
GRACE_S = 10.0
"""Between TERM and KILL. Source: decision 27."""


class WorkPool(Protocol):
    """Threads for work that would keep the engine's thread waiting."""

    def do(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """Do `work` in a thread and give its result to `then` in the engine's thread."""
        ...

    def do_while_open(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """As `do`, for work that may wait for others without end: once the run is over, nothing comes of it."""
        ...

    def give_up(self) -> None:
        """Have work on many bytes end with `GivenUpError`: the run is to end at once."""
        ...


class RunnerParts(msgspec.Struct, frozen=True, kw_only=True):
    """One run at one place. `monitored` names the nodes whose metadata is wanted while they run.

    With `shares_process` this process has other threads and children, `others` are children of this process that are
    no attempts; `grace_s` is between TERM and KILL, `clock` the one of the engine's loop.
    """

    run: RunFacts
    secrets: AttemptSecrets
    store: ProjectStore
    folder: RunFolder
    snapshot: Snapshot
    repository: Repository
    selector: selectors.BaseSelector
    pool: WorkPool
    hear: HearNews
    monitored: frozenset[str] = frozenset()
    others: OwnChildren | None = None
    shares_process: bool = False
    grace_s: float = GRACE_S
    clock: RunningClock | None = None
    has_network: bool = True
    containers: ContainerSettings = ContainerSettings()

    def spec_of(self, order: AttemptOrder) -> AttemptSpec:
        """The order as an attempt knows it, wherever it is made."""
        is_monitored = order.execution.id.node in self.monitored
        return AttemptSpec(order.attempt, order.execution, self.run, is_monitored, order.devices)

    def copies(self) -> RunCopies:
        """Where the working copies of the run come from."""
        store = self.store
        return RunCopies(store.slots, store.blobs, store.project, self.snapshot, self.repository)

    def folder_of(self, order: AttemptOrder) -> OutsidePath:
        return OutsidePath(self.folder.attempt_path(order.attempt))
