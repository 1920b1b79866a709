"""What became true, as the journal keeps it.

This is a stored format: a field may be added with a default and never change its meaning.
"""

from typing import Literal

import msgspec

from vhpipe.config.model import Value
from vhpipe.plan.model import (
    AttemptId,
    ConfigurationObject,
    Datum,
    Deferred,
    EnvironmentValue,
    ExecutionId,
    InputFile,
    Origin,
    PublishedKind,
    ResourceUse,
    SourceFile,
)
from vhpipe.schedule.terms import JOURNAL_FORMAT, Json, Moment, Status


class Event(msgspec.Struct, frozen=True):
    """The base of all events. The tag of each is what its lines in journals say: format, not a name of ours."""


class RunStarted(Event, frozen=True, tag="RunStarted"):
    """`capacity` is how many executions may run at once, `amounts` what else the place has: see `Capacity`."""

    capacity: int
    format: int = JOURNAL_FORMAT
    boot: str = ""
    amounts: dict[str, int] = {}


class RunResumed(Event, frozen=True, tag="RunResumed"):
    """The run goes on, with this capacity from now on; a stop that the user had asked for is taken back."""

    capacity: int
    boot: str = ""
    amounts: dict[str, int] = {}


class NodeReopened(Event, frozen=True, tag="NodeReopened"):
    """What a stop had done to a node is taken back: it is created, or started, again and `queued` will run.

    A node that had started and is created again starts over, with other inputs.
    """

    node: str
    status: Status
    queued: tuple[int, ...] = ()


class InputsFetched(Event, frozen=True, tag="InputsFetched"):
    """The blobs of the node's files from outside, by URI; a run that is resumed reads these bytes again.

    `found` has the files that URIs with parameters in them stand for, by input and filled URI.
    """

    node: str
    blobs: dict[str, str] = {}
    found: dict[str, tuple[SourceFile, ...]] = {}


class InputsBound(Event, frozen=True, tag="InputsBound"):
    """What edges and references brought to a node. Only what these filled is named.

    `files` pairs an input (or `endpoint.file` of a deployment) with all of its files, those from outside included;
    `values` are the parameters, `spread` the names of those whose list becomes one child per element. `proposed` is
    filled by what a search extends the node's sweep with. `deferred` is what values and variables have stand-ins for,
    `configuration` the objects that references filled.
    """

    node: str
    files: tuple[tuple[str, tuple[InputFile, ...]], ...] = ()
    values: dict[str, Value] = {}
    spread: tuple[str, ...] = ()
    environment_variables: dict[str, EnvironmentValue] = {}
    proposed: tuple[dict[str, Value], ...] = ()
    deferred: tuple[Deferred, ...] = ()
    configuration: tuple[ConfigurationObject, ...] = ()


class NodeStarted(Event, frozen=True, tag="NodeStarted"):
    """The node's executions, as many as said, are queued; of a deployment there is none.

    Those whose index stands in `left_out` are not part of this run and skipped.
    """

    node: str
    executions: int = 1
    left_out: tuple[int, ...] = ()


class NodeWaiting(Event, frozen=True, tag="NodeWaiting"):
    """Executions of the node do not start although slots are free; said once, until the reason is another one.

    It counts until nothing of the node is queued any more.
    """

    node: str
    because: str


class SweepExtended(Event, frozen=True, tag="SweepExtended"):
    """A search has proposed further parameter sets; one execution for each is queued."""

    node: str
    sets: tuple[dict[str, Value], ...]


class ReuseAwaited(Event, frozen=True, tag="ReuseAwaited"):
    """An equal execution is under way elsewhere; this one waits for what comes of it."""

    execution: ExecutionId
    because: str


class ReuseMissed(Event, frozen=True, tag="ReuseMissed"):
    """Nothing can be reused for the execution, so it is queued to run."""

    execution: ExecutionId
    because: str | None = None


class AttemptStarted(Event, frozen=True, tag="AttemptStarted"):
    attempt: AttemptId


class AttemptStopping(Event, frozen=True, tag="AttemptStopping"):
    attempt: AttemptId
    because: str


class AttemptEnded(Event, frozen=True, tag="AttemptEnded"):
    """See AttemptReported for the fields.

    With `reused_from` no attempt was started: the result is that of another attempt, and so is `use`.
    """

    attempt: AttemptId
    outcome: Status
    exit_code: int | None = None
    because: str | None = None
    metadata: dict[str, Json] = {}
    outputs: tuple[Datum, ...] = ()
    manifest: str | None = None
    fingerprint: str | None = None
    reused_from: Origin | None = None
    setup_s: float = 0.0
    ran_s: float | None = None
    use: ResourceUse | None = None


