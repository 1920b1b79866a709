"""Attempts as processes of this machine, prepared and collected by the engine itself.

Light work is done in the engine's thread, for a hand-over costs more than it; large working copies, inputs and outputs
go to the pool.
"""

import os
from collections.abc import Callable, Sequence

import msgspec

from vhpipe.attempt.attempt_timer import AttemptTimer
from vhpipe.attempt.collect import LIGHT_BYTES, AttemptRemains, collect, remains_of
from vhpipe.attempt.fatal_failures import survivable_start
from vhpipe.attempt.gpu_memory import GpuMemory, gpu_memory_in_use
from vhpipe.attempt.launch import Ending
from vhpipe.attempt.news import AttemptNews, HearNews, ProcessStarted
from vhpipe.attempt.paths import MappingOf, same_paths
from vhpipe.attempt.prepare import AttemptTools, LaunchOf
from vhpipe.attempt.processes import Processes
from vhpipe.attempt.publishing_spool import LOOK_S
from vhpipe.attempt.ready import ReadyAttempt, make_ready, unstarted_report
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.code.copy_pool import CopyPool
from vhpipe.namespaces.starters import Starter
from vhpipe.plan.capabilities import PLAIN_MACHINE
from vhpipe.plan.model import AttemptId
from vhpipe.runners.environments import AwaitedEnvironments
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.schedule import stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.terms import Status
from vhpipe.store.long_work import given_up_when

MeaningOf = Callable[[ReadyAttempt, Ending], Ending]
"""What the end of the process means at a place that is slow to say so and to start; called in a thread of the pool."""


