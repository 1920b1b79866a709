"""What a runner is: a place where attempts happen, from their preparation to their report."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from vhpipe.plan.capabilities import Capabilities
from vhpipe.plan.model import AttemptId, ExecutionSpec
from vhpipe.schedule.capacity import Capacity


class AttemptOrder(msgspec.Struct, frozen=True):
    """An attempt to start, and the execution that it tries. `devices` are the GPUs that are its own for that time."""

    attempt: AttemptId
    execution: ExecutionSpec
    devices: tuple[str, ...] = ()


class Runner(Protocol):
    """The attempts of one run at one place. What is heard of them goes to the `hear` that it was made with.

    Every attempt that is started ends in one `AttemptReported`, also one that cannot be prepared, unless the runner is
    abandoned. All methods are for the engine's thread, and so is `hear`.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def capacity(self) -> Capacity:
        """What the place has. `slots` is how many executions it advises to run at once; only amounts that it keeps
        executions to are named, and are waited for.
        """

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        """Start attempts; those that belong together are ordered together.

        Errors: `VhpipeError` for what no other attempt would survive either.
        """

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        """Ask an attempt to end; it is killed when the grace is over. Not under way: nothing happens.

        With `completes` it counts as complete then, else as stopped.
        """

    def kill(self) -> None:
        """End all attempts at once; each is still reported."""

    def abandon(self) -> None:
        """End all attempts at once and report nothing any more."""

    def are_idle(self) -> bool:
        """Whether no attempt is under way."""

    def next_deadline(self) -> float | None:
        """The monotonic time at which `keep_time` must be called, None without any."""

    def keep_time(self, now: float) -> None:
        """Do what is due at the monotonic time `now`."""

    def close(self) -> None:
        """Give back what is held; for a runner whose attempts are all reported or abandoned."""
