"""What the scheduler asks the world for, and its decision as a whole."""

from typing import Literal

import msgspec

from vhpipe.plan.model import AttemptId, ExecutionId, FilledUri
from vhpipe.schedule.events import AnyEvent
from vhpipe.schedule.terms import Moment


class StartAttempts(msgspec.Struct, frozen=True):
    """Start one attempt, or a group that must run together."""

    attempts: tuple[AttemptId, ...]


class StopAttempt(msgspec.Struct, frozen=True):
    """With `completes` the attempt has done what it was for: it counts as complete, not as stopped."""

    attempt: AttemptId
    because: str
    completes: bool = False


class AskApproval(msgspec.Struct, frozen=True):
    node: str
    moment: Moment


class MakeDeployment(msgspec.Struct, frozen=True):
    node: str


class FetchInputs(msgspec.Struct, frozen=True):
    """Turn these URIs into blobs, for a node that cannot start before."""

    node: str
    uris: tuple[str, ...]
    filled: tuple[FilledUri, ...] = ()
    """Those that stand for files which have to be found first."""


class Propose(msgspec.Struct, frozen=True):
    """Have a search propose the next parameter sets of a node; all executions so far have ended."""

    node: str


class RunHook(msgspec.Struct, frozen=True):
    """Call the hooks of a node, before it starts or after it has ended."""

    node: str
    moment: Literal["pre", "post"]


class SetTimer(msgspec.Struct, frozen=True):
    """Report when so many seconds have passed: for an execution that waits to be tried again, or for the entire run."""

    delay_s: float
    execution: ExecutionId | None = None


class LookUpReuse(msgspec.Struct, frozen=True):
    execution: ExecutionId


Effect = (
    FetchInputs | Propose | RunHook | SetTimer | LookUpReuse | StartAttempts | StopAttempt | AskApproval
    | MakeDeployment
)  # fmt: skip


class Decision(msgspec.Struct, frozen=True):
    events: tuple[AnyEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
