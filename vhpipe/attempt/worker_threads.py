"""Threads of our own for queued work, which go on after the main thread of a program has ended.

Executors of `concurrent.futures` refuse work from then on, and a run that a program has started in the background
outlives its main thread.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial


class WorkerThreads:
    """At most `limit` threads, each made when there is work and none is idle. Work must not raise.

    The end of the program waits for them, unless they are daemons.
    """

    def __init__(self, limit: int, name: str, is_daemon: bool = False) -> None:
        self._limit, self._name, self._is_daemon = limit, name, is_daemon
        self._work: deque[Callable[[], None]] = deque()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._idle, self._is_closed = 0, False

    def submit(self, work: Callable[..., None], *arguments: object) -> None:
        """Have the work done, after what was submitted before."""
        with self._changed:
            self._work.append(partial(work, *arguments))
            if self._idle < len(self._work) and len(self._threads) < self._limit:
                self._start_one()
            self._changed.notify()

    def close(self, drop: bool, patience_s: float | None = None) -> None:
        """Wait for what is being done, at most so long; with `drop` what has not begun is not done any more."""
        with self._changed:
            if drop:
                self._work.clear()
            self._is_closed = True
            self._changed.notify_all()
        until = None if patience_s is None else time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        with self._changed:
            self._work.clear()  # what nobody waited for is not begun any more

    def _start_one(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._serve, name=name, daemon=self._is_daemon)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], None] | None:
        """The next work, waited for; None when there will be none."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._work or self._is_closed)
            self._idle -= 1
            return self._work.popleft() if self._work else None
