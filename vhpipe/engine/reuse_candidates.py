"""Which earlier result an execution may take: its own first, and each result once in a run.

Work that is equal is not folded within a run: three equal nodes have three results. Source: decisions 58 and 119.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Protocol

from vhpipe.attempt.fingerprints import Fingerprints, Work
from vhpipe.code.step_code import ProjectCode
from vhpipe.plan.model import CodeUses, ExecutionId, ExecutionSpec, Origin, PlannedDeployment
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest
from vhpipe.store.reuse import KnownResult, ReuseEntries


class Executions(Protocol):
    """The executions of the run that looks for results."""

    def status(self, execution: ExecutionId) -> Status:
        """How one of a started node stands."""
        ...

    def is_expected(self, execution: ExecutionId, fingerprint: str) -> bool:
        """Whether that execution will look for a result of this work, and has none yet."""
        ...


class RunExecutions:
    """Those of a plan as its scheduler has them. `refresh` are nodes that look for nothing."""

    def __init__(self, scheduler: Scheduler, fingerprints: Fingerprints, refresh: frozenset[str]) -> None:
        self._scheduler, self._fingerprints = scheduler, fingerprints
        self._looking = {
            node.name
            for node in scheduler.plan.nodes
            if not isinstance(node, PlannedDeployment) and node.reuse and node.name not in refresh
        }

    def status(self, execution: ExecutionId) -> Status:
        return self._scheduler.state.execution(execution).status

    def is_expected(self, execution: ExecutionId, fingerprint: str) -> bool:
        """What a node that has not started will be is not known: it may be equal."""
        if execution.node not in self._looking:
            return False
        node = self._scheduler.state.nodes[execution.node]
        if execution.index >= len(node.executions):
            return node.status is Status.CREATED
        if node.executions[execution.index].status is not Status.QUEUED:
            return False
        work = self._fingerprints.of(self._scheduler.execution_spec(execution))
        return work is not None and work.fingerprint == fingerprint


def results_taken(scheduler: Scheduler) -> Iterator[tuple[Origin, ExecutionId]]:
    """The results that a run was given or has reused so far, and what has them."""
    for node in scheduler.plan.nodes:
        for given in node.given.executions if node.given else ():
            yield given.origin, ExecutionId(node.name, given.index)
    for name, state in scheduler.state.nodes.items():
        for index, each in enumerate(state.executions):
            if each.origin is not None:
                yield each.origin, ExecutionId(name, index)


class ReuseCandidates:
    """The results that are left for the executions of a run; `run` is its number, None for one that is foreseen."""

    def __init__(
        self,
        entries: ReuseEntries,
        fingerprints: Fingerprints,
        executions: Executions,
        taken: Iterable[tuple[Origin, ExecutionId]] = (),
        run: int | None = None,
    ) -> None:
        """`taken` are the results that executions of the run have already."""
        self._entries, self._fingerprints, self._executions, self._run = entries, fingerprints, executions, run
        self._taken = dict(taken)
        self._has_earlier = entries.has_earlier()
        self._earlier: dict[ExecutionId, str | None] = {}
        self._rejected: set[Origin] = set()

    def work(self, spec: ExecutionSpec) -> Work | None:
        """None where it cannot be known what the execution depends on."""
        work = self._fingerprints.of(spec)
        if work is not None and self._has_earlier:
            self._earlier[spec.id] = self._fingerprints.earlier(spec)
        return work

    def find(self, execution: ExecutionId, work: Work, own_only: bool = False) -> KnownResult | None:
        """A result that the execution may take, whether it is intact or not; with `own_only` of its node and index."""
        for each in self._known(execution, work, own_only):
            made_by = each.manifest.attempt.execution
            if self._may_take(execution, each) and (
                made_by == execution or not self._executions.is_expected(made_by, work.fingerprint)
            ):
                return each
        return None

    def _known(self, execution: ExecutionId, work: Work, own_only: bool = False) -> Iterator[KnownResult]:
        """The results of this work; at last those that earlier versions made of all that is as it was."""
        entries = self._entries
        found = (entries.own_candidates if own_only else entries.candidates)(work.fingerprint, execution)
        yield from (each for each in found if self._is_of(work, each.manifest))
        earlier = self._earlier.get(execution)
        if earlier is not None:
            yield from (entries.own_candidates if own_only else entries.candidates)(earlier, execution)

    def is_known(self, execution: ExecutionId, work: Work) -> bool:
        """Whether there is a result of this work at all, whoever may take it."""
        return any(each.origin not in self._rejected for each in self._known(execution, work))

    def take(self, execution: ExecutionId, candidate: KnownResult) -> None:
        """Keep a result for an execution: no other one of this run may take it."""
        self._taken[candidate.origin] = execution

    def pass_over(self, candidate: KnownResult) -> None:
        """A result is damaged: no execution of this run takes it."""
        self._taken.pop(candidate.origin, None)
        self._rejected.add(candidate.origin)

    def reject(self, candidate: KnownResult) -> None:
        """A result is damaged: nobody takes it any more."""
        self.pass_over(candidate)
        self._entries.forget(candidate)

    def lock_name(self, execution: ExecutionId, work: Work) -> str:
        """What who does this work holds. Work that goes by uses is the same if what was used last time is the same."""
        if not work.goes_by_uses:
            return work.fingerprint
        known = next(self._entries.candidates(work.fingerprint, execution), None)
        used = None if known is None else known.manifest.used or None
        code = self._code.at(work.commit)
        digest = code.whole if used is None else code.digest_of_uses(used.uses)
        return sha256(f"{work.fingerprint} {digest}".encode()).hexdigest()

    def _may_take(self, execution: ExecutionId, candidate: KnownResult) -> bool:
        """What this run has made itself is for that execution alone."""
        origin, made_by = candidate.origin, candidate.manifest.attempt.execution
        if origin in self._rejected or (candidate.manifest.run == self._run and made_by != execution):
            return False
        return self._taken.get(origin, execution) == execution

    def _is_of(self, work: Work, manifest: Manifest) -> bool:
        """Whether what the process had used is now what it was then."""
        used: CodeUses | None = manifest.used or None
        if not work.goes_by_uses:
            return used is None
        return used is not None and self._code.at(work.commit).digest_of_uses(used.uses) == used.digest

    @property
    def _code(self) -> ProjectCode:
        assert self._fingerprints.code is not None, "work is known only where the code is"
        return self._fingerprints.code