class Published(Event, frozen=True, tag="Published"):
    """A result of an execution is one of the run's own now; of equal kinds and names the last counts.

    Exactly one of `datum` and `value`, the last of a metric, is set. `source` is what the node itself calls a result
    that is monitored; None where the step has published it.
    """

    execution: ExecutionId
    kind: PublishedKind
    name: str
    datum: Datum | None = None
    value: Json = None
    source: str | None = None


class AttemptLost(Event, frozen=True, tag="AttemptLost"):
    """Nothing is left of an attempt that had begun, or of one that was complete: its execution is queued again."""

    attempt: AttemptId
    because: str


class RetryScheduled(Event, frozen=True, tag="RetryScheduled"):
    """The execution is queued again, at once or after `delay_s`; `number` is that of its next attempt."""

    execution: ExecutionId
    number: int
    delay_s: float = 0.0


class RetryDue(Event, frozen=True, tag="RetryDue"):
    """The delay of a retry is over: the execution may start."""

    execution: ExecutionId


class HookApplied(Event, frozen=True, tag="HookApplied"):
    """A node's hooks have been called; `values` are parameters that they changed before the start."""

    node: str
    moment: Literal["pre", "post"]
    values: dict[str, Value] = {}


class ApprovalAwaited(Event, frozen=True, tag="ApprovalAwaited"):
    """`moment` says what is held back: the node itself (node-starting) or its downstream."""

    node: str
    moment: Moment


class ApprovalGranted(Event, frozen=True, tag="ApprovalGranted"):
    node: str
    moment: Moment
    by: str
    request: str | None = None


class ApprovalRefused(Event, frozen=True, tag="ApprovalRefused"):
    node: str
    moment: Moment
    by: str
    request: str | None = None


class ActionTaken(Event, frozen=True, tag="ActionTaken"):
    """An action of the node fired; each fires once. `action` is its position among the node's actions."""

    node: str
    action: int
    moment: Moment


class DeploymentRequested(Event, frozen=True, tag="DeploymentRequested"):
    node: str


class DeploymentCreated(Event, frozen=True, tag="DeploymentCreated"):
    node: str
    version: str
    identifier: str
    version_identifier: str
    files: tuple[str, ...] = ()


class DeploymentFailed(Event, frozen=True, tag="DeploymentFailed"):
    node: str
    because: str


class Warned(Event, frozen=True, tag="Warned"):
    node: str
    message: str


class NodeStopping(Event, frozen=True, tag="NodeStopping"):
    """No execution of the node starts any more: the queued ones are stopped, those that run are being stopped."""

    node: str
    because: str


class NodeSettled(Event, frozen=True, tag="NodeSettled"):
    """`failed` counts the executions that failed for good, also of a node that is complete.

    `held` says that an approval is awaited before the downstream may start, `hooked` that a hook has to end first.
    """

    node: str
    status: Status
    because: str | None = None
    failed: int = 0
    held: bool = False
    hooked: bool = False


class RunStopping(Event, frozen=True, tag="RunStopping"):
    """Nothing starts any more; the run will end with `status`. `by_user`: a request, a signal or a refused approval."""

    status: Status
    because: str
    by_user: bool = False
    request: str | None = None


class RunEnded(Event, frozen=True, tag="RunEnded"):
    status: Status
    because: str | None = None


AnyEvent = (
    RunStarted | RunResumed | NodeReopened | InputsBound | InputsFetched | NodeStarted | SweepExtended
    | NodeWaiting | ReuseAwaited | ReuseMissed
    | AttemptStarted | AttemptStopping | AttemptEnded | Published | AttemptLost | RetryScheduled | RetryDue
    | HookApplied
    | ApprovalAwaited | ApprovalGranted | ApprovalRefused | ActionTaken
    | DeploymentRequested | DeploymentCreated | DeploymentFailed
    | Warned | NodeStopping | NodeSettled | RunStopping | RunEnded
)  # fmt: skip


class RecordedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as it stands in the journal: `sequence` counts from 0, `at` is wall time, seconds since the epoch.

    `left` more events of the same decision follow; a run goes on only from a decision that is complete.
    """

    sequence: int
    at: float
    event: AnyEvent
    left: int = 0
