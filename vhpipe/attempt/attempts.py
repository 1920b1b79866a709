"""Attempts from their start to their report: workspace and working copy, process, collection.

Light work is done in the engine's thread, for a hand-over costs more than it; large working copies and large outputs go
to the pool. Every way ends in one `AttemptReported`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vhpipe.attempt.collect import FoundOutput, UnacceptableOutputError, found_outputs, kept_outputs, outcome_of
from vhpipe.attempt.fatal_failures import survivable
from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.masking import masked_outputs
from vhpipe.attempt.output_files import AttemptOutput
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.publishing_spool import SpoolContent, Spools, kept_things
from vhpipe.attempt.thread_pool import Pool
from vhpipe.attempt.workspace import Workspace, Workspaces
from vhpipe.code.copy_pool import CopyPool, HeldCopy
from vhpipe.code.working_copies import remove_tree
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import AttemptId, Datum, ExecutionSpec, PublishedThing
from vhpipe.runners.protocol import Ending, Runner
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import Manifest, write_manifest
from vhpipe.store.run_folder import RunFolder

LIGHT_BYTES = 8 << 20
"""Outputs up to this size together are hashed in the engine's thread."""
KEPT_FAILED_COPIES = 3
"""Working copies of failed executions kept per node. Source: decision 24."""


class PreparedAttempt(NamedTuple):
    workspace: Workspace
    copy: HeldCopy
    fingerprint: str | None


class AttemptResults(NamedTuple):
    """What an attempt leaves, safe in the blob store, and what is to be said of it."""

    outputs: tuple[Datum, ...] = ()
    published: tuple[PublishedThing, ...] = ()
    warnings: tuple[str, ...] = ()


class EndedAttempt(NamedTuple):
    """An attempt whose process is dead, on its way to its report."""

    attempt: AttemptId
    outcome: Status
    because: str | None
    exit_code: int | None

    def spoiled(self, outcome: Status, because: str) -> "EndedAttempt":
        """The same with what was found afterwards; an attempt that is not complete keeps its own reason."""
        return self._replace(outcome=outcome, because=because) if self.outcome is Status.COMPLETE else self


