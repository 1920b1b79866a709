"""Attempts as processes of this machine: own session, limits on the entire tree, output read as it comes.

Everything happens in the thread that owns the selector: a process costs two pipes and a pidfd there, and no thread.
"""

import errno
import os
import selectors
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress

from vhpipe.attempt.confinement import Confinements
from vhpipe.attempt.core_shares import CoreShares, started_on
from vhpipe.attempt.launch import Ending, Launch, OnEnding, Stream, Usage
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.process_tree import (
    descendants_of,
    kill_remains,
    kill_younger_marked,
    signal_all,
)
from vhpipe.attempt.running_clock import RunningClock
from vhpipe.attempt.usage import usage_of
from vhpipe.namespaces.inherited_signals import IGNORED_BY_PYTHON
from vhpipe.namespaces.starters import Starter, StartRequest
from vhpipe.plan.model import AttemptId

GRACE_S = 10.0
"""Between TERM and KILL. Source: decision 27."""
DRAIN_S = 2.0
"""How long output is awaited after the end of a process whose pipe something else still holds."""
READ_SIZE = 1 << 16


class Processes:
    """The processes of all attempts that run now. `start` raises `OSError` where the system refuses.

    With `shares_process` this process has other threads and children, which are not its business. `others` are those
    of this program, to which its own are added: several places of a run must not take each other's for orphans.
    `starter` starts what has mounts, and belongs to whoever made it.
    """

    def __init__(
        self, selector: selectors.BaseSelector, on_ending: OnEnding, grace_s: float = GRACE_S,
        shares_process: bool = False,
        others: OwnChildren | None = None,
        clock: RunningClock | None = None,
        starter: Starter | None = None,
    ) -> None:  # fmt: skip
        self.clock = clock or RunningClock()
        self.shares_process = shares_process
        self.others = others or OwnChildren()
        self.starter = starter
        self.selector = selector
        self._on_ending = on_ending
        self._grace_s = grace_s
        self.confinements = Confinements()
        self.cores = CoreShares()
        self._running: dict[AttemptId, _Process] = {}
        self._devnull = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        _keep_descriptors_to_ourselves()

    def start(self, attempt: AttemptId, launch: Launch) -> None:
        self._running[attempt] = _Process(self, attempt, launch, (self._devnull, self._here))

    def stop(self, attempt: AttemptId, because: str) -> None:
        """Ask a process tree to end; it is killed when the grace is over. Not running: nothing happens."""
        process = self._running.get(attempt)
        if process is not None:
            process.stop(because, self._grace_s, stopped=True)

    def kill(self) -> None:
        """End every process tree at once; each is still reported."""
        for process in tuple(self._running.values()):
            process.kill()

    def abandon(self) -> None:
        """End every process tree at once and report nothing any more."""
        for process in self._running.values():
            process.abandon()
        self._running.clear()

    def close(self) -> None:
        """Give the descriptors back, when no process runs any more."""
        self.confinements.close()
        os.close(self._devnull)
        os.close(self._here)

    def next_deadline(self) -> float | None:
        """The monotonic time at which `keep_time` must be called, None without any."""
        deadlines = (process.deadline() for process in self._running.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def keep_time(self, now: float) -> None:
        """Apply the limits that are over at the monotonic time `now`."""
        for process in tuple(self._running.values()):
            process.keep_time(now, self._grace_s)

    def ended(self, attempt: AttemptId, ending: Ending) -> None:
        del self._running[attempt]
        self._on_ending(attempt, ending)


class _Process:
    """One running attempt."""

    def __init__(self, owner: Processes, attempt: AttemptId, launch: Launch, places: tuple[int, int]) -> None:
        self._confinement = owner.confinements.of(launch)
        self._owner, self._attempt, self._launch, self._clock = owner, attempt, self._confinement.launch, owner.clock
        self._starter = owner.starter if self._launch.mounts else None
        limit = self._launch.cpu_limit
        self._cores = owner.cores.take(limit) if limit is not None else frozenset()
        self._pipes: dict[int, Stream] = {}
        self._because: str | None = None
        self._stopped = False
        self._exit_code: int | None = None
        self._usage: Usage | None = None
        self._kill_at: float | None = None
        self._drain_until: float | None = None
        self._spawn(*places)
        self._started = self._heard = self._clock.monotonic()

    def _spawn(self, devnull: int, here: int) -> None:
        output, output_end = os.pipe2(os.O_CLOEXEC)
        errors, errors_end = os.pipe2(os.O_CLOEXEC)
        try:
            ends = (devnull, output_end, errors_end)
            self.pid = started_on(self._cores, lambda: self._process_with(ends, here))
        except BaseException:
            self._confinement.end()
            self._owner.cores.give_back(self._cores)
            os.close(output)
            os.close(errors)
            raise
        finally:
            os.close(output_end)
            os.close(errors_end)
        self._owner.others.processes.add(self.pid)
        self._pidfd = os.pidfd_open(self.pid)
        self._listen(output, "o")
        self._listen(errors, "e")
        self._owner.selector.register(self._pidfd, selectors.EVENT_READ, self._leader_ended)

    def _process_with(self, ends: tuple[int, int, int], here: int) -> int:
        """The process id of the attempt's process, whose standard streams are `ends`."""
        launch, starter = self._launch, self._starter
        if starter is not None and starter.leader_waits:
            return starter.start(_start_request(launch, ends)._replace(outside=launch.entering))
        if launch.entering:
            launch = launch._replace(argv=(*launch.entering, *launch.argv))
        if starter is not None:
            return starter.start(_start_request(launch, ends))
        streams = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in enumerate(ends)]
        return (_spawn_by_shell if self._owner.shares_process else _spawned)(launch, streams, here)

    def _listen(self, pipe: int, stream: Stream) -> None:
        os.set_blocking(pipe, False)
        self._pipes[pipe] = stream
        self._owner.selector.register(pipe, selectors.EVENT_READ, lambda: self._read_pipe(pipe))

    def _read_pipe(self, pipe: int) -> None:
        """Take one helping, so that no flood of output keeps the other attempts waiting."""
        if pipe not in self._pipes:
            return
        try:
            content = os.read(pipe, READ_SIZE)
        except BlockingIOError:
            return
        if content:
            self._heard = self._clock.monotonic()
            self._launch.sink.write(self._pipes[pipe], content)
        else:
            self._forget(pipe)
            self._finish_if_over()

    def _forget(self, pipe: int) -> None:
        self._owner.selector.unregister(pipe)
        os.close(pipe)
        del self._pipes[pipe]

    def _leader_ended(self) -> None:
        self._owner.selector.unregister(self._pidfd)
        if self._owner.shares_process:
            kill_younger_marked(self.pid, self._launch.marker, self._launch.is_seen_by)
        else:
            with self._owner.others.lock:
                kill_remains(self.pid, self._launch.marker, self._owner.others.processes, self._launch.is_seen_by)
        self._note_end()
        self._owner.others.processes.discard(self.pid)
        os.close(self._pidfd)
        self._drain_until = self._clock.monotonic() + DRAIN_S
        for pipe in tuple(self._pipes):
            self._read_pipe(pipe)
            self._read_pipe(pipe)
        self._finish_if_over()

    def _note_end(self) -> None:
        """How the leader ended, and what it used; where nobody knows that, the attempt failed for it."""
        ended = os.wait4(self.pid, 0)[1:] if self._starter is None else self._starter.wait(self.pid)
        if ended is None:
            self._because = self._because or "how it ended is not known: the process that had started it was killed"
            self._exit_code = -signal.SIGKILL
            return
        self._exit_code = os.waitstatus_to_exitcode(ended[0])
        self._usage = self._confinement.usage(usage_of(ended[1]))

    def _finish_if_over(self) -> None:
        if self._exit_code is None or self._pipes or self._drain_until is None:
            return
        self._drain_until = None
        self._owner.cores.give_back(self._cores)
        self._launch.sink.close()
        ran_out_of = self._confinement.end()
        self._owner.ended(self._attempt, Ending(self._exit_code, self._because, self._stopped, self._usage, ran_out_of))

    def stop(self, because: str, grace_s: float, stopped: bool) -> None:
        if self._exit_code is not None or self._because is not None:
            return
        self._because, self._stopped = because, stopped
        self._kill_at = self._clock.monotonic() + grace_s
        self._ask_to_end()

    def _ask_to_end(self) -> None:
        """A leader that only waits for the step's process has to outlive it, to say how it ended."""
        below = descendants_of(self.pid) if self._starter is not None and self._starter.leader_waits else []
        if below:
            signal_all(below, signal.SIGTERM)
        else:
            self._launch.signal(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self._exit_code is None:
            self._launch.signal(self.pid, signal.SIGKILL)

    def abandon(self) -> None:
        """Kill, and hear nothing any more."""
        self.kill()
        for pipe in tuple(self._pipes):
            self._forget(pipe)
        if self._exit_code is None:
            self._owner.others.processes.discard(self.pid)
            self._owner.selector.unregister(self._pidfd)
            os.close(self._pidfd)

    def deadline(self) -> float | None:
        return min((moment for moment, _ in self._moments() if moment is not None), default=None)

    def _moments(self) -> tuple[tuple[float | None, str], ...]:
        if self._exit_code is not None:
            return ((self._drain_until, "drain"),)
        if self._because is not None:
            return ((self._kill_at, "kill"),)
        limit, silence = self._launch.time_limit_s, self._launch.no_output_timeout_s
        return (
            (None if limit is None else self._started + limit, f"time-limit of {limit:g} s reached" if limit else ""),
            (None if silence is None else self._heard + silence, f"no output for {silence:g} s" if silence else ""),
        )

    def keep_time(self, now: float, grace_s: float) -> None:
        for moment, what in self._moments():
            if moment is None or now < moment:
                continue
            if what == "drain":
                for pipe in tuple(self._pipes):
                    self._forget(pipe)
                self._finish_if_over()
            elif what == "kill":
                self._kill_at = None
                self._launch.signal(self.pid, signal.SIGKILL)
            else:
                self.stop(what, grace_s, stopped=False)
            return


def _start_request(launch: Launch, ends: tuple[int, int, int]) -> StartRequest:
    program = _program(launch.argv[0], launch.environment)
    return StartRequest(launch.mounts, launch.cwd, program, launch.argv, launch.environment, ends)


def _spawned(launch: Launch, streams: list[tuple[int, int, int]], here: int) -> int:
    """The process id of a new process in a session of its own.

    `posix_spawn` costs half of what `subprocess.Popen` does, but starts where its caller stands: so this thread goes
    there for the moment, and back `here`. All other threads must use absolute paths.
    """
    program = _program(launch.argv[0], launch.environment)
    os.chdir(launch.cwd)
    try:
        return os.posix_spawn(
            program, launch.argv, launch.environment, file_actions=streams, setsid=True, setsigdef=IGNORED_BY_PYTHON
        )
    finally:
        os.fchdir(here)


def _spawn_by_shell(launch: Launch, streams: list[tuple[int, int, int]], here: int) -> int:
    """The process id of one that a shell becomes, which goes to the folder first: other threads use relative paths."""
    words = ("sh", "-c", 'cd "$0" && exec "$@"', launch.cwd, *launch.argv)
    return os.posix_spawn(
        "/bin/sh", words, launch.environment, file_actions=streams, setsid=True, setsigdef=IGNORED_BY_PYTHON
    )


def _program(name: str, environment: Mapping[str, str]) -> str:
    """The path of a program; one without a slash is looked for along the PATH of the process that is to be."""
    if "/" in name:
        return name
    found = shutil.which(name, path=environment.get("PATH", os.defpath))
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return found


def _keep_descriptors_to_ourselves() -> None:
    """What this process was started with beyond the standard streams is not for its children."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists them is closed by now
            if int(name) > 2:
                os.set_inheritable(int(name), False)
