"""What a run would do, without doing any of it: the scheduler decides as ever, and a world that only looks answers.

Nothing is written, no process is started, no lock is taken, and nothing is fetched over a network.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

import msgspec

from vhpipe.attempt.fingerprints import Fingerprints, Work
from vhpipe.code.large_code import UNWATCHED, SnapshotWatch
from vhpipe.code.snapshot import take_snapshot
from vhpipe.code.sources import project_sources, stored_sources
from vhpipe.code.step_code import ProjectCode
from vhpipe.engine.commits_of_plan import with_commits
from vhpipe.engine.filled_uris import find_files
from vhpipe.engine.input_fetching import local_path
from vhpipe.engine.order import Order, is_closed
from vhpipe.engine.recorded_uris import RecordedUris
from vhpipe.engine.reuse import NOT_KNOWN, NOTHING_LEFT, NOTHING_LIKE_IT, REFRESHED, damaged_text
from vhpipe.engine.reuse_candidates import ReuseCandidates, RunExecutions, results_taken
from vhpipe.engine.run_facts import declared_code
from vhpipe.errors import VhpipeError, from_os_error
from vhpipe.history.provenance import evidence_of
from vhpipe.plan.edges import gets_new_version
from vhpipe.plan.model import (
    CodeUses,
    ExecutionId,
    Origin,
    Plan,
    PlannedDeployment,
    PlannedNode,
    PlannedTask,
)
from vhpipe.plan.provenance import Evidence
from vhpipe.plan.reuse_policy import off_text, reuses
from vhpipe.regular_files import open_to_read
from vhpipe.schedule import effects, stimuli
from vhpipe.schedule.capacity import Capacity
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.terms import Status
from vhpipe.store.manifest import Manifest
from vhpipe.store.project import ProjectStore, reuse_entries
from vhpipe.store.reuse import KnownResult

Action = Literal["run", "reuse", "run or reuse", "given", "skip", "error"]

REUSE_IS_OFF = "reuse is off"

UsedBefore = Callable[[ExecutionId], CodeUses | None]

ALL_AT_ONCE = Capacity(1 << 40)
"""A capacity that keeps nothing waiting: what is looked at takes no slot."""


class PreviewedExecution(msgspec.Struct, frozen=True):
    """What would become of an execution; `index` is None for all of a node, or for a deployment.

    `evidence` is there for what would run or be reused, `found` is a result that reuse would take if it were on.
    """

    node: str
    index: int | None
    action: Action
    because: str | None = None
    origin: Origin | None = None
    evidence: Evidence | None = None
    found: Origin | None = None
    needs_approval: bool = False


def preview(
    order: Order, used_before: UsedBefore = lambda execution: None, watch: SnapshotWatch = UNWATCHED
) -> tuple[PreviewedExecution, ...]:
    """What would become of every node and execution, in the order of the plan. `watch` hears what code is large.

    `used_before` says what the process of a function step used the last time.
    Errors: as of a run that begins, for code or inputs that cannot be read and for a foreign state folder.
    """
    world = _World(order, used_before, watch)
    world.walk()
    return tuple(each for node in order.plan.nodes for each in world.foreseen_of(node))


class HashingKeeper:
    """Tells what bytes are called, as the blob store does, and keeps none."""

    def write(self, content: bytes) -> tuple[str, int]:
        return sha256(content).hexdigest(), len(content)

    def receive(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        digest, size_bytes = sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size_bytes += len(chunk)
        return digest.hexdigest(), size_bytes

    def copy_in(self, path: Path) -> tuple[str, int]:
        try:
            with open_to_read(path) as file:
                return file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
        except OSError as error:
            raise from_os_error(error, "cannot read") from error


class _World:
    def __init__(self, order: Order, used_before: UsedBefore, watch: SnapshotWatch) -> None:
        self._order, self._plan, self._keeper, self._used_before = order, order.plan, HashingKeeper(), used_before
        self._scheduler = Scheduler(_without_limits(order.plan))
        snapshot = order.snapshot or take_snapshot(order.project, self._keeper, order.plan.file, watch)
        snapshot = with_commits(snapshot, order, self._keeper)
        self._store = ProjectStore.open_if_any(order.project)
        stored = None if self._store is None else stored_sources(self._store.blobs.read)
        self._code = ProjectCode(snapshot, declared_code(order.plan), project_sources(order.project, stored))
        fingerprints = Fingerprints(self._code if is_closed(order) else None)
        self._candidates = ReuseCandidates(
            reuse_entries(order.project),
            fingerprints,
            RunExecutions(self._scheduler, fingerprints, order.refresh),
            results_taken(self._scheduler),
        )
        self._foreseen: dict[ExecutionId, PreviewedExecution] = {}
        self._missed: dict[ExecutionId, str] = {}
        self._unfetched: dict[str, str] = {}
        self._approved: set[str] = set()

    def walk(self) -> None:
        start = stimuli.StartRequested(ALL_AT_ONCE)
        pending: deque[effects.Effect] = deque(self._scheduler.handle(start).effects)
        while pending:
            stimulus = self._answer(pending.popleft())
            if stimulus is not None:
                pending.extend(self._scheduler.handle(stimulus).effects)

    def _answer(self, effect: effects.Effect) -> stimuli.Stimulus | None:
        """What the world would say at once; None for what it would say when something has been done."""
        match effect:
            case effects.FetchInputs():
                return self._fetch(effect)
            case effects.LookUpReuse():
                return self._look_up(effect.execution)
            case effects.StartAttempts():
                for attempt in effect.attempts:
                    self._start(attempt.execution)
            case effects.AskApproval():
                self._approved.add(effect.node)
                return stimuli.ApprovalAnswered(effect.node, True, "dry run")
            case _:
                pass
        return None

    # ── what the world answers ───────────────────────────────────────────────────────────────────

    def _fetch(self, effect: effects.FetchInputs) -> stimuli.InputsReported | None:
        uris = RecordedUris(self._order.true_uris)
        try:
            found = {each.key: find_files(each, uris) for each in effect.filled}
            names = dict.fromkeys((*effect.uris, *(file.uri for files in found.values() for file in files)))
            remote = next((uri for uri in names if not uri.startswith("file://")), None)
            if remote is not None:
                self._unfetched[effect.node] = remote
                return None
            paths = {uri: local_path(uris.true_uri(uri)) for uri in names}
            blobs = {uri: self._keeper.copy_in(Path(path))[0] for uri, path in paths.items()}
        except VhpipeError as failure:
            return stimuli.InputsReported(effect.node, because=str(failure))
        return stimuli.InputsReported(effect.node, blobs, found=found)

    def _look_up(self, execution: ExecutionId) -> stimuli.ReuseAnswered:
        """The answer that `Reuse` would give, without taking locks."""
        spec = self._scheduler.execution_spec(execution)
        work = self._candidates.work(spec)
        if work is None or execution.node in self._order.refresh:
            return stimuli.ReuseAnswered(execution, "miss", REFRESHED if work else NOT_KNOWN)
        found, because = self._find(execution, work)
        if found is None:
            self._missed[execution] = because
            return stimuli.ReuseAnswered(execution, "miss", because)
        self._candidates.take(execution, found)
        manifest, origin = found.manifest, found.origin
        evidence = evidence_of(spec, self._code, manifest.used or None)
        self._foreseen[execution] = PreviewedExecution(execution.node, execution.index, "reuse", None, origin, evidence)
        return stimuli.ReuseAnswered(execution, "hit", None, origin, manifest.metadata, manifest.outputs)

    def _find(self, execution: ExecutionId, work: Work) -> tuple[KnownResult | None, str]:
        """A result that is intact, or why there is none."""
        because = NOTHING_LIKE_IT
        while found := self._candidates.find(execution, work):
            damaged = self._damaged_output(found.manifest)
            if damaged is None:
                return found, ""
            because = damaged_text(damaged, found.origin)
            self._candidates.pass_over(found)
        if because == NOTHING_LIKE_IT and self._candidates.is_known(execution, work):
            because = NOTHING_LEFT
        return None, because

    def _damaged_output(self, found: Manifest) -> str | None:
        blobs = self._store.blobs if self._store else None
        intact = {datum.name: blobs is not None and blobs.is_intact(datum.blob) for datum in found.outputs}
        return next((name for name, is_intact in intact.items() if not is_intact), None)

    def _start(self, execution: ExecutionId) -> None:
        """Note what would run, and why."""
        spec = self._scheduler.execution_spec(execution)
        work = self._candidates.work(spec)
        found, because = self._find(execution, work) if work else (None, NOT_KNOWN)
        because = self._missed.get(execution, because)
        used = (found.manifest.used or None) if found else self._used_before(execution)
        evidence = evidence_of(spec, self._code, used)
        if not reuses(self._plan.node(execution.node)):
            because = off_text(self._plan.node(execution.node), REUSE_IS_OFF)
        elif execution.node in self._order.refresh:
            because = REFRESHED
        origin = found.origin if found else None
        self._foreseen[execution] = PreviewedExecution(
            execution.node, execution.index, "run", because, None, evidence, origin
        )

    # ── what became of the nodes ─────────────────────────────────────────────────────────────────

    def foreseen_of(self, node: PlannedNode) -> list[PreviewedExecution]:
        state = self._scheduler.state.nodes[node.name]
        if state.status in (Status.SKIPPED, Status.ERROR) and not state.executions:
            action: Action = "skip" if state.status is Status.SKIPPED else "error"
            return [PreviewedExecution(node.name, None, action, state.because)]
        if isinstance(node, PlannedDeployment):
            return [self._of_deployment(node)]
        if state.executions:
            return [self._of_execution(ExecutionId(node.name, index)) for index in range(len(state.executions))]
        return [self._of_unstarted(node)]

    def _of_deployment(self, node: PlannedDeployment) -> PreviewedExecution:
        if node.given is not None:
            return PreviewedExecution(node.name, None, "given")
        if self._scheduler.state.nodes[node.name].making_deployment:
            return PreviewedExecution(node.name, None, "run", "a version is made each time")
        return PreviewedExecution(node.name, None, "run", self._after(node.name))

    def _of_execution(self, execution: ExecutionId) -> PreviewedExecution:
        foreseen = self._foreseen.get(execution)
        if foreseen is not None:
            return self._with_approval(foreseen)
        state = self._scheduler.state.execution(execution)
        if state.origin is not None:
            return PreviewedExecution(execution.node, execution.index, "given", None, state.origin)
        return PreviewedExecution(execution.node, execution.index, "skip", state.because or "it was not chosen")

    def _of_unstarted(self, node: PlannedNode) -> PreviewedExecution:
        """A node that waits for what would run, or whose inputs are not there to look at."""
        uri = self._unfetched.get(node.name)
        because = f"depends on {uri}, which is not fetched in a dry run" if uri else self._after(node.name)
        action: Action = "run or reuse" if self._may_find_a_result(node) else "run"
        return self._with_approval(PreviewedExecution(node.name, None, action, because))

    def _may_find_a_result(self, node: PlannedNode) -> bool:
        """Whether its work may turn out to be that of an earlier run, or of one that is under way."""
        if not reuses(node) or node.name in self._order.refresh or not is_closed(self._order):
            return False
        return self._is_anything_known and not gets_new_version(self._plan, node.name)

    @cached_property
    def _is_anything_known(self) -> bool:
        """Whether any earlier run has left a result, or a run is under way that may."""
        if self._store is None:
            return False
        return bool(self._store.reuse.fingerprints()) or any(run.is_alive() for run in self._store.runs())

    def _after(self, name: str) -> str:
        state = self._scheduler.state
        sources = dict.fromkeys(edge.source for edge in self._plan.edges_into(name))
        waits_for = [f"`{each}`" for each in sources if state.nodes[each].status is not Status.COMPLETE]
        return f"after {' and '.join(waits_for)}" if waits_for else "what it gets is decided when it starts"

    def _with_approval(self, foreseen: PreviewedExecution) -> PreviewedExecution:
        if foreseen.node not in self._approved:
            return foreseen
        return msgspec.structs.replace(foreseen, needs_approval=True)


def _without_limits(plan: Plan) -> Plan:
    """The plan without limits on how many executions of a task run at once: in a preview none ever ends."""
    nodes = tuple(
        msgspec.structs.replace(node, maximum_queued_executions=None) if isinstance(node, PlannedTask) else node
        for node in plan.nodes
    )
    return msgspec.structs.replace(plan, nodes=nodes)
