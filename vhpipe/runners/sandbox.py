"""Attempts in the strict place: the machine read-only, nothing of the user's own, processes of others out of sight.

A place in which a step can break nothing but its own. It is no wall against a program that attacks the kernel.
"""

import os

from vhpipe.attempt.launch import Ending, Launch
from vhpipe.attempt.mounts import BindMount, own_folders, platform_folders
from vhpipe.attempt.paths import InsidePath, OutsidePath, PlatformPaths, is_hidden
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.attempt.step_mounts import step_mounts
from vhpipe.attempt.writable_inputs import writable_inputs
from vhpipe.code.working_copies import remove_tree
from vhpipe.errors import EnvironmentFailure
from vhpipe.namespaces.sandbox_starter import SandboxStarter
from vhpipe.namespaces.sandboxes import Means, sandbox_tried_here
from vhpipe.plan.capabilities import CAPABILITIES
from vhpipe.plan.model import AttemptId
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import ProcessRunner
from vhpipe.store.attempt_files import CONFIG, INPUTS, PRIVATE


class SandboxRunner(ProcessRunner):
    """See `Runner`. Errors of making one: `EnvironmentFailure` where the machine refuses it."""

    capabilities = CAPABILITIES["sandbox"]

    def __init__(self, parts: RunnerParts, means: Means | None = None) -> None:
        self._state = str(parts.store.root)
        refuse_sandbox()
        means = means or sandbox_tried_here().means
        assert means is not None, "it was refused"
        project = str(parts.store.project)
        starter = SandboxStarter(means, project, self._state, PRIVATE, parts.has_network)
        super().__init__(parts, PlatformPaths, self._launch_of, starter)

    def _launch_of(self, spec: AttemptSpec, folder: OutsidePath, repository: OutsidePath, launch: Launch) -> Launch:
        """What is the attempt's own, at both of its paths; inputs and configuration are read-only at both.

        What it reads beside that comes first: its own folders may lie in there.
        """
        fixed = [] if is_hidden(folder) else [OutsidePath(f"{folder}/{name}") for name in (INPUTS, CONFIG)]
        read_only = (BindMount(each, InsidePath(each), read_only=True) for each in fixed)
        own = (*own_folders(folder, repository), *read_only)
        folders = platform_folders(folder, repository, writable_inputs(spec.execution))
        reads = (BindMount(each, InsidePath(each), read_only=True) for each in launch.reads)
        return launch._replace(mounts=(*reads, *own, *folders, *step_mounts(spec.execution.step, spec.run.volumes)))

    def _process_ended(self, attempt: AttemptId, ending: Ending) -> None:
        """Home and `/tmp` of the attempt go before it is reported; they may be large."""
        private = f"{self._running[attempt].folder}/{PRIVATE}"
        self._pool.do(lambda: _remove(private), lambda _: self._private_removed(attempt, ending))

    def _private_removed(self, attempt: AttemptId, ending: Ending) -> None:
        if attempt in self._running:  # else it was abandoned meanwhile
            super()._process_ended(attempt, ending)


def refuse_sandbox() -> None:
    """Errors: EnvironmentFailure where there can be no sandbox."""
    trial = sandbox_tried_here()
    if trial.means is None:
        raise EnvironmentFailure(f"place `sandbox` cannot be used: {trial.reason}", trial.cure)


def _remove(folder: str) -> None:
    """What cannot be removed goes with the run."""
    try:
        if os.path.lexists(folder):
            remove_tree(folder)
    except (EnvironmentFailure, OSError):
        pass
