"""What the scheduler hears. Every stimulus that changes state does so by an event."""

from typing import Literal

import msgspec

from vhpipe.config.model import Value
from vhpipe.plan.model import AttemptId, CodeUses, Datum, ExecutionId, Origin, PublishedThing, ResourceUse, SourceFile
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.terms import Json, Status


class StartRequested(msgspec.Struct, frozen=True):
    """What the run may use: see `Capacity`. `boot` names the time since this machine was switched on."""

    capacity: Capacity
    boot: str = ""


class StopRequested(msgspec.Struct, frozen=True):
    """The user wants the run to end: a signal, or a request from another process."""

    because: str
    request: str | None = None


class AttemptReported(msgspec.Struct, frozen=True):
    """An attempt has ended and was collected.

    `outcome` is complete, error, stopped or crashed. `final` says that another attempt could not change it.
    `metadata` has the last value per key. `exit_code` is None where no process ran to its end by itself. `used` is what
    the process of a function step has used of the code. `setup_s` is how long it took to set the attempt up, `ran_s`
    how long its process ran: 0 where there was none, None if not known. `damaged` is the sha256 of an input whose
    bytes were not intact, so that nothing could start. `use` is what its processes have used, None if not known.
    """

    attempt: AttemptId
    outcome: Status
    exit_code: int | None = None
    because: str | None = None
    final: bool = False
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()
    manifest: str | None = None
    fingerprint: str | None = None
    warnings: tuple[str, ...] = ()
    published: tuple[PublishedThing, ...] = ()
    used: CodeUses | None = None
    setup_s: float = 0.0
    ran_s: float | None = None
    damaged: str | None = None
    use: ResourceUse | None = None


class ResumeRequested(msgspec.Struct, frozen=True):
    """The run shall go on from what its journal says.

    `found` are the attempts that had begun and whose manifest is there; those not named are lost. `damaged` are
    executions that were complete and of which an output is gone.
    """

    capacity: Capacity
    boot: str = ""
    found: tuple[AttemptReported, ...] = ()
    damaged: tuple[ExecutionId, ...] = ()


class InputsReported(msgspec.Struct, frozen=True):
    """The inputs of a node that come from outside are blobs now (by URI), or `because` says why not.

    `found` has the files that filled URIs stand for, by their keys.
    """

    node: str
    blobs: dict[str, str] = {}
    because: str | None = None
    found: dict[str, tuple[SourceFile, ...]] = {}


class ReuseAnswered(msgspec.Struct, frozen=True):
    """Whether an equal execution is complete already.

    `hit`: `origin`, `metadata`, `outputs` and `use` are its. `busy`: somebody is at it, and another answer will follow.
    `miss`: it has to be run, `because` says why in words.
    """

    execution: ExecutionId
    answer: Literal["hit", "busy", "miss"]
    because: str | None = None
    origin: Origin | None = None
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()
    fingerprint: str | None = None
    published: tuple[PublishedThing, ...] = ()
    use: ResourceUse | None = None


class StopConditionMet(msgspec.Struct, frozen=True):
    """What an attempt has measured meets the stop-condition of its step, or, with `of_task`, that of its task."""

    attempt: AttemptId
    condition: str
    of_task: bool = False

    @property
    def because(self) -> str:
        """Why the attempt ends then."""
        return f"stop-condition `{self.condition}` is met"


class ApprovalAnswered(msgspec.Struct, frozen=True):
    node: str
    approved: bool
    by: str
    request: str | None = None


class HookAnswered(msgspec.Struct, frozen=True):
    """The hooks of a node have been called. Before it starts they may have changed `values` or said to `skip` it.

    `because` says what went wrong: before the start the node fails by it, else it is a warning.
    """

    node: str
    moment: Literal["pre", "post", "status"]
    values: dict[str, Value] = {}
    skip: bool = False
    because: str | None = None


class TimerFired(msgspec.Struct, frozen=True):
    """The time of `SetTimer` has passed."""

    execution: ExecutionId | None = None


class ProposalsAnswered(msgspec.Struct, frozen=True):
    """The next parameter sets of a search, or `because` says why there are none."""

    node: str
    sets: tuple[dict[str, Value], ...] = ()
    because: str | None = None


class DeploymentReported(msgspec.Struct, frozen=True):
    """Exactly one of `version` and `because` (why it failed) is set."""

    node: str
    version: str | None = None
    identifier: str | None = None
    version_identifier: str | None = None
    files: tuple[str, ...] = ()
    because: str | None = None


Stimulus = (
    StartRequested | ResumeRequested | StopRequested | InputsReported | ReuseAnswered | AttemptReported
    | StopConditionMet | ProposalsAnswered | HookAnswered | TimerFired | ApprovalAnswered | DeploymentReported
)  # fmt: skip
