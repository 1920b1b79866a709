"""Reuse: finding work that is done already, and keeping two from doing the same at once.

What is found is verified before it is used: a damaged blob is put aside and the work is done again.
"""

from collections.abc import Callable

from vhpipe.engine.fingerprints import Fingerprints
from vhpipe.engine.pool import Pool
from vhpipe.plan.model import ExecutionId, ExecutionSpec, Origin
from vhpipe.schedule.vocabulary import AttemptReported, ReuseAnswered, Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import Manifest
from vhpipe.store.reuse import ReuseEntries
from vhpipe.store.run_folder import RunFolder

LIGHT_BYTES = 1 << 20
"""Outputs up to this size together are verified in the engine's thread."""
NOTHING_LIKE_IT = "no equal execution is known"
BUSY = "an equal execution is under way"


class Reuse:
    """Reuse for one run. `answer` hears every answer in the engine's thread, later than the question."""

    def __init__(
        self,
        run: RunFolder,
        entries: ReuseEntries,
        blobs: Blobs,
        fingerprints: Fingerprints,
        refresh: frozenset[str],
        pool: Pool,
        answer: Callable[[ReuseAnswered], None],
    ) -> None:
        self._run, self._entries, self._blobs, self._fingerprints = run, entries, blobs, fingerprints
        self._refresh, self._pool, self._answer = refresh, pool, answer
        self._held: dict[ExecutionId, tuple[str, int]] = {}
        self._awaited: dict[ExecutionId, str] = {}

    def look_up(self, spec: ExecutionSpec) -> None:
        """Answer whether the execution has to run. A miss keeps all others from the same work until it has ended."""
        fingerprint = self._fingerprints.of(spec)
        if fingerprint is None:
            self._answer(ReuseAnswered(spec.id, "miss", "what it depends on is not known"))
        elif spec.id.node in self._refresh:
            self._answer(ReuseAnswered(spec.id, "miss", "asked for by --refresh"))
        else:
            self._look_up(spec.id, fingerprint)

    def _look_up(self, execution: ExecutionId, fingerprint: str) -> None:
        found = self._entries.find(fingerprint)
        if found is None:
            self._miss_or_wait(execution, fingerprint, NOTHING_LIKE_IT)
        elif sum(datum.size_bytes for datum in found.outputs) <= LIGHT_BYTES:
            self._found(execution, fingerprint, found, self._damaged(found))
        else:
            self._pool.do(
                lambda: self._damaged(found), lambda damaged: self._found(execution, fingerprint, found, damaged)
            )

    def _damaged(self, found: Manifest) -> str | None:
        """The name of an output that is missing or is not what it was; a damaged blob has been put aside."""
        for datum in found.outputs:
            if not self._blobs.verify(datum.blob):
                return datum.name
        return None

    def _found(self, execution: ExecutionId, fingerprint: str, found: Manifest, damaged: str | None) -> None:
        origin = Origin(found.run, found.attempt)
        if damaged is not None:
            self._entries.forget(fingerprint)
            self._miss_or_wait(execution, fingerprint, f"output `{damaged}` of {origin} is missing or damaged")
            return
        self._awaited.pop(execution, None)
        self._answer(
            ReuseAnswered(execution, "hit", None, origin, found.metadata, found.outputs, fingerprint=fingerprint)
        )

    def _miss_or_wait(self, execution: ExecutionId, fingerprint: str, because: str) -> None:
        lock = self._entries.lock(fingerprint)
        if lock is None:
            is_new = execution not in self._awaited
            self._awaited[execution] = fingerprint
            if is_new:
                self._answer(ReuseAnswered(execution, "busy", BUSY))
            return
        if self._entries.find(fingerprint) is not None:  # done between the first look and the lock
            self._entries.unlock(fingerprint, lock)
            self._look_up(execution, fingerprint)
            return
        self._awaited.pop(execution, None)
        self._held[execution] = fingerprint, lock
        self._answer(ReuseAnswered(execution, "miss", because))

    def look_again(self, most: int) -> None:
        """Ask again for what others were doing, as far as `most` more executions may be held."""
        for execution, fingerprint in tuple(self._awaited.items()):
            if len(self._held) >= most:
                return
            self._look_up(execution, fingerprint)

    def ended(self, report: AttemptReported) -> None:
        """An attempt has ended and was recorded: name its result, and let others have the work."""
        execution = report.attempt.execution
        if report.outcome is Status.COMPLETE and report.fingerprint is not None:
            self._entries.record(report.fingerprint, self._run.attempt_folder(report.attempt))
        held = self._held.pop(execution, None)
        if held is not None:
            self._entries.unlock(*held)
            for twin, fingerprint in tuple(self._awaited.items()):
                if fingerprint == held[0]:
                    self._look_up(twin, fingerprint)

    def forget_awaited(self) -> None:
        """Nothing starts any more."""
        self._awaited.clear()

    def close(self) -> None:
        for held in self._held.values():
            self._entries.unlock(*held)
        self._held.clear()


