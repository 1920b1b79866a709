"""Collecting an attempt whose process tree is dead: outputs become blobs, a manifest says so, and a report is made."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from vhpipe.attempt.fatal_failures import survivable
from vhpipe.attempt.fingerprints import Fingerprints
from vhpipe.attempt.found_outputs import OutputsFound, UnacceptableOutputError, found_outputs
from vhpipe.attempt.launch import Ending
from vhpipe.attempt.masking import masked_outputs
from vhpipe.attempt.outputs import kept_outputs, outcome_of
from vhpipe.attempt.prepare import AttemptTools
from vhpipe.attempt.publishing_spool import SpoolContent, kept_things
from vhpipe.attempt.ready import ReadyAttempt
from vhpipe.attempt.recorded_variables import has_platform_folders
from vhpipe.attempt.storage import CodeCopies
from vhpipe.environments.layer import remove_layer
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import CodeUses, Datum, PublishedThing, ResourceUse
from vhpipe.platform_paths import VALOHAI
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.attempt_files import LOG, OUTPUTS, REPOSITORY
from vhpipe.store.long_work import GivenUpError
from vhpipe.store.manifest import Manifest, write_manifest

if TYPE_CHECKING:
    from vhpipe.attempt.host_paths import HostFolders

LIGHT_BYTES = 8 << 20
"""Outputs up to this size together are hashed at once by a thread that has other work too."""

NOT_STORED = "outputs are not stored, for the run was asked to end at once: they are in"


class AttemptEnd(NamedTuple):
    """How an attempt has ended, as far as is known by now."""

    outcome: Status
    because: str | None
    exit_code: int | None
    ran_s: float
    use: ResourceUse | None = None

    def spoiled(self, outcome: Status, because: str) -> "AttemptEnd":
        """Its end with what was found afterwards; an attempt that is not complete keeps its own reason."""
        return self._replace(outcome=outcome, because=because) if self.outcome is Status.COMPLETE else self


class AttemptRemains(NamedTuple):
    """What a dead process tree has left: found, and not kept yet."""

    end: AttemptEnd
    outputs: OutputsFound
    spooled: SpoolContent

    @property
    def is_light(self) -> bool:
        return sum(each.size_bytes for each in self.outputs.files) + self.spooled.size_bytes <= LIGHT_BYTES


class KeptResults(NamedTuple):
    """What is safe in the blob store, and what is to be said of it."""

    outputs: tuple[Datum, ...] = ()
    published: tuple[PublishedThing, ...] = ()
    warnings: tuple[str, ...] = ()


def remains_of(attempt: ReadyAttempt, ending: Ending, completes: bool) -> AttemptRemains:
    """What is there of an attempt whose process tree is dead.

    With `completes` an attempt that was asked to stop counts as complete.
    Errors: `VhpipeError` for what no other attempt would survive either.
    """
    outcome, because = outcome_of(ending.exit_code, _why_ended(ending), ending.stopped)
    if completes and outcome is Status.STOPPED:
        outcome = Status.COMPLETE
    if outcome is Status.ERROR and ending.because is None and ending.exit_code > 0:
        from vhpipe.attempt.log_end import StepWorld, reason_in_log  # failures only

        launch, hosts = attempt.prepared.launch, _host_folders(attempt)
        image = attempt.spec.execution.step.image if hosts is not None and not launch.mounts else None
        world = StepWorld(launch.environment, hosts, image)
        reason = reason_in_log(f"{attempt.folder}/{LOG}", world)
        because = f"{because}: {reason}" if reason else because
    use = None if ending.usage is None else ResourceUse(*ending.usage)
    end = AttemptEnd(outcome, because, ending.exit_code, attempt.timer.ran_s, use)
    found = OutputsFound()
    try:
        found = found_outputs(f"{attempt.folder}/{OUTPUTS}", attempt.prepared.launch.mounts)
    except UnacceptableOutputError as problem:
        end = end.spoiled(Status.ERROR, str(problem))
    except OSError as failure:
        end = end.spoiled(Status.CRASHED, survivable(failure, "cannot read the outputs"))
    return AttemptRemains(end, found, attempt.spool.close())


def _why_ended(ending: Ending) -> str | None:
    """Why this program or the system ended it; a command that did without what was killed has not failed by that."""
    if ending.because is not None or ending.memory_exceeded is None or ending.exit_code == 0:
        return ending.because
    most = ending.memory_exceeded >> 20
    return f"killed, for it used more than {most} MB of memory: raise `resources.memory.max` of the step"


def collect(
    attempt: ReadyAttempt, remains: AttemptRemains, tools: AttemptTools, code: CodeCopies
) -> stimuli.AttemptReported:
    """The report of an attempt whose results are safe: blobs first, then the manifest in its folder.

    Its working copy goes back to `code`. Errors: `VhpipeError` for what no other attempt would survive either.
    """
    end, made, output = remains.end, KeptResults(), attempt.prepared.output
    masked = tools.masking.text
    try:
        kept = kept_outputs(remains.outputs, tools.blobs)
        made = KeptResults(masked_outputs(tools.masking, kept.data), warnings=tuple(map(masked, kept.warnings)))
        published, warnings = kept_things(remains.spooled, tools.blobs)
        made = made._replace(published=published, warnings=(*made.warnings, *warnings))
    except GivenUpError:
        where = f"{NOT_STORED} {attempt.folder}/{OUTPUTS}"
        if end.outcome is not Status.COMPLETE:  # else it is the reason of its end
            made = made._replace(warnings=(*made.warnings, masked(where)))
        end = end.spoiled(Status.STOPPED, where)
    except (VhpipeError, OSError) as failure:
        end = end.spoiled(Status.CRASHED, survivable(failure, "cannot store the outputs"))
    end, warnings = _judge_inputs(attempt, end, tools)
    made = made._replace(warnings=(*made.warnings, *warnings))
    if output.failure is not None:
        end = end.spoiled(Status.CRASHED, output.failure)
    end = _release(attempt, end, code)
    remove_layer(attempt.folder)
    return _commit(attempt, end, made, tools, code)


def _judge_inputs(attempt: ReadyAttempt, end: AttemptEnd, tools: AttemptTools) -> tuple[AttemptEnd, tuple[str, ...]]:
    """What the step did to its inputs may spoil its end; and what is to be warned of."""
    try:
        verdict = tools.input_files.judge(attempt.prepared.inputs, attempt.prepared.starts_ns)
    except GivenUpError as given_up:
        return end.spoiled(Status.STOPPED, given_up.message), ()
    except OSError as failure:
        return end.spoiled(Status.CRASHED, survivable(failure, "cannot look at the inputs")), ()
    if verdict.spoiled is not None:
        end = end.spoiled(Status.ERROR, verdict.spoiled)
    return end, verdict.warnings


def _release(attempt: ReadyAttempt, end: AttemptEnd, code: CodeCopies) -> AttemptEnd:
    """Put the working copy back, or keep it with its failed execution; say what the step did to it."""
    try:
        if end.outcome is Status.ERROR:
            code.keep(attempt.copy, Path(f"{attempt.folder}/{REPOSITORY}"), attempt.spec.execution.id.node)
        else:
            code.give_back(attempt.copy)
    except (VhpipeError, OSError) as failure:
        return end.spoiled(Status.ERROR, survivable(failure, "cannot restore the working copy"))
    return end


def _commit(
    attempt: ReadyAttempt, end: AttemptEnd, made: KeptResults, tools: AttemptTools, code: CodeCopies
) -> stimuli.AttemptReported:
    spec, sink = attempt.spec, attempt.prepared.output
    because = end.because and _on_host(attempt, tools.masking.text(end.because))
    work = attempt.prepared.work if end.outcome is Status.COMPLETE else None
    fingerprint = work.fingerprint if work else None
    used = _used(attempt, tools.fingerprints(code.snapshot)) if work and work.goes_by_uses else None
    manifest = Manifest(
        spec.id, end.outcome, end.exit_code, because, sink.metadata, made.outputs, spec.run.number, fingerprint,
        made.published, used=used or msgspec.UNSET, setup_s=attempt.timer.setup_s, ran_s=end.ran_s,
        use=end.use or msgspec.UNSET,
    )  # fmt: skip
    try:
        digest = write_manifest(attempt.folder, manifest)
    except VhpipeError as failure:
        because = because or survivable(failure, "cannot write the manifest")
        return stimuli.AttemptReported(
            spec.id, Status.CRASHED, end.exit_code, because, metadata=sink.metadata, setup_s=attempt.timer.setup_s,
            ran_s=end.ran_s, use=end.use,
        )  # fmt: skip
    return stimuli.AttemptReported(
        attempt=spec.id,
        outcome=end.outcome,
        exit_code=end.exit_code,
        because=because,
        metadata=sink.metadata,
        outputs=made.outputs,
        manifest=digest,
        fingerprint=fingerprint,
        warnings=tuple(_on_host(attempt, text) for text in (*sink.warnings, *made.warnings)),
        published=made.published,
        setup_s=attempt.timer.setup_s,
        ran_s=end.ran_s,
        used=used,
        use=end.use,
    )


def _on_host(attempt: ReadyAttempt, text: str) -> str:
    """What is said of an attempt, with paths that the user has: where its step had `/valohai`, those of the host."""
    hosts = _host_folders(attempt) if VALOHAI in text else None
    if hosts is None:
        return text
    from vhpipe.attempt.host_paths import with_host_paths

    return with_host_paths(text, hosts)


def _host_folders(attempt: ReadyAttempt) -> "HostFolders | None":
    """Where the host has what the step saw below `/valohai`, None if it saw the host's paths; code where it is now."""
    if not has_platform_folders(attempt.prepared.launch.environment):
        return None
    from vhpipe.attempt.host_paths import HostFolders

    kept = f"{attempt.folder}/{REPOSITORY}"
    return HostFolders(attempt.folder, kept if os.path.isdir(kept) else os.fspath(attempt.copy.path))


def _used(attempt: ReadyAttempt, fingerprints: Fingerprints) -> CodeUses | None:
    from vhpipe.attempt.code_used import code_used  # function steps only

    return code_used(attempt.folder, fingerprints, attempt.spec.execution.step.commit_id)
