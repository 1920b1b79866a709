"""What a runner is: the place where an attempt's process runs."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from vhpipe.plan.model import AttemptId

Stream = Literal["o", "e"]
"""Standard output or standard error."""


class OutputSink(Protocol):
    """Where the bytes of an attempt go while it runs."""

    def write(self, stream: Stream, content: bytes) -> None: ...

    def close(self) -> None: ...


class Launch(NamedTuple):
    """One process to start. Limits in seconds; `marker` is an environment entry `NAME=value` no other attempt has."""

    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    marker: str
    sink: OutputSink
    time_limit_s: float | None = None
    no_output_timeout_s: float | None = None


class Ending(NamedTuple):
    """How a process ended: nothing of its process tree is alive any more.

    `exit_code` is negative for a signal, as in `subprocess`. `because` is set where the runner ended it: by a limit,
    or, with `stopped`, because it was asked to.
    """

    exit_code: int
    because: str | None = None
    stopped: bool = False


class Runner(Protocol):
    def start(self, attempt: AttemptId, launch: Launch) -> None:
        """Start the process; `OSError` where the system refuses."""

    def stop(self, attempt: AttemptId, because: str) -> None:
        """Ask the process tree to end; it is killed when the grace is over. Not running: nothing happens."""

    def kill(self) -> None:
        """End every process tree at once; each is still reported."""

    def abandon(self) -> None:
        """End every process tree at once and report nothing any more."""

    def next_deadline(self) -> float | None:
        """The monotonic time at which `keep_time` must be called, None without any."""

    def keep_time(self, now: float) -> None:
        """Apply the limits that are over at the monotonic time `now`."""


OnEnding = Callable[[AttemptId, Ending], None]
