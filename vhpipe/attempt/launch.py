"""One process to start, where its output goes, and how it ended."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from vhpipe.attempt.paths import InsidePath
from vhpipe.attempt.process_tree import signal_tree
from vhpipe.plan.model import AttemptId

Stream = Literal["o", "e"]
"""Standard output or standard error."""


class OutputSink(Protocol):
    """Where the bytes of an attempt go while it runs."""

    def write(self, stream: Stream, content: bytes) -> None: ...

    def close(self) -> None: ...


class Launch(NamedTuple):
    """One process to start. Limits in seconds; `marker` is an environment entry `NAME=value` no other attempt has.

    `signal` sends a signal to all that belongs to a process that was started so.
    """

    argv: tuple[str, ...]
    cwd: InsidePath
    environment: Mapping[str, str]
    marker: str
    sink: OutputSink
    time_limit_s: float | None = None
    no_output_timeout_s: float | None = None
    signal: Callable[[int, int], None] = signal_tree


class Ending(NamedTuple):
    """How a process ended: nothing of its process tree is alive any more.

    `exit_code` is negative for a signal, as in `subprocess`. `because` is set where this program ended it: by a limit,
    or, with `stopped`, because it was asked to.
    """

    exit_code: int
    because: str | None = None
    stopped: bool = False


OnEnding = Callable[[AttemptId, Ending], None]
