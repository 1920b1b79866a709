"""What git answers, within a time limit: on a network drive, or with a filter of the user's, it may never do so.

Of the repository's own settings those that start programs are off.
"""

import os
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from time import monotonic

from vhpipe.errors import EnvironmentFailure

LIMIT_S = 60.0
GIT = ("git", "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
_REDIRECTING_VARIABLES = frozenset(
    {
        "GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)  # fmt: skip
"""Set inside of git's hooks, where they speak of another repository than the project's."""


def start_git(command: tuple[str, ...], folder: str, is_asked: bool = False) -> "Popen[bytes]":
    """git in a folder; with `is_asked` it reads what it is asked. Errors: OSError where it cannot be started."""
    environ = {name: value for name, value in os.environ.items() if name not in _REDIRECTING_VARIABLES}
    return Popen(
        command, cwd=folder, env={**environ, "LC_ALL": "C"}, stdin=PIPE if is_asked else DEVNULL, stdout=PIPE,
        stderr=PIPE,
    )  # fmt: skip


def answers_of(
    *processes: "Popen[bytes]", folder: str, limit_s: float = LIMIT_S, asked: bytes | None = None
) -> list[tuple[bytes, bytes]]:
    """Standard output and error of processes that were started in a folder, when all have ended.

    `asked` is what they read. Errors: EnvironmentFailure if that takes longer than the limit; then they are killed.
    """
    deadline = monotonic() + limit_s
    try:
        return [process.communicate(asked, timeout=max(deadline - monotonic(), 0.01)) for process in processes]
    except TimeoutExpired:
        raise EnvironmentFailure(
            f"git did not answer within {limit_s:g} s in `{folder}`", f"see what it waits for: git -C {folder} status"
        ) from None
    finally:
        for process in processes:
            _end(process)


def _end(process: "Popen[bytes]") -> None:
    """Kill a process that has not ended; its pipes may be held by a child of its own."""
    if process.poll() is None:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
