"""What a dead engine has left at a place: attempts that had ended are found, the others are removed."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from vhpipe.attempt.identifiers import attempt_identifier
from vhpipe.attempt.mounts import is_mounted_for, platform_folders
from vhpipe.attempt.paths import OutsidePath
from vhpipe.attempt.process_tree import kill_marked
from vhpipe.code.working_copies import remove_tree
from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.model import AttemptId, Datum
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.attempt_files import PRIVATE, STEP_FOLDERS
from vhpipe.store.blobs import Blobs
from vhpipe.store.manifest import read_manifest
from vhpipe.store.run_folder import RunFolder

OF_CONTAINERS = ("exchange", "home")
"""Folders of an attempt that runs in a container, beside those of its step."""


class EarlierAttempts(msgspec.Struct, frozen=True):
    """Attempts that had begun and of which no end is recorded; `identifier` is that of their run."""

    attempts: tuple[AttemptId, ...]
    run: RunFolder
    identifier: str
    blobs: Blobs


class Survivors(msgspec.Struct, frozen=True):
    """The reports of attempts that had ended, and the attempts that a place keeps running without an engine.

    What is in neither is lost, and nothing of it runs.
    """

    reports: tuple[stimuli.AttemptReported, ...] = ()
    running: tuple[AttemptId, ...] = ()


def survivors_here(earlier: EarlierAttempts) -> Survivors:
    """On this machine nothing outlives its engine: what still runs is killed, what was left half done is removed."""
    mounts = [
        mount for each in earlier.attempts
        for mount in platform_folders(OutsidePath(str(earlier.run.attempt_folder(each))), OutsidePath(""))
    ]  # fmt: skip
    markers = {f"VH_JOB_ID=exec-{attempt_identifier(earlier.identifier, each)}" for each in earlier.attempts}
    kill_marked(markers, lambda process: any(is_mounted_for(process, mount) for mount in mounts))
    reports = []
    for attempt in earlier.attempts:
        report = _report_left_by(attempt, earlier)
        if report is None:
            _remove_remains(earlier.run.attempt_folder(attempt))
        else:
            reports.append(report)
    return Survivors(tuple(reports))


def survivors_in(tool: str) -> Callable[[EarlierAttempts], Survivors]:
    """What ends the containers that a dead engine has left at a tool, and then does as on the machine itself.

    Errors: EnvironmentFailure where the tool cannot say what is left.
    """

    def survivors(earlier: EarlierAttempts) -> Survivors:
        from vhpipe.runners.container_remains import end_containers_of  # runs with containers only

        end_containers_of(tool, earlier.identifier)
        return survivors_here(earlier)

    return survivors


def _report_left_by(attempt: AttemptId, earlier: EarlierAttempts) -> stimuli.AttemptReported | None:
    """What an attempt reported that nobody heard: its manifest, if that and all it names are intact.

    One that was stopped did not end by itself: it counts as lost.
    """
    read = read_manifest(earlier.run.attempt_folder(attempt))
    if read is None:
        return None
    manifest, digest = read
    is_its_own = (manifest.run, manifest.attempt) == (earlier.run.number, attempt)
    if not is_its_own or manifest.outcome is Status.STOPPED or not _are_intact(manifest.outputs, earlier.blobs):
        return None
    return stimuli.AttemptReported(
        attempt, manifest.outcome, manifest.exit_code, manifest.because, metadata=manifest.metadata,
        outputs=manifest.outputs, manifest=digest, fingerprint=manifest.fingerprint,
        published=manifest.published, used=manifest.used or None, setup_s=manifest.setup_s or 0.0,
        ran_s=None if isinstance(manifest.ran_s, msgspec.UnsetType) else manifest.ran_s, use=manifest.use or None,
    )  # fmt: skip


def _are_intact(outputs: Iterable[Datum], blobs: Blobs) -> bool:
    return all(blobs.verify(blob) for blob in {datum.blob for datum in outputs})


def _remove_remains(folder: Path) -> None:
    """Half-done work goes; the log stays, for it may explain something."""
    for name in (*STEP_FOLDERS, PRIVATE, *OF_CONTAINERS):
        if os.path.lexists(folder / name):
            with suppress(EnvironmentFailure):
                remove_tree(os.fspath(folder / name))
