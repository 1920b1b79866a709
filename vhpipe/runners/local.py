"""Attempts as processes of this machine that have `/valohai`, each its own; plain processes where that is refused."""

import os

from vhpipe.attempt.launch import Launch
from vhpipe.attempt.mounts import own_folders, platform_folders
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.paths import OutsidePath, PlatformPaths, is_hidden
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.attempt.step_mounts import step_mounts
from vhpipe.attempt.writable_inputs import writable_inputs
from vhpipe.errors import EnvironmentFailure
from vhpipe.namespaces.starters import Starter, starter_by
from vhpipe.namespaces.trial import tried_here
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import ProcessRunner


class LocalRunner(ProcessRunner):
    """The default place: see `Runner`. Errors of making one: `EnvironmentFailure`."""

    capabilities = CAPABILITIES["local"]

    def __init__(self, parts: RunnerParts) -> None:
        self._starter = _starter_of(parts)
        self._state = str(parts.store.root)
        if self._starter is None:
            super().__init__(parts)
        else:
            super().__init__(parts, PlatformPaths, self._launch_of, self._starter)

    def _launch_of(self, spec: AttemptSpec, folder: OutsidePath, repository: OutsidePath, launch: Launch) -> Launch:
        """The state folder is read-only, and the attempt's own are not; the project stays as it is."""
        own = tuple(each for each in own_folders(folder, repository) if each.source.startswith(f"{self._state}/"))
        folders = platform_folders(folder, repository, writable_inputs(spec.execution))
        return launch._replace(mounts=(*folders, *own, *step_mounts(spec.execution.step, spec.run.volumes)))

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