class ProcessRunner:
    """The local place: see `Runner`."""

    capabilities = PLAIN_MACHINE

    def __init__(
        self,
        parts: RunnerParts,
        mapping_of: MappingOf = same_paths,
        launch_of: LaunchOf | None = None,
        starter: Starter | None = None,
        meaning_of: MeaningOf | None = None,
    ) -> None:
        self._parts, self._pool, self._meaning_of = parts, parts.pool, meaning_of
        self._hear: HearNews = parts.hear
        shared = str(parts.folder.shared_path)
        self._tools = AttemptTools(
            parts.run, parts.secrets, parts.store.blobs, shared, mapping_of, launch_of, parts.installers
        )
        self._code = parts.copies()
        self._processes = Processes(
            parts.selector, self._process_ended, parts.grace_s, parts.shares_process, parts.others, parts.clock,
            starter,
        )  # fmt: skip
        self._environments = AwaitedEnvironments(parts, self._tools.environments, self._code_of)
        self._preparing: dict[AttemptId, str | None] = {}
        self._running: dict[AttemptId, ReadyAttempt] = {}
        self._collecting: set[AttemptId] = set()
        self._completing: set[AttemptId] = set()
        self._next_look = 0.0
        self._gpu_memory = GpuMemory(parts.pool, lambda: gpu_memory_in_use(parts.secrets.variables, parts.others))

    @property
    def capacity(self) -> Capacity:
        return this_machine()

    def are_idle(self) -> bool:
        return not self._running and not self._preparing and not self._collecting

    # ── start ────────────────────────────────────────────────────────────────────────────────────

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        for order in orders:
            self._preparing[order.attempt] = None
        for order in orders:
            if not self._environments.delays(order, self._start, self._give_up):
                self._start(order)

    def _start(self, order: AttemptOrder) -> None:
        is_quick = self._meaning_of is None and self._code_of(order).next_is_ready()
        if is_quick and self._is_light(order):
            self._launch(order.attempt, self._made_ready(order, self._timer()))
        else:
            self._start_in_pool(order)

    def _give_up(self, report: stimuli.AttemptReported) -> None:
        self._launch(report.attempt, report)

    def _is_light(self, order: AttemptOrder) -> bool:
        """Whether its inputs are in place before anybody waits for it."""
        return self._tools.input_files.bytes_to_copy(order.execution, self._parts.store.blobs.size_of) <= LIGHT_BYTES

    def _start_in_pool(self, order: AttemptOrder) -> None:
        timer = self._timer()

        def make() -> ReadyAttempt | stimuli.AttemptReported:
            with given_up_when(lambda: self._preparing.get(order.attempt) is not None):
                return self._made_ready(order, timer)

        self._pool.do(make, lambda made: self._launch(order.attempt, made))

    def _timer(self) -> AttemptTimer:
        return AttemptTimer.start(self._processes.clock)

    def _made_ready(self, order: AttemptOrder, timer: AttemptTimer) -> ReadyAttempt | stimuli.AttemptReported:
        parts = self._parts
        code = self._code_of(order)
        return make_ready(parts.spec_of(order), self._tools, parts.folder_of(order), code, self._hear, timer)

    def _code_of(self, order: AttemptOrder | AttemptSpec) -> CopyPool:
        return self._code.at(order.execution.step.commit_id)

    def _launch(self, attempt: AttemptId, made: ReadyAttempt | stimuli.AttemptReported) -> None:
        because = self._preparing.pop(attempt)
        if isinstance(made, stimuli.AttemptReported):
            self._hear(_said(made, because))
        elif because is not None:
            self._hear(unstarted_report(made, self._code_of(made.spec), Status.STOPPED, because))
        else:
            self._spawn(attempt, made)

    def _spawn(self, attempt: AttemptId, ready: ReadyAttempt) -> None:
        try:
            self._processes.start(attempt, ready.prepared.launch)
        except OSError as failure:
            because = survivable_start(failure)
            self._hear(unstarted_report(ready, self._code_of(ready.spec), Status.CRASHED, because))
            return
        self._running[attempt] = ready._replace(timer=ready.timer.process_started())
        self._gpu_memory.watch(attempt, ready.spec.devices)
        self._hear(ProcessStarted(attempt))

    # ── while they run ───────────────────────────────────────────────────────────────────────────

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        if completes:
            self._completing.add(attempt)
        if self._environments.leave(attempt, because):
            return
        if attempt in self._preparing:
            self._preparing[attempt] = because
        else:
            self._processes.stop(attempt, because)

    def kill(self) -> None:
        self._environments.leave_all("killed")
        for attempt, because in self._preparing.items():
            self._preparing[attempt] = because or "killed"
        self._processes.kill()

    def abandon(self) -> None:
        self._hear = _nobody
        self._environments.leave_all("abandoned")
        self._preparing = dict.fromkeys(self._preparing, "abandoned")
        self._running.clear()
        self._processes.abandon()

    def next_deadline(self) -> float | None:
        if not self._running:
            return None
        deadline = self._processes.next_deadline()
        return self._next_look if deadline is None else min(deadline, self._next_look)

    def keep_time(self, now: float) -> None:
        self._processes.keep_time(now)
        self._gpu_memory.keep_time(now)
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            for running in self._running.values():
                running.spool.read()

    # ── end ──────────────────────────────────────────────────────────────────────────────────────

    def _process_ended(self, attempt: AttemptId, ending: Ending) -> None:
        """The process tree of an attempt is dead: find out what that means, and collect what it left."""
        meaning_of, ready = self._meaning_of, self._running[attempt]
        if meaning_of is None:
            self._take_remains(attempt, ending)
        else:
            self._pool.do(lambda: meaning_of(ready, ending), lambda meant: self._take_remains(attempt, meant))

    def _take_remains(self, attempt: AttemptId, ending: Ending) -> None:
        ready = self._running.pop(attempt, None)
        if ready is None:  # abandoned meanwhile
            return
        if ready.spec.devices:
            ending = ending.with_gpu_memory(self._gpu_memory.peak(attempt))
        remains = remains_of(ready, ending, attempt in self._completing)
        if remains.is_light:
            self._hear(collect(ready, remains, self._tools, self._code_of(ready.spec)))
        else:
            self._collect_in_pool(ready, remains)

    def _collect_in_pool(self, ready: ReadyAttempt, remains: AttemptRemains) -> None:
        self._collecting.add(ready.spec.id)
        code = self._code_of(ready.spec)
        self._pool.do(lambda: collect(ready, remains, self._tools, code), self._hear_report)

    def _hear_report(self, report: stimuli.AttemptReported) -> None:
        self._collecting.discard(report.attempt)
        self._hear(report)

    def close(self) -> None:
        self._processes.close()
        self._code.close()


def _said(report: stimuli.AttemptReported, because: str | None) -> stimuli.AttemptReported:
    """The report of an attempt that could not start; one that was given up has the reason for which it was."""
    if because is None or report.outcome is not Status.STOPPED:
        return report
    return msgspec.structs.replace(report, because=because)


def _nobody(news: AttemptNews) -> None:
    """Hears what is of no interest any more."""


def this_machine() -> Capacity:
    """A slot for each core that this process may use; nothing else is counted, for no process is kept to it."""
    return Capacity(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
