"""Looks after one fetch while it waits for a server, whatever it waits for: headers, the size of a chunk, a body.

A socket has a limit on silence only, so a server that sends a byte now and then would be waited for without end.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from vhpipe.attempt.running_clock import RunningClock

STEP_S = 1.0


class FetchLimits(NamedTuple):
    """Seconds of silence, seconds of one fetch with all its tries, and the fewest bytes in each `look_s` seconds."""

    silence_s: float = 30.0
    total_s: float = 12 * 3600.0
    look_s: float = 60.0
    fewest_bytes: int = 60 << 10


class Connection(Protocol):
    """What connects, and then has a socket."""

    sock: socket.socket | None

    def connect(self) -> None: ...


class FetchWatch:
    """Cuts the connections of a fetch that is too slow, takes too long, or that nobody wants; use it as a context.

    `fault` says why it was cut, and `is_final` that another try is no use.
    """

    def __init__(self, limits: FetchLimits, is_over: threading.Event) -> None:
        self._limits, self._is_over, self._clock = limits, is_over, RunningClock()
        self._step_s = min(STEP_S, limits.look_s, limits.total_s)
        self._until = self._clock.monotonic() + limits.total_s
        self._lock, self._done = threading.Lock(), threading.Event()
        self._sockets: list[socket.socket] = []
        self._received, self._look_at, self._is_waiting = 0, 0.0, True
        self.fault: str | None = None
        self.is_final = False

    def __enter__(self) -> "FetchWatch":
        threading.Thread(target=self._watch, name="vhpipe-fetch-watch", daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._done.set()

    def begin(self) -> None:
        """Another try starts."""
        with self._lock:
            self._sockets.clear()
            self._is_waiting = True
            self._start_looking()
            if not self.is_final:
                self.fault = None

    def arrived(self, size_bytes: int) -> None:
        """So much has come, and is dealt with; the server has nothing to do with how long that takes."""
        with self._lock:
            self._received += size_bytes
            self._is_waiting = False

    def wait(self) -> None:
        """More is waited for."""
        with self._lock:
            self._is_waiting = True

    def connecting(self, connection: Connection) -> Callable[[], None]:
        """What connects in its place, and has its socket watched."""
        connect = connection.connect

        def connect_and_tell() -> None:
            connect()
            with self._lock:
                if connection.sock is not None:
                    self._sockets.append(connection.sock)
                if self.is_final:
                    self._cut()

        return connect_and_tell

    def _watch(self) -> None:
        while not self.is_final:
            due = self._clock.monotonic() + self._step_s
            if self._done.wait(self._step_s):
                return
            self._clock.woke(due)
            with self._lock:
                self._look(self._clock.monotonic())

    def _look(self, now: float) -> None:
        if self._is_over.is_set():
            self._give_up("the run is over")
        elif now > self._until:
            self._give_up(f"it took longer than {self._limits.total_s / 3600:g} hours")
        elif now >= self._look_at:
            if self._received < self._limits.fewest_bytes and self._sockets and self._is_waiting:
                self.fault = f"only {self._received} bytes arrived in {self._limits.look_s:g} s"
                self._cut()
            self._start_looking()

    def _start_looking(self) -> None:
        self._look_at, self._received = self._clock.monotonic() + self._limits.look_s, 0

    def _give_up(self, fault: str) -> None:
        self.fault, self.is_final = fault, True
        self._cut()

    def _cut(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