class Attempts:
    """The attempts of one run that are under way. `on_report` hears the end of each in the engine's thread."""

    def __init__(
        self,
        run: RunFolder,
        blobs: Blobs,
        workspaces: Workspaces,
        copies: CopyPool,
        fingerprints: Fingerprints,
        pool: Pool,
        spools: Spools,
        on_report: Callable[[stimuli.AttemptReported], None],
    ) -> None:
        self._run, self._blobs, self._workspaces, self._copies = run, blobs, workspaces, copies
        self._fingerprints, self._pool, self._on_report = fingerprints, pool, on_report
        self._masking, self._spools = workspaces.masking, spools
        self._prepared: dict[AttemptId, PreparedAttempt] = {}
        self._preparing: dict[AttemptId, str | None] = {}
        self._completing: set[AttemptId] = set()
        self._failed_copies: dict[str, list[Path]] = {}
        self.runner: Runner | None = None

    def are_idle(self) -> bool:
        """Whether none is under way."""
        return not self._prepared and not self._preparing

    # ── start ────────────────────────────────────────────────────────────────────────────────────

    def start(self, attempt: AttemptId, spec: ExecutionSpec) -> None:
        self._preparing[attempt] = None
        if self._copies.next_is_ready():
            self._launch(attempt, self._prepare(attempt, spec))
        else:
            self._pool.do(lambda: self._prepare(attempt, spec), lambda made: self._launch(attempt, made))

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        """Have an attempt end; with `completes` it counts as complete then."""
        if completes:
            self._completing.add(attempt)
        if attempt in self._preparing:
            self._preparing[attempt] = because
        elif self.runner is not None:
            self.runner.stop(attempt, because)

    def _prepare(self, attempt: AttemptId, spec: ExecutionSpec) -> PreparedAttempt | stimuli.AttemptReported:
        """The workspace, or the report of an attempt that cannot start."""
        copy = None
        try:
            copy = self._copies.take()
            workspace = self._workspaces.prepare(spec, attempt, str(copy.path))
            return PreparedAttempt(
                workspace, copy, self._fingerprints.of(spec, None if spec.deferred else workspace.command)
            )
        except CannotPrepareError as problem:
            report = stimuli.AttemptReported(
                attempt, Status.ERROR, because=self._masking.text(str(problem)), final=True
            )
        except (VhpipeError, OSError, ValueError) as failure:
            report = stimuli.AttemptReported(attempt, Status.CRASHED, because=survivable(failure, "cannot prepare"))
        if copy is not None:
            self._copies.give_back(copy)
        return report

    def _launch(self, attempt: AttemptId, made: PreparedAttempt | stimuli.AttemptReported) -> None:
        because = self._preparing.pop(attempt)
        if isinstance(made, stimuli.AttemptReported):
            self._on_report(made)
            return
        self._prepared[attempt] = made
        if because is not None:
            self._report_unstarted(attempt, Status.STOPPED, because)
            return
        assert self.runner is not None, "the engine sets the runner before it starts anything"
        self._spools.open(attempt)
        try:
            self.runner.start(attempt, made.workspace.launch)
        except OSError as failure:
            self._report_unstarted(attempt, Status.CRASHED, survivable(failure, "cannot start"))

    def _report_unstarted(self, attempt: AttemptId, outcome: Status, because: str) -> None:
        self._spools.close(attempt)
        self._copies.give_back(self._prepared.pop(attempt).copy)
        self._on_report(stimuli.AttemptReported(attempt, outcome, because=because))

    # ── end ──────────────────────────────────────────────────────────────────────────────────────

    def ended(self, attempt: AttemptId, ending: Ending) -> None:
        """The process tree of an attempt is dead: collect what it left."""
        outcome, because = outcome_of(ending.exit_code, ending.because, ending.stopped)
        if outcome is Status.STOPPED and attempt in self._completing:
            outcome = Status.COMPLETE
        ended, found = self._found(EndedAttempt(attempt, outcome, because, ending.exit_code))
        spooled = self._spools.close(attempt)
        if sum(each.size_bytes for each in found) + spooled.size_bytes <= LIGHT_BYTES:
            self._on_report(self._collected(ended, found, spooled))
        else:
            self._pool.do(lambda: self._collected(ended, found, spooled), self._on_report)

    def _found(self, ended: EndedAttempt) -> tuple[EndedAttempt, tuple[FoundOutput, ...]]:
        try:
            return ended, found_outputs(f"{self._run.attempt_path(ended.attempt)}/outputs")
        except UnacceptableOutputError as problem:
            return ended.spoiled(Status.ERROR, str(problem)), ()
        except OSError as failure:
            return ended.spoiled(Status.CRASHED, survivable(failure, "cannot read the outputs")), ()

    def _collected(
        self, ended: EndedAttempt, found: tuple[FoundOutput, ...], spooled: SpoolContent
    ) -> stimuli.AttemptReported:
        """Commit the outputs: blobs first, then the manifest."""
        workspace, copy, fingerprint = self._prepared.pop(ended.attempt)
        made = AttemptResults()
        try:
            outputs = masked_outputs(self._masking, kept_outputs(found, self._blobs))
            made = AttemptResults(outputs, *kept_things(spooled, self._blobs))
        except (VhpipeError, OSError) as failure:
            ended = ended.spoiled(Status.CRASHED, survivable(failure, "cannot keep the outputs"))
        changed = self._workspaces.first_changed_input(workspace.inputs)
        if changed is not None:
            ended = ended.spoiled(Status.ERROR, f"the step wrote into its input `{changed}`; inputs are read-only")
        if workspace.output.failure is not None:
            ended = ended.spoiled(Status.CRASHED, workspace.output.failure)
        ended = self._released(ended, copy)
        if ended.outcome is not Status.COMPLETE:
            fingerprint = None
        return self._committed(ended, workspace.output, made, fingerprint)

    def _committed(
        self, ended: EndedAttempt, sink: AttemptOutput, made: AttemptResults, fingerprint: str | None
    ) -> stimuli.AttemptReported:
        attempt, outcome, because, exit_code = ended
        because = because and self._masking.text(because)
        manifest = Manifest(
            attempt, outcome, exit_code, because, sink.metadata, made.outputs, self._run.number, fingerprint,
            made.published,
        )  # fmt: skip
        try:
            digest = write_manifest(self._run.attempt_path(attempt), manifest)
        except VhpipeError as failure:
            because = because or survivable(failure, "cannot write the manifest")
            return stimuli.AttemptReported(attempt, Status.CRASHED, exit_code, because, metadata=sink.metadata)
        return stimuli.AttemptReported(
            attempt=attempt,
            outcome=outcome,
            exit_code=exit_code,
            because=because,
            metadata=sink.metadata,
            outputs=made.outputs,
            manifest=digest,
            fingerprint=fingerprint,
            warnings=(*sink.warnings, *made.warnings),
            published=made.published,
        )

    def _released(self, ended: EndedAttempt, copy: HeldCopy) -> EndedAttempt:
        """Put the working copy back, or keep it with its failed execution; say what the step did to it."""
        try:
            if ended.outcome is Status.ERROR:
                self._copies.keep(copy, self._failed_copy(ended.attempt))
            else:
                self._copies.give_back(copy)
        except (VhpipeError, OSError) as failure:
            return ended.spoiled(Status.ERROR, survivable(failure, "cannot restore the working copy"))
        return ended

    def _failed_copy(self, attempt: AttemptId) -> Path:
        """Where the copy of a failed execution goes; of a node the last three are kept."""
        kept = self._failed_copies.setdefault(attempt.execution.node, [])
        kept.append(self._run.attempt_folder(attempt) / "repository")
        if len(kept) > KEPT_FAILED_COPIES:
            remove_tree(str(kept.pop(0)))
        return kept[-1]

    def close(self) -> None:
        self._copies.close()
