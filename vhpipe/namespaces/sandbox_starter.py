"""Starts the processes of steps in sandboxes: what is started waits outside, and ends as the step did."""

import os
import signal
from collections.abc import Mapping

from vhpipe.namespaces import bubblewrap
from vhpipe.namespaces.inherited_signals import IGNORED_BY_PYTHON
from vhpipe.namespaces.sandbox_tree import (
    HOME,
    TEMPORARY,
    SandboxFolders,
    sandbox_environment,
    sandbox_parts,
)
from vhpipe.namespaces.sandboxes import Means, sandbox_words
from vhpipe.namespaces.starters import Ended, StartRequest
from vhpipe.namespaces.step_root import STREAMS
from vhpipe.platform_paths import OUTPUTS


class SandboxStarter:
    """See `Starter`. Of `project` steps see what is there, of `state` nothing but their mounts.

    One of the mounts of a request is that of the outputs; `private` is the name of the folder beside them for home
    and `/tmp`, `layer` that of the environment which a step may have there. Which home is hidden, and which programs
    are shown, `variables` say: those of the user, for a step could declare any folder to be one of programs.
    """

    leader_waits = True

    def __init__(
        self, means: Means, project: str, state: str, private: str, layer: str, variables: Mapping[str, str],
        has_network: bool,
    ) -> None:  # fmt: skip
        self._means, self._project, self._state = means, project, state
        self._private, self._layer, self._variables, self._has_network = private, layer, variables, has_network

    def start(self, request: StartRequest) -> int:
        attempt = next(os.path.dirname(each[0]) for each in request.mounts if each[1] == OUTPUTS)
        private = f"{attempt}/{self._private}"
        for name in (HOME, TEMPORARY):
            os.makedirs(f"{private}/{name}", 0o700, exist_ok=True)
        os.chmod(f"{private}/{TEMPORARY}", 0o1777)
        folders = SandboxFolders(private, request.mounts, self._project, self._state)
        path = f"{attempt}/{self._layer}/bin:{self._variables.get('PATH', os.defpath)}"
        parts = sandbox_parts(folders, {**self._variables, "PATH": path})
        words = [*request.outside, *sandbox_words(self._means, parts, request.folder, self._has_network)]
        step = [request.program, *request.arguments[1:]] if self._means == "bwrap" else [
            request.program, *request.arguments
        ]  # fmt: skip
        streams = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in zip(STREAMS, request.streams, strict=True)]
        return os.posix_spawn(
            words[0], [*words, *step], sandbox_environment(request.environment), file_actions=streams, setsid=True,
            setsigdef=IGNORED_BY_PYTHON,
        )  # fmt: skip

    def wait(self, process: int) -> Ended | None:
        """`bwrap` says that its process died of a signal by its exit code alone."""
        _, status, used = os.wait4(process, 0)
        if self._means == "bwrap" and os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            if bubblewrap.FIRST_SIGNAL <= code <= bubblewrap.LAST_SIGNAL and code - 128 in set(signal.Signals):
                return code - 128, used
        return status, used

    def close(self) -> None:
        pass
