"""Threads for work that would keep the engine's loop waiting; what comes of it returns to the loop."""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from vhpipe.errors import VhpipeError, from_os_error

if TYPE_CHECKING:
    from vhpipe.attempt.worker_threads import WorkerThreads

Made = TypeVar("Made")

HandOver = Callable[[Callable[[], None]], None]
"""Has a callable run in the engine's thread, soon."""


class Pool:
    """`min(4, cores)` threads, made when first needed; `on_failure` hears in the engine's thread what ends the run."""

    def __init__(self, hand_over: HandOver, on_failure: Callable[[VhpipeError], None]) -> None:
        self._hand_over = hand_over
        self._on_failure = on_failure
        self._threads: WorkerThreads | None = None

    def do(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """Do `work` in a thread and give its result to `then` in the engine's thread.

        A `VhpipeError` or `OSError` of `work` ends the run; anything else is a bug, raised in the engine's thread.
        """
        if self._threads is None:
            from vhpipe.attempt.worker_threads import WorkerThreads  # many runs are over before it is needed

            self._threads = WorkerThreads(min(4, os.cpu_count() or 1), "vhpipe")
        self._threads.submit(self._work, work, then)

    def _work(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        try:
            made = work()
        except VhpipeError as failure:
            self._hand_over(partial(self._on_failure, failure))
        except OSError as failure:
            self._hand_over(partial(self._on_failure, from_os_error(failure, "the run cannot continue")))
        except BaseException as bug:
            self._hand_over(partial(_raise, bug))
        else:
            self._hand_over(partial(then, made))

    def close(self) -> None:
        """Wait for what is being done; what has not begun is dropped."""
        if self._threads is not None:
            self._threads.close(drop=True)


def _raise(bug: BaseException) -> None:
    raise bug
