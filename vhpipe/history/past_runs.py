"""The runs of a project as far as they came, read from what is kept of them: nothing is written, no lock is taken."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path

from vhpipe.code.sources import stored_sources
from vhpipe.code.step_code import ProjectCode
from vhpipe.engine.run_facts import declared_code
from vhpipe.errors import EnvironmentFailure
from vhpipe.history.provenance import evidence_of
from vhpipe.plan.model import AttemptId, CodeUses, ExecutionId, Plan
from vhpipe.plan.provenance import Evidence
from vhpipe.schedule import events
from vhpipe.schedule.scheduler import Scheduler
from vhpipe.schedule.state import ExecutionState, RunState
from vhpipe.store.blobs import Blobs
from vhpipe.store.journal import read_journal
from vhpipe.store.manifest import read_manifest
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.snapshots import load_snapshot


class PastRun:
    """One run as far as it came. Errors: EnvironmentFailure where its plan or journal cannot be read."""

    def __init__(self, folder: RunFolder) -> None:
        self.number = folder.number
        self.plan: Plan = folder.plan()
        self._folder = folder
        self._records = read_journal(folder.journal_path)
        self.state = RunState.of(self.plan)
        for recorded in self._records:
            self.state.apply(recorded.event)

    @cached_property
    def info(self) -> RunInfo:
        return self._folder.info()

    def execution(self, execution: ExecutionId) -> ExecutionState | None:
        """How the execution stands; None if its node never started it."""
        node = self.state.nodes.get(execution.node)
        if node is None or execution.index >= len(node.executions):
            return None
        return node.executions[execution.index]

    def is_given(self, execution: ExecutionId) -> bool:
        """Whether the plan already had its result."""
        given = self.plan.node(execution.node).given
        return given is not None and any(each.index == execution.index for each in given.executions)

    def evidence(self, execution: ExecutionId, used: CodeUses | None = None) -> Evidence | None:
        """What the execution stood on; None where no command could have its values. `used` is what its process used."""
        return evidence_of(self._scheduler.execution_spec(execution), self._code, used)

    def used(self, execution: ExecutionId) -> CodeUses | None:
        """What the process of a function step has used of the code; None where that is not kept."""
        state = self.execution(execution)
        attempt = AttemptId(execution, state.attempt if state else 0)
        read = read_manifest(self._folder.attempt_path(attempt))
        return None if read is None else read[0].used or None

    def took_s(self, execution: ExecutionId) -> float | None:
        """Seconds of the last attempt that ended; None if none did here."""
        return self._durations.get(execution)

    @cached_property
    def _scheduler(self) -> Scheduler:
        return Scheduler(self.plan, self._records)

    @cached_property
    def _durations(self) -> dict[ExecutionId, float]:
        started: dict[ExecutionId, float] = {}
        took: dict[ExecutionId, float] = {}
        for recorded in self._records:
            event = recorded.event
            if isinstance(event, events.AttemptStarted):
                started[event.attempt.execution] = recorded.at
            elif isinstance(event, events.AttemptEnded) and event.attempt.execution in started:
                wall_s = max(0.0, recorded.at - started[event.attempt.execution])
                took[event.attempt.execution] = wall_s if event.ran_s is None else event.ran_s
        return took

    @cached_property
    def _code(self) -> ProjectCode:
        blobs = Blobs(self._folder.root / "blobs")
        return ProjectCode(load_snapshot(self._folder.path), declared_code(self.plan), stored_sources(blobs.read))


class PastRuns:
    """The runs of a project, each read when it is needed, and the last eight of them kept in memory."""

    def __init__(self, store: ProjectStore | None) -> None:
        """Without a store there are none."""
        self.store = store
        self._folders = {folder.number: folder for folder in (store.runs() if store else ())}
        self._read = lru_cache(maxsize=8)(self._readable)

    @classmethod
    def of_project(cls, project: Path) -> "PastRuns":
        """Those of the project in a folder, which may have had none yet."""
        return cls(ProjectStore.open_if_any(project))

    def run(self, number: int) -> PastRun | None:
        """None for one that is not there, or cannot be read: of another version, or without a plan."""
        return self._read(number)

    def of_pipeline(self, pipeline: str, is_pipeline: bool = True) -> Iterator[PastRun]:
        """The runs of one pipeline that can be read, the newest first.

        `is_pipeline` is False for runs of a single step or task, which `pipeline` then names.
        """
        numbers = self._numbers(sorted(self._folders, reverse=True), pipeline, is_pipeline, is_same=True)
        yield from (run for run in map(self.run, numbers) if run is not None)

    def before(
        self, execution: ExecutionId, pipeline: str, is_pipeline: bool, number: int | None = None
    ) -> PastRun | None:
        """The last run, older than `number`, that has started the execution; runs of the same pipeline go first."""
        older = [each for each in sorted(self._folders, reverse=True) if number is None or each < number]
        for is_same in (True, False):
            for each in self._numbers(older, pipeline, is_pipeline, is_same):
                run = self.run(each)
                if run is not None and run.execution(execution) is not None:
                    return run
        return None

    def maker(self, run: PastRun, execution: ExecutionId) -> tuple[PastRun, ExecutionId]:
        """Where the result of the execution was made, if that can be read; else what was asked for."""
        state = run.execution(execution)
        if state is None or state.origin is None:
            return run, execution
        maker = self.run(state.origin.run)
        made = state.origin.attempt.execution
        return (maker, made) if maker is not None and maker.execution(made) is not None else (run, execution)

    def evidence(self, run: PastRun, execution: ExecutionId) -> Evidence | None:
        """What the result stood on; None where that cannot be read any more."""
        maker, made = self.maker(run, execution) if run.is_given(execution) else (run, execution)
        try:
            return maker.evidence(made, self.used(run, execution))
        except EnvironmentFailure:
            return None

    def used(self, run: PastRun, execution: ExecutionId) -> CodeUses | None:
        """What the process that made the result has used of the code; None where that is not kept."""
        maker, made = self.maker(run, execution)
        return maker.used(made)

    def _numbers(self, numbers: list[int], pipeline: str, is_pipeline: bool, is_same: bool) -> Iterator[int]:
        """Those of the numbers whose runs are of this pipeline, or of another one."""
        for number in numbers:
            try:
                info = self._folders[number].info()
            except EnvironmentFailure:
                continue
            if ((info.pipeline, info.is_pipeline) == (pipeline, is_pipeline)) is is_same:
                yield number

    def _readable(self, number: int) -> PastRun | None:
        folder = self._folders.get(number)
        if folder is None:
            return None
        try:
            return PastRun(folder)
        except EnvironmentFailure:
            return None
