"""Attempts from their start to their report: workspace and working copy, process, collection.

Light work is done in the engine's thread, for a hand-over costs more than it; fetching, large working copies and large
outputs go to a pool of threads. Every way ends in one `AttemptReported`.
"""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from vhpipe.engine.collect import FoundOutput, UnacceptableOutputError, found_outputs, kept_outputs, outcome_of
from vhpipe.engine.copies import Copies, WorkingCopy
from vhpipe.engine.output import AttemptOutput
from vhpipe.engine.working_copy import remove_tree
from vhpipe.engine.workspace import CannotPrepareError, Workspaces
from vhpipe.errors import VhpipeError, from_os_error
from vhpipe.plan.model import AttemptId, Datum, ExecutionSpec
from vhpipe.runners.protocol import Ending, Launch, Runner
from vhpipe.schedule.vocabulary import AttemptReported, Status
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import Manifest, write_manifest
from vhpipe.store.run_folder import RunFolder

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Made = TypeVar("Made")

LIGHT_BYTES = 8 << 20
"""Outputs up to this size together are hashed in the engine's thread."""
KEPT_FAILED_COPIES = 3
"""Working copies of failed executions kept per node. Source: decision 24."""
FATAL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""What no other execution would survive either: the run ends with an environment failure."""


class Prepared(NamedTuple):
    launch: Launch
    copy: WorkingCopy


class Attempts:
    """The attempts of one run that are under way.

    `hand_over` runs a callable in the engine's thread; `on_report` gets the end of every attempt there;
    `on_failure` what ends the whole run.
    """

    def __init__(
        self,
        run: RunFolder,
        blobs: Blobs,
        workspaces: Workspaces,
        copies: Copies,
        hand_over: Callable[[Callable[[], None]], None],
        on_report: Callable[[AttemptReported], None],
        on_failure: Callable[[VhpipeError], None],
    ) -> None:
        self._run, self._blobs, self._workspaces, self._copies = run, blobs, workspaces, copies
        self._hand_over, self._on_report, self._on_failure = hand_over, on_report, on_failure
        self._pool: ThreadPoolExecutor | None = None
        self._prepared: dict[AttemptId, Prepared] = {}
        self._preparing: dict[AttemptId, str | None] = {}
        self._failed_copies: dict[str, list[Path]] = {}
        self.runner: Runner | None = None

    # ── start ────────────────────────────────────────────────────────────────────────────────────

    def start(self, attempt: AttemptId, spec: ExecutionSpec) -> None:
        self._preparing[attempt] = None
        if self._is_light(spec):
            self._launch(attempt, self._prepare(attempt, spec))
        else:
            self.in_pool(lambda: self._prepare(attempt, spec), lambda made: self._launch(attempt, made))

    def stop(self, attempt: AttemptId, because: str) -> None:
        if attempt in self._preparing:
            self._preparing[attempt] = because
        elif self.runner is not None:
            self.runner.stop(attempt, because)

    def _is_light(self, spec: ExecutionSpec) -> bool:
        from_outside = any(file.uri for _, files in spec.inputs for file in files)
        return self._copies.next_is_ready() and not from_outside

    def _prepare(self, attempt: AttemptId, spec: ExecutionSpec) -> Prepared | AttemptReported:
        """The workspace, or the report of an attempt that cannot start."""
        copy = None
        try:
            copy = self._copies.take()
            return Prepared(self._workspaces.prepare(spec, attempt, str(copy.path)), copy)
        except CannotPrepareError as problem:
            report = AttemptReported(attempt, Status.ERROR, because=str(problem), final=True)
        except (VhpipeError, OSError, ValueError) as failure:
            _refuse_fatal(failure)
            report = AttemptReported(attempt, Status.CRASHED, because=_text(failure))
        if copy is not None:
            self._copies.give_back(copy)
        return report

    def _launch(self, attempt: AttemptId, made: Prepared | AttemptReported) -> None:
        because = self._preparing.pop(attempt)
        if isinstance(made, AttemptReported):
            self._on_report(made)
            return
        self._prepared[attempt] = made
        if because is not None:
            self._report_unstarted(attempt, Status.STOPPED, because)
            return
        assert self.runner is not None, "the engine sets the runner before it starts anything"
        try:
            self.runner.start(attempt, made.launch)
        except OSError as failure:
            _refuse_fatal(failure)
            self._report_unstarted(attempt, Status.CRASHED, _text(failure))

    def _report_unstarted(self, attempt: AttemptId, outcome: Status, because: str) -> None:
        self._copies.give_back(self._prepared.pop(attempt).copy)
        self._on_report(AttemptReported(attempt, outcome, because=because))

    # ── end ──────────────────────────────────────────────────────────────────────────────────────

    def ended(self, attempt: AttemptId, ending: Ending) -> None:
        """The process tree of an attempt is dead: collect what it left."""
        outcome, because = outcome_of(ending.exit_code, ending.because, ending.stopped)
        folder = self._run.attempt_folder(attempt)
        try:
            found = found_outputs(f"{folder}/outputs")
        except UnacceptableOutputError as problem:
            found, outcome, because = (), Status.ERROR, because or str(problem)
        except OSError as failure:
            _refuse_fatal(failure)
            found, outcome, because = (), Status.CRASHED, because or _text(failure)
        verdict = _Verdict(attempt, outcome, because, ending.exit_code)
        if sum(each.size_bytes for each in found) <= LIGHT_BYTES:
            self._on_report(self._collect(verdict, folder, found))
        else:
            self.in_pool(lambda: self._collect(verdict, folder, found), self._on_report)

    def _collect(self, verdict: "_Verdict", folder: Path, found: tuple[FoundOutput, ...]) -> AttemptReported:
        """Commit the outputs: blobs first, then the manifest."""
        attempt, outcome, because, exit_code = verdict
        launch, copy = self._prepared.pop(attempt)
        assert isinstance(launch.sink, AttemptOutput)
        outputs: tuple[Datum, ...] = ()
        try:
            outputs = kept_outputs(found, self._blobs)
        except (VhpipeError, OSError) as failure:
            _refuse_fatal(failure)
            outcome, because = Status.CRASHED, because or _text(failure)
        damage = self._release(attempt, copy, failed=outcome is Status.ERROR)
        if damage is not None:
            outcome, because = Status.ERROR, because or damage
        metadata = launch.sink.metadata
        digest = write_manifest(folder, Manifest(attempt, outcome, exit_code, because, metadata, outputs))
        return AttemptReported(
            attempt, outcome, exit_code, because,
            metadata=metadata, outputs=outputs, manifest=digest, warnings=launch.sink.warnings,
        )  # fmt: skip

    def _release(self, attempt: AttemptId, copy: WorkingCopy, failed: bool) -> str | None:
        """Put the working copy back, or keep it with its failed execution; what the step did that it must not do."""
        try:
            if failed:
                self._copies.keep(copy, self._failed_copy(attempt))
            else:
                self._copies.give_back(copy)
        except (VhpipeError, OSError) as failure:
            _refuse_fatal(failure)
            return _text(failure)
        return None

    def _failed_copy(self, attempt: AttemptId) -> Path:
        """Where the copy of a failed execution goes; of a node the last three are kept."""
        kept = self._failed_copies.setdefault(attempt.execution.node, [])
        kept.append(self._run.attempt_folder(attempt) / "repository")
        if len(kept) > KEPT_FAILED_COPIES:
            remove_tree(str(kept.pop(0)))
        return kept[-1]

    # ── threads ──────────────────────────────────────────────────────────────────────────────────

    def in_pool(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """Do `work` in a thread of the pool and hand its result to `then` in the engine's thread."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # many runs are over before it is needed

            self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="attempt")
        self._pool.submit(self._work, work, then)

    def _work(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """Runs in the pool; what comes of it is handed over to the engine's thread."""
        try:
            made = work()
        except VhpipeError as failure:
            self._hand_over(partial(self._on_failure, failure))
        except OSError as failure:
            self._hand_over(partial(self._on_failure, from_os_error(failure, "cannot run")))
        except BaseException as bug:
            self._hand_over(partial(_raise, bug))
        else:
            self._hand_over(partial(then, made))

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._copies.close()


def _raise(bug: BaseException) -> None:
    raise bug


class _Verdict(NamedTuple):
    attempt: AttemptId
    outcome: Status
    because: str | None
    exit_code: int | None


def _refuse_fatal(failure: Exception) -> None:
    """Raise what no other execution would survive either."""
    cause = failure if isinstance(failure, OSError) else failure.__cause__
    if isinstance(cause, OSError) and cause.errno in FATAL_ERRNOS:
        raise failure if isinstance(failure, VhpipeError) else from_os_error(cause, "cannot write")


def _text(failure: Exception) -> str:
    return str(from_os_error(failure, "cannot run")) if isinstance(failure, OSError) else str(failure)
