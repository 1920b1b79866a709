"""One process to start, where its output goes, and how it ended."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from vhpipe.attempt.mounts import BindMount, is_mounted_for
from vhpipe.attempt.paths import InsidePath, OutsidePath
from vhpipe.attempt.process_tree import signal_tree
from vhpipe.plan.agent_controls import CpuLimit
from vhpipe.plan.model import AttemptId

Stream = Literal["o", "e"]
"""Standard output or standard error."""


class OutputSink(Protocol):
    """Where the bytes of an attempt go while it runs."""

    def write(self, stream: Stream, content: bytes) -> None: ...

    def close(self) -> None: ...


class Limits(NamedTuple):
    """What a process tree may use: bytes of memory, and cores of CPU time (1.5 is one and a half)."""

    memory_bytes: int | None = None
    cores: float | None = None


NO_LIMITS = Limits()


class Launch(NamedTuple):
    """One process to start. Times are seconds; `marker` is an environment entry `NAME=value` no other attempt has.

    With `mounts` it sees a tree of files in which these are in their places, else that of this process. `signal` sends
    a signal to all that belongs to a process that was started so. `entering` are words of a program that keeps the
    process to its limits and then becomes what follows them. `reads` are folders of the host that the process finds at
    the same path, beside those of its attempt; what is in them is shared, so it must not write there.
    """

    argv: tuple[str, ...]
    cwd: InsidePath
    environment: Mapping[str, str]
    marker: str
    sink: OutputSink
    time_limit_s: float | None = None
    no_output_timeout_s: float | None = None
    cpu_limit: CpuLimit | None = None
    limits: Limits = NO_LIMITS
    mounts: tuple[BindMount, ...] = ()
    signal: Callable[[int, int], None] = signal_tree
    entering: tuple[str, ...] = ()
    reads: tuple[OutsidePath, ...] = ()

    def is_seen_by(self, process: int) -> bool:
        """Whether a process has folders of this attempt where its step has them, and nobody else."""
        return any(is_mounted_for(process, mount) for mount in self.mounts)


class Usage(NamedTuple):
    """What a process tree has used: seconds of CPU time, and the most bytes of memory at once, also of its GPUs.

    The memory is that of its largest process, or of all together where they have a control group; None if not known.
    """

    cpu_s: float
    peak_memory: int | None = None
    peak_gpu_memory: int | None = None


class Ending(NamedTuple):
    """How a process ended: nothing of its process tree is alive any more.

    `exit_code` is negative for a signal, as in `subprocess`. `because` is set where this program ended it: by a limit,
    or, with `stopped`, because it was asked to. `usage` is None where the place cannot tell. `memory_exceeded` are the
    bytes that were not enough, where a process was killed for that.
    """

    exit_code: int
    because: str | None = None
    stopped: bool = False
    usage: Usage | None = None
    memory_exceeded: int | None = None

    def with_gpu_memory(self, peak: int | None) -> "Ending":
        """This ending with the most bytes of memory that its GPUs had in use."""
        return self if self.usage is None else self._replace(usage=self.usage._replace(peak_gpu_memory=peak))


OnEnding = Callable[[AttemptId, Ending], None]
