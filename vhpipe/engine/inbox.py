"""How everything reaches the engine's thread: descriptors, work from other threads, stimuli from its own."""

import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from vhpipe.errors import VhpipeError
from vhpipe.schedule import stimuli


class Inbox:
    """The first part of an engine, on which the others stand. Everything but `hand_over` and `wake` is for one thread.

    What is registered with `selector` has a callable as its data, called when the descriptor is ready. `narrators` say
    what they are given to the user.
    """

    def __init__(self, narrators: Sequence[Callable[[str], None]] = ()) -> None:
        self._narrators = narrators
        self.selector = selectors.DefaultSelector()
        self._work: deque[Callable[[], None]] = deque()
        self._stimuli: deque[stimuli.Stimulus] = deque()
        self._failure: VhpipeError | None = None
        self._closing, self._is_open = threading.Lock(), True
        self._bell, self.bell_descriptor = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.watch(self._bell, _nothing)

    def hand_over(self, work: Callable[[], None]) -> None:
        """Run `work` in the engine's thread, soon. Thread-safe."""
        self._work.append(work)
        self.wake()

    def note(self, text: str) -> None:
        """Say something to the user in the engine's thread, soon. Thread-safe."""
        for each in self._narrators:
            self.hand_over(partial(each, text))

    def wake(self) -> None:
        """End a wait, the next one if there is none now. Thread-safe."""
        with self._closing, suppress(BlockingIOError):  # the pipe is full: the engine will wake anyway
            if self._is_open:
                os.write(self.bell_descriptor, b"\0")

    def hear(self, stimulus: stimuli.Stimulus) -> None:
        """Have it heard in this turn of the loop, after what is being done now."""
        self._stimuli.append(stimulus)

    def fail(self, failure: VhpipeError) -> None:
        """End the run because the world does not let it go on."""
        self._failure = self._failure or failure

    def watch(self, descriptor: int, rang: Callable[[], None]) -> None:
        """Have `rang` called whenever something was written to a descriptor, which is read empty first."""
        self.selector.register(descriptor, selectors.EVENT_READ, partial(_answer_bell, descriptor, rang))

    def wait(self, patience_s: float) -> None:
        """Wait until a descriptor is ready, but not longer, and do what is to be done about it."""
        for key, _ in self.selector.select(patience_s):
            key.data()

    def has_news(self) -> bool:
        return bool(self._stimuli or self._work or self._failure)

    def heard(self) -> Iterator[stimuli.Stimulus]:
        """What was heard, in order; between them the work is done that was handed over.

        Errors: the first failure that was reported to it.
        """
        while True:
            while self._stimuli:
                yield self._stimuli.popleft()
            if self._failure is not None:
                raise self._failure
            if not self._work:
                return
            self._work.popleft()()

    def close(self) -> None:
        """Hear nothing any more; threads that are left may go on calling."""
        with self._closing:
            self._is_open = False
            self.selector.close()
            os.close(self._bell)
            os.close(self.bell_descriptor)


def _answer_bell(descriptor: int, rang: Callable[[], None]) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
    rang()


def _nothing() -> None:
    pass
