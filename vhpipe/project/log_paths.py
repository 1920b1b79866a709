"""The paths below `/valohai` that the end of a log names, and where the host has them."""

from contextlib import suppress
from functools import cached_property
from pathlib import Path

from vhpipe.attempt.host_paths import HostFolders, NamedPath, named_paths
from vhpipe.attempt.recorded_variables import has_platform_folders, kept_variables
from vhpipe.errors import VhpipeError
from vhpipe.plan.model import AttemptId
from vhpipe.project.kept_code import commit_of
from vhpipe.project.logs import CHUNK_BYTES, FAILURE_LINES, last_lines
from vhpipe.store.attempt_files import LOG, REPOSITORY
from vhpipe.store.run_folder import RunFolder, RunInfo
from vhpipe.store.snapshots import load_snapshot
from vhpipe.views.run_text import RunDetails


class LogPaths:
    """Those of the attempts of one run, each read when it is asked for."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._code: dict[str, dict[str, str]] = {}

    def of_failure(self, attempt: AttemptId) -> tuple[NamedPath, ...]:
        """Those that the last lines name: the lines that are shown of a failure."""
        return self.in_log_of(attempt, FAILURE_LINES)

    def in_log_of(self, attempt: AttemptId, lines: int = CHUNK_BYTES) -> tuple[NamedPath, ...]:
        """Those in the end of a log; none where its step saw the paths of the host, or nothing is left of it."""
        folder = self._run.attempt_folder(attempt)
        with suppress(OSError):
            if has_platform_folders(kept_variables(folder) or {}):
                hosts = self._folders_of(folder, attempt.execution.node)
                return named_paths("\n".join(last_lines(folder / LOG, lines)), hosts)
        return ()

    def _folders_of(self, folder: Path, node: str) -> HostFolders:
        project = str(self._run.project)
        if self._works_in_place:
            return HostFolders(str(folder), project)
        return HostFolders(str(folder), str(folder / REPOSITORY), project, lambda path: self._code_of(node).get(path))

    @cached_property
    def _works_in_place(self) -> bool:
        with suppress(VhpipeError):
            return self._run.info().repository == "in-place"
        return False

    def _code_of(self, node: str) -> dict[str, str]:
        """The sha256 of the files that a node runs, by their paths."""
        if node not in self._code:
            self._code[node] = {}
            with suppress(VhpipeError):
                snapshot = load_snapshot(self._run.path).of(commit_of(self._run, node))
                self._code[node] = {entry.path: entry.blob for entry in snapshot.entries if entry.link is None}
        return self._code[node]


def details_of(run: RunFolder, info: RunInfo) -> RunDetails:
    """What a run's folder and record say beside its events."""

    def log_path(attempt: AttemptId) -> str:
        return str(run.log_path(attempt))

    return RunDetails(log_path, LogPaths(run).of_failure, info.unusual_place_of)
