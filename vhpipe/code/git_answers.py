"""What git answers, within a time limit: on a network drive, or with a filter of the user's, it may never do so."""

from subprocess import Popen, TimeoutExpired
from time import monotonic

from vhpipe.errors import EnvironmentFailure

LIMIT_S = 60.0


def answers_of(*processes: "Popen[bytes]", folder: str, limit_s: float = LIMIT_S) -> list[tuple[bytes, bytes]]:
    """Standard output and error of processes that were started in a folder, when all have ended.

    Errors: EnvironmentFailure if that takes longer than the limit; then they are killed.
    """
    deadline = monotonic() + limit_s
    try:
        return [process.communicate(timeout=max(deadline - monotonic(), 0.01)) for process in processes]
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
