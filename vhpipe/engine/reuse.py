"""Reuse: finding work that is done already, and keeping two runs from doing the same at once.

What is found is verified before it is used: damaged blobs are put aside and the work is done again.
"""

from collections.abc import Callable
from typing import NamedTuple

from vhpipe.attempt.fingerprints import Work
from vhpipe.attempt.thread_pool import Pool
from vhpipe.engine.reuse_candidates import Executions, ReuseCandidates
from vhpipe.plan.model import ExecutionId, ExecutionSpec, Origin
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.long_work import given_up_when
from vhpipe.store.manifest import Manifest
from vhpipe.store.reuse import KnownResult, ReuseEntries
from vhpipe.store.run_folder import RunFolder

LIGHT_BYTES = 1 << 20
"""Outputs up to this size together are verified in the engine's thread."""
NOTHING_LIKE_IT = "no equal execution is known"
NOTHING_LEFT = "the results of equal executions belong to others of this run"
NOT_KNOWN = "what it depends on is not known"
REFRESHED = "asked for by --refresh"
BUSY = "an equal execution is under way"


class _LookUp(NamedTuple):
    """An execution that looks for a result; `lock` is held by who does the work."""

    execution: ExecutionId
    work: Work
    lock: str
    because: str = NOTHING_LIKE_IT


class _Hold(NamedTuple):
    """A lock, and the executions of this run that do the work."""

    descriptor: int
    executions: set[ExecutionId]


