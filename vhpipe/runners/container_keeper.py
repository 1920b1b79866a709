"""A process that outlives its engine, however that is killed, and then ends the containers of the run.

    python -m vhpipe.runners.container_keeper TOOL RUN

RUN is the run's identifier. A byte on its standard input tells it that nothing is left to do; the end of that without
one, that the engine is gone.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.process_tree import LAST_WORK
from vhpipe.errors import EnvironmentFailure

PATIENCE_S = 60.0
"""How long the engine waits for it."""


class ContainerKeeper:
    """The engine's end of it."""

    def __init__(self, tool: str, run: str, others: OwnChildren) -> None:
        self._others = others
        words = (sys.executable, "-P", "-m", "vhpipe.runners.container_keeper", tool, run)
        with others.lock:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                start_new_session=True,
            )  # fmt: skip
            others.processes.add(self._process.pid)
        LAST_WORK.append(self._let_clean)

    def close(self, nothing_is_left: bool) -> None:
        """Let it go: at once, or when it has ended all containers of the run."""
        LAST_WORK.remove(self._let_clean)
        if nothing_is_left:
            self._tell(b"\n")
        self._let_clean()
        with self._others.lock:
            self._others.processes.discard(self._process.pid)

    def _let_clean(self) -> None:
        self._tell(b"")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)

    def _tell(self, content: bytes) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        with suppress(OSError, ValueError):
            if content:
                os.write(self._process.stdin.fileno(), content)
            else:
                self._process.stdin.close()


def main(words: Sequence[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    tool, run = words
    if os.read(0, 1):
        return 0
    from vhpipe.runners.container_remains import end_containers_of  # most engines end by themselves

    try:
        end_containers_of(tool, run)
    except EnvironmentFailure:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
