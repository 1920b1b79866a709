"""The signals that ask a run to end, as the engine's loop gets to know of them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heard_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask a run to end, without those that whoever started this process has it ignore.

    `nohup` ignores SIGHUP, a shell without job control SIGINT for what it starts in the background.
    """
    return tuple(number for number in NUMBERS if signal.getsignal(number) is not signal.SIG_IGN)


class StopSignals:
    """The signals that have come while they were caught, in order."""

    def __init__(self) -> None:
        self._received: list[int] = []
        self._known = 0

    @contextmanager
    def caught(self, bell_descriptor: int) -> Iterator[None]:
        """Catch them, and write to a descriptor at each; a thread that is not the main one cannot hear any.

        Those that were ignored before stay so.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.set_wakeup_fd(bell_descriptor, warn_on_full_buffer=False)
        previous = {
            number: signal.signal(number, lambda got, _: self._received.append(got)) for number in heard_signals()
        }
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)

    def new(self) -> list[int]:
        """Those that have come since the last call."""
        found = self._received[self._known :]
        self._known += len(found)
        return found

    def first(self) -> int | None:
        """The first of all, None without one."""
        return self._received[0] if self._received else None
