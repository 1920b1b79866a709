"""Attempts as processes of this machine that have `/valohai`, each its own; plain processes where that is refused."""

import os

from vhpipe.attempt.mounts import BindMount, Writable, own_folders, platform_folders
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.paths import OutsidePath, PlatformPaths, is_hidden
from vhpipe.errors import EnvironmentFailure
from vhpipe.namespaces.starters import Starter, starter_by
from vhpipe.namespaces.trial import tried_here
from vhpipe.plan.capabilities import Capabilities
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import ProcessRunner

LOCAL_MACHINE = Capabilities(paths_inside=True)


class LocalRunner(ProcessRunner):
    """The default place: see `Runner`. Errors of making one: `EnvironmentFailure`."""

    capabilities = LOCAL_MACHINE

    def __init__(self, parts: RunnerParts) -> None:
        self._starter = _starter_of(parts)
        self._state = str(parts.store.root)
        if self._starter is None:
            super().__init__(parts)
        else:
            super().__init__(parts, PlatformPaths, self._mounts_of, self._starter)

    def _mounts_of(self, folder: OutsidePath, repository: OutsidePath, writable: Writable) -> tuple[BindMount, ...]:
        """The state folder is read-only, and the attempt's own are not; the project stays as it is."""
        own = own_folders(folder, repository)
        return (*platform_folders(folder, repository, writable), *(each for each in own if self._is_kept(each.source)))

    def _is_kept(self, path: str) -> bool:
        return path.startswith(f"{self._state}/")

    def close(self) -> None:
        super().close()
        if self._starter is not None:
            self._starter.close()


def _starter_of(parts: RunnerParts) -> Starter | None:
    trial, state = tried_here(), str(parts.store.root)
    if trial.way is None:
        return None
    others = parts.others or OwnChildren()

    def note(process: int) -> None:
        with others.lock:
            others.processes.add(process)

    try:
        return starter_by(trial.way, state, is_hidden(os.path.abspath(state)), note)
    except OSError as failure:
        raise EnvironmentFailure(
            f"steps cannot be given /valohai: {failure.strerror} ({failure.filename})",
            hint="run them without it: --in process",
        ) from failure
