"""What is to be run, and a run that this process holds: the values between those who order runs and the engine."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from vhpipe.plan.container_settings import ContainerSettings
from vhpipe.plan.model import Plan
from vhpipe.plan.run_request import RunRequest
from vhpipe.schedule import events, stimuli
from vhpipe.store.journal import JournalWriter
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import EnvironmentMode, Repository, RunFolder, RunInfo
from vhpipe.store.snapshots import Snapshot

Beginning = stimuli.StartRequested | stimuli.ResumeRequested
"""The first that a run's scheduler hears."""


class Order(NamedTuple):
    """What the user wants run, decided before anything is written."""

    plan: Plan
    project: Path
    capacity: int
    environment: Mapping[str, str]
    title: str | None = None
    tags: tuple[str, ...] = ()
    command_line: tuple[str, ...] = ()
    repository: Repository = "copy"
    is_pipeline: bool = True
    inherits_environment: bool = False
    refresh: frozenset[str] = frozenset()
    """Nodes that run whatever could be reused for them."""
    continues: int | None = None
    """The run whose results this one was given."""
    snapshot: Snapshot | None = None
    """The code to run, where it is not that of now."""
    asked: RunRequest | None = None
    source: bytes = b""
    """The text of the pipeline's file, to be kept with what was asked for."""
    python: str | None = None
    secrets: Mapping[str, str] = MappingProxyType({})
    """The values of the plan's secrets by their HMACs; they are written nowhere."""
    true_uris: Mapping[str, str] = MappingProxyType({})
    """The URIs of inputs behind the names by which the plan has them, where these differ; they are written nowhere."""
    place: str = ""
    """Where executions run, as `--in` calls it."""
    places: Mapping[str, str] = MappingProxyType({})
    """By node, where that is another place."""
    containers: ContainerSettings = ContainerSettings()
    amounts: Mapping[str, int] = MappingProxyType({})
    """What executions share of this machine beside their number, by the names of `Capacity.amounts`."""
    gpus: tuple[str, ...] = ()
    """The GPUs of which executions that ask for some get their own, as `CUDA_VISIBLE_DEVICES` names them."""
    notices: tuple[str, ...] = ()
    """What the user should hear of this machine before the start."""
    has_network: bool = True
    shares_process: bool = False
    """Whether the engine runs in a program of the user's, whose folder and other children are not its own."""
    environments: EnvironmentMode = "none"
    """Which steps get a Python environment of their own, as it was asked for."""
    makes_environments: bool = False
    """Whether any of this run does."""
    required: str = ""
    """The install line of steps that have none of their own; empty for none."""
    pythons: Mapping[str, str] = MappingProxyType({})
    """The folder of programs of the Python that stands for the image of a node, by node."""


class LockedRun(NamedTuple):
    """A run that exists on disk and whose lock this process holds.

    `past` is what its journal says so far; the run begins with `beginning`.
    """

    order: Order
    store: ProjectStore
    run: RunFolder
    info: RunInfo
    snapshot: Snapshot
    journal: JournalWriter
    beginning: Beginning
    past: tuple[events.RecordedEvent, ...] = ()
    notices: tuple[str, ...] = ()
    """What the user should hear of the beginning."""


def is_closed(order: Order) -> bool:
    """Whether steps depend on nothing but what fingerprints have. Source: decisions 25 and 57."""
    return not order.inherits_environment and order.repository != "in-place"
