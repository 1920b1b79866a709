"""Reuse: finding work that is done already, and keeping two from doing the same at once.

What is found is verified before it is used: damaged blobs are put aside and the work is done again.
"""

from collections.abc import Callable

from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.thread_pool import Pool
from vhpipe.plan.model import ExecutionId, ExecutionSpec, Origin
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import Manifest
from vhpipe.store.reuse import ReuseEntries
from vhpipe.store.run_folder import RunFolder

LIGHT_BYTES = 1 << 20
"""Outputs up to this size together are verified in the engine's thread."""
NOTHING_LIKE_IT = "no equal execution is known"
NOT_KNOWN = "what it depends on is not known"
REFRESHED = "asked for by --refresh"
BUSY = "an equal execution is under way"


class Reuse:
    """Reuse for one run. `answer` hears every answer in the engine's thread, later than the question.

    `status_of` tells how an execution stands: nothing is held or awaited for one that will not start any more.
    """

    def __init__(
        self,
        run: RunFolder,
        entries: ReuseEntries,
        blobs: Blobs,
        fingerprints: Fingerprints,
        refresh: frozenset[str],
        pool: Pool,
        answer: Callable[[stimuli.ReuseAnswered], None],
        status_of: Callable[[ExecutionId], Status],
    ) -> None:
        self._run, self._entries, self._blobs, self._fingerprints = run, entries, blobs, fingerprints
        self._refresh, self._pool, self._answer, self._status_of = refresh, pool, answer, status_of
        self._held: dict[ExecutionId, tuple[str, int]] = {}
        self._awaited: dict[str, dict[ExecutionId, None]] = {}
        self._verifying: set[ExecutionId] = set()

    # ── looking up ───────────────────────────────────────────────────────────────────────────────

    def look_up(self, spec: ExecutionSpec) -> None:
        """Answer whether the execution has to run. A miss keeps all others from the same work until it has ended."""
        fingerprint = self._fingerprints.of(spec)
        if fingerprint is None:
            self._answer(stimuli.ReuseAnswered(spec.id, "miss", NOT_KNOWN))
        elif spec.id.node in self._refresh:
            self._answer(stimuli.ReuseAnswered(spec.id, "miss", REFRESHED))
        else:
            self._look_up(spec.id, fingerprint)

    def _look_up(self, execution: ExecutionId, fingerprint: str) -> None:
        found = self._entries.find(fingerprint)
        if found is None:
            self._miss_or_wait(execution, fingerprint, NOTHING_LIKE_IT)
        elif sum(datum.size_bytes for datum in found.outputs) <= LIGHT_BYTES:
            self._found(execution, fingerprint, found, self._damaged(found))
        else:
            self._verifying.add(execution)
            self._pool.do(
                lambda: self._damaged(found), lambda damaged: self._verified(execution, fingerprint, found, damaged)
            )

    def _damaged(self, found: Manifest) -> str | None:
        """The name of an output that is missing or has changed.

        All of them are looked at: a damaged blob that stayed would be taken for the one that is made again.
        """
        data = (*found.outputs, *(each.datum for each in found.published if each.datum is not None))
        damaged = [datum.name for datum in data if not self._blobs.verify(datum.blob)]
        return damaged[0] if damaged else None

    def _verified(self, execution: ExecutionId, fingerprint: str, found: Manifest, damaged: str | None) -> None:
        self._verifying.discard(execution)
        if self._is_wanted(execution):
            self._found(execution, fingerprint, found, damaged)
        self._look_again_at(fingerprint)

    def _found(self, execution: ExecutionId, fingerprint: str, found: Manifest, damaged: str | None) -> None:
        origin = Origin(found.run, found.attempt)
        if damaged is not None:
            if self._entries.find(fingerprint) == found:
                self._entries.forget(fingerprint)
            self._miss_or_wait(execution, fingerprint, damaged_text(damaged, origin))
            return
        self._stop_waiting(execution, fingerprint)
        self._answer(
            stimuli.ReuseAnswered(
                execution, "hit", None, origin, found.metadata, found.outputs, fingerprint, found.published
            )
        )

    def _miss_or_wait(self, execution: ExecutionId, fingerprint: str, because: str) -> None:
        is_ours = any(held == fingerprint for held, _ in self._held.values())
        lock = None if is_ours else self._entries.lock(fingerprint)
        if lock is None:
            self._wait(execution, fingerprint)
        elif self._entries.find(fingerprint) is not None:  # done between the first look and the lock
            self._entries.unlock(fingerprint, lock)
            self._look_up(execution, fingerprint)
        else:
            self._stop_waiting(execution, fingerprint)
            self._held[execution] = fingerprint, lock
            self._answer(stimuli.ReuseAnswered(execution, "miss", because))

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────

    def _wait(self, execution: ExecutionId, fingerprint: str) -> None:
        waiting = self._awaited.setdefault(fingerprint, {})
        if execution not in waiting:
            waiting[execution] = None
            self._answer(stimuli.ReuseAnswered(execution, "busy", BUSY))

    def _stop_waiting(self, execution: ExecutionId, fingerprint: str) -> None:
        waiting = self._awaited.get(fingerprint, {})
        waiting.pop(execution, None)
        if not waiting:
            self._awaited.pop(fingerprint, None)

    def look_again(self, most: int) -> None:
        """Ask again for what others were doing, as far as `most` more executions may be held."""
        for execution in [each for each in self._held if not self._is_under_way(each)]:
            self._let_go(execution)
        for fingerprint in tuple(self._awaited):
            if len(self._held) >= most:
                return
            self._look_again_at(fingerprint)

    def _look_again_at(self, fingerprint: str) -> None:
        """Ask for those that wait for one result, until one of them has to wait longer."""
        for execution in tuple(self._awaited.get(fingerprint, ())):
            if execution in self._verifying:
                return
            if not self._is_wanted(execution):
                self._stop_waiting(execution, fingerprint)
                continue
            self._look_up(execution, fingerprint)
            if execution in self._awaited.get(fingerprint, {}):
                return

    def _is_wanted(self, execution: ExecutionId) -> bool:
        return self._status_of(execution) is Status.QUEUED

    def _is_under_way(self, execution: ExecutionId) -> bool:
        return self._status_of(execution) in (Status.QUEUED, Status.STARTED)

    # ── ending ───────────────────────────────────────────────────────────────────────────────────

    def ended(self, report: stimuli.AttemptReported) -> None:
        """An attempt has ended and was recorded: name its result, and let others have the work.

        Work that is about to be tried again stays ours.
        """
        execution = report.attempt.execution
        if report.outcome is Status.COMPLETE and report.fingerprint is not None:
            self._entries.record(report.fingerprint, self._run.attempt_path(report.attempt))
        if not self._is_wanted(execution):
            self._let_go(execution)

    def _let_go(self, execution: ExecutionId) -> None:
        held = self._held.pop(execution, None)
        if held is not None:
            self._entries.unlock(*held)
            self._look_again_at(held[0])

    def close(self) -> None:
        for held in self._held.values():
            self._entries.unlock(*held)
        self._held.clear()


def damaged_text(output: str, origin: Origin) -> str:
    return f"output `{output}` of {origin} is missing or damaged"
