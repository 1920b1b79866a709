"""The paths below `/valohai` that the end of a log names, and where the host has them."""

from contextlib import suppress
from functools import cached_property
from pathlib import Path

from vhpipe.attempt.host_paths import HostFolders, NamedPath, named_paths
from vhpipe.attempt.recorded_variables import has_platform_folders, kept_variables
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import AttemptId
from vhpipe.project.logs import CHUNK_BYTES, FAILURE_LINES, last_lines
from vhpipe.store.attempt_files import LOG, REPOSITORY
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.snapshots import load_snapshot
from vhpipe.views.run_text import RunDetails


class LogPaths:
    """Those of the attempts of one run, each read when it is asked for."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run

    def of_failure(self, attempt: AttemptId) -> tuple[NamedPath, ...]:
        """Those that the last lines name: the lines that are shown of a failure."""
        return self.in_log_of(self._run.attempt_folder(attempt), FAILURE_LINES)

    def in_log_of(self, folder: Path, lines: int = CHUNK_BYTES) -> tuple[NamedPath, ...]:
        """Those of the attempt in a folder; none where its step saw the paths of the host, or nothing is left of it."""
        with suppress(OSError):
            if has_platform_folders(kept_variables(folder) or {}):
                return named_paths("\n".join(last_lines(folder / LOG, lines)), self._folders_of(folder))
        return ()

    def _folders_of(self, folder: Path) -> HostFolders:
        project = str(self._run.project)
        if self._works_in_place:
            return HostFolders(str(folder), project)
        return HostFolders(str(folder), str(folder / REPOSITORY), project, lambda path: self._code.get(path))

    @cached_property
    def _works_in_place(self) -> bool:
        with suppress(VhpipeError):
            return self._run.info().repository == "in-place"
        return False

    @cached_property
    def _code(self) -> dict[str, str]:
        with suppress(VhpipeError):
            return {entry.path: entry.blob for entry in load_snapshot(self._run.path).entries if entry.link is None}
        return {}


def details_of(run: RunFolder, info: RunInfo) -> RunDetails:
    """What a run's folder and record say beside its events."""

    def log_path(attempt: AttemptId) -> str:
        return str(run.log_path(attempt))

    return RunDetails(log_path, LogPaths(run).of_failure, info.unusual_place_of)