class Reuse:
    """Reuse for one run. `answer` hears every answer in the engine's thread, later than the question.

    `executions` tells how they stand: nothing is held or awaited for one that will not start any more.
    """

    def __init__(
        self,
        run: RunFolder,
        entries: ReuseEntries,
        blobs: Blobs,
        candidates: ReuseCandidates,
        refresh: frozenset[str],
        pool: Pool,
        answer: Callable[[stimuli.ReuseAnswered], None],
        executions: Executions,
    ) -> None:
        self._run, self._entries, self._blobs, self._candidates = run, entries, blobs, candidates
        self._refresh, self._pool, self._answer, self._executions = refresh, pool, answer, executions
        self._held: dict[str, _Hold] = {}
        self._holding: dict[ExecutionId, str] = {}
        self._awaited: dict[str, dict[ExecutionId, _LookUp]] = {}
        self._verifying: set[ExecutionId] = set()

    # ── looking up ───────────────────────────────────────────────────────────────────────────────

    def look_up(self, spec: ExecutionSpec) -> None:
        """Answer whether the execution has to run. A miss keeps other runs from the same work until it has ended."""
        work = self._candidates.work(spec)
        if work is None:
            self._answer(stimuli.ReuseAnswered(spec.id, "miss", NOT_KNOWN))
        elif spec.id.node in self._refresh:
            self._answer(stimuli.ReuseAnswered(spec.id, "miss", REFRESHED))
        else:
            self._look_up(_LookUp(spec.id, work, self._candidates.lock_name(spec.id, work)))

    def _look_up(self, asked: _LookUp) -> None:
        is_ours = asked.lock in self._held  # then there was nothing left but what belongs to one execution
        found = self._candidates.find(asked.execution, asked.work, own_only=is_ours)
        if found is None:
            self._miss_or_wait(asked)
            return
        self._candidates.take(asked.execution, found)
        if sum(datum.size_bytes for datum in found.manifest.outputs) <= LIGHT_BYTES:
            self._use(asked, found, self._damaged_output(found.manifest))
        else:
            self._verifying.add(asked.execution)
            self._pool.do(
                lambda: self._damaged_output(found.manifest),
                lambda damaged: self._hear_verification(asked, found, damaged),
            )

    def _damaged_output(self, found: Manifest) -> str | None:
        """The name of an output that is missing or has changed.

        All of them are looked at: a damaged blob that stayed would be taken for the one that is made again.
        """
        data = (*found.outputs, *(each.datum for each in found.published if each.datum is not None))
        with given_up_when(lambda: self._pool.is_closed):
            damaged = [datum.name for datum in data if not self._blobs.verify(datum.blob)]
        return damaged[0] if damaged else None

    def _hear_verification(self, asked: _LookUp, found: KnownResult, damaged: str | None) -> None:
        self._verifying.discard(asked.execution)
        if self._is_wanted(asked.execution):
            self._use(asked, found, damaged)
        self._look_again_at(asked.lock)

    def _use(self, asked: _LookUp, candidate: KnownResult, damaged: str | None) -> None:
        """Answer with a result, or look for another one if it is damaged."""
        if damaged is not None:
            self._candidates.reject(candidate)
            self._look_up(asked._replace(because=damaged_text(damaged, candidate.origin)))
            return
        self._stop_waiting(asked)
        found = candidate.manifest
        self._answer(
            stimuli.ReuseAnswered(
                asked.execution, "hit", None, candidate.origin, found.metadata, found.outputs, asked.work.fingerprint,
                found.published, found.use or None,
            )
        )  # fmt: skip

    def _miss_or_wait(self, asked: _LookUp) -> None:
        hold = self._held.get(asked.lock)
        if hold is None:
            lock = self._entries.lock(asked.lock)
            if lock is None:
                self._wait(asked)
                return
            if self._candidates.find(asked.execution, asked.work):  # done between the first look and the lock
                self._entries.unlock(asked.lock, lock)
                self._look_up(asked)
                return
            is_known = self._candidates.is_known(asked.execution, asked.work)
            hold = self._held[asked.lock] = _Hold(lock, set())
        else:
            is_known = True
        self._stop_waiting(asked)
        because = NOTHING_LEFT if is_known and asked.because == NOTHING_LIKE_IT else asked.because
        hold.executions.add(asked.execution)
        self._holding[asked.execution] = asked.lock
        self._answer(stimuli.ReuseAnswered(asked.execution, "miss", because))

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────

    def _wait(self, asked: _LookUp) -> None:
        waiting = self._awaited.setdefault(asked.lock, {})
        is_new = asked.execution not in waiting
        waiting[asked.execution] = asked
        if is_new:
            self._answer(stimuli.ReuseAnswered(asked.execution, "busy", BUSY))

    def _stop_waiting(self, asked: _LookUp) -> None:
        waiting = self._awaited.get(asked.lock, {})
        waiting.pop(asked.execution, None)
        if not waiting:
            self._awaited.pop(asked.lock, None)

    def look_again(self, most: int) -> None:
        """Ask again for what others were doing, as far as `most` more executions may be held."""
        for execution in [each for each in self._holding if not self._is_under_way(each)]:
            self._let_go(execution)
        for lock in tuple(self._awaited):
            if len(self._holding) >= most:
                return
            self._look_again_at(lock, most)

    def _look_again_at(self, lock: str, most: int | None = None) -> None:
        """Ask for those that wait for one piece of work, until one of them has to wait longer."""
        for asked in tuple(self._awaited.get(lock, {}).values()):
            if asked.execution in self._verifying or (most is not None and len(self._holding) >= most):
                return
            if not self._is_wanted(asked.execution):
                self._stop_waiting(asked)
                continue
            self._look_up(asked)
            if asked.execution in self._awaited.get(lock, {}):
                return

    def _is_wanted(self, execution: ExecutionId) -> bool:
        return self._executions.status(execution) is Status.QUEUED

    def _is_under_way(self, execution: ExecutionId) -> bool:
        return self._executions.status(execution) in (Status.QUEUED, Status.STARTED)

    # ── ending ───────────────────────────────────────────────────────────────────────────────────

    def ended(self, report: stimuli.AttemptReported) -> None:
        """An attempt has ended and was recorded: name its result, and let others have the work.

        Work that is about to be tried again stays ours.
        """
        execution = report.attempt.execution
        if report.outcome is Status.COMPLETE and report.fingerprint is not None:
            folder = self._run.attempt_path(report.attempt)
            self._entries.record(report.fingerprint, execution, folder, report.used)
        if not self._is_wanted(execution):
            self._let_go(execution)

    def _let_go(self, execution: ExecutionId) -> None:
        lock = self._holding.pop(execution, None)
        if lock is None:
            return
        hold = self._held[lock]
        hold.executions.discard(execution)
        if not hold.executions:
            del self._held[lock]
            self._entries.unlock(lock, hold.descriptor)
            self._look_again_at(lock)

    def close(self) -> None:
        for lock, hold in self._held.items():
            self._entries.unlock(lock, hold.descriptor)
        self._held.clear()
        self._holding.clear()


def damaged_text(output: str, origin: Origin) -> str:
    return f"output `{output}` of {origin} is missing or damaged"
