"""Threads for work that would keep the engine's loop waiting; what comes of it returns to the loop."""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from vhpipe.errors import VhpipeError, from_os_error
from vhpipe.store.long_work import given_up_when

if TYPE_CHECKING:
    from vhpipe.attempt.worker_threads import WorkerThreads

Made = TypeVar("Made")
WAITING_THREADS = 4
PATIENCE_S = 1.0
"""How long what may be left is given to end by itself when the pool closes."""

HandOver = Callable[[Callable[[], None]], None]
"""Has a callable run in the engine's thread, soon."""


class Pool:
    """Threads made when first needed; `on_failure` hears in the engine's thread what ends the run.

    `min(4, cores)` do what has to be done, and four others what the run's end does not wait for.
    """

    def __init__(self, hand_over: HandOver, on_failure: Callable[[VhpipeError], None]) -> None:
        self._hand_over = hand_over
        self._on_failure = on_failure
        self._threads: WorkerThreads | None = None
        self._waiting_threads: WorkerThreads | None = None
        self._is_closed = self._is_given_up = False

    def do(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """Do `work` in a thread and give its result to `then` in the engine's thread.

        A `VhpipeError` or `OSError` of `work` ends the run; anything else is a bug, raised in the engine's thread.
        """
        if self._threads is None:
            from vhpipe.attempt.worker_threads import WorkerThreads  # many runs are over before it is needed

            self._threads = WorkerThreads(min(4, os.cpu_count() or 1), "vhpipe")
        self._threads.submit(self._work, work, then, self._hand_over)

    def do_while_open(self, work: Callable[[], Made], then: Callable[[Made], None]) -> None:
        """As `do`, for work that may wait for others without end: once the pool closes, nothing comes of it."""
        if self._waiting_threads is None:
            from vhpipe.attempt.worker_threads import WorkerThreads

            self._waiting_threads = WorkerThreads(WAITING_THREADS, "vhpipe-waiting", is_daemon=True)
        self._waiting_threads.submit(self._work, work, then, self._hand_over_while_open)

    def _hand_over_while_open(self, work: Callable[[], None]) -> None:
        if not self._is_closed:
            self._hand_over(work)

    def _work(self, work: Callable[[], Made], then: Callable[[Made], None], hand_over: HandOver) -> None:
        try:
            with given_up_when(lambda: self._is_given_up):
                made = work()
        except VhpipeError as failure:
            hand_over(partial(self._on_failure, failure))
        except OSError as failure:
            hand_over(partial(self._on_failure, from_os_error(failure, "the run cannot continue")))
        except BaseException as bug:
            hand_over(partial(_raise, bug))
        else:
            hand_over(partial(then, made))

    @property
    def is_closed(self) -> bool:
        """Whether the run is over: what only reads need not go on."""
        return self._is_closed

    def give_up(self) -> None:
        """Have work on many bytes end with `GivenUpError`, even what should be done: the run is to end at once."""
        self._is_given_up = True

    def close(self) -> None:
        """Wait for what is being done, but for what may be left; what has not begun is dropped."""
        self._is_closed = True
        if self._threads is not None:
            self._threads.close(drop=True)
        if self._waiting_threads is not None:
            self._waiting_threads.close(drop=True, patience_s=PATIENCE_S)


def _raise(bug: BaseException) -> None:
    raise bug
