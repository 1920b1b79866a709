"""How much memory the GPUs of attempts have in use while these run: looked at now and then, in another thread.

A device is seen as a whole, so what others do on it counts too; of one that runs for less than a look nothing is known.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from vhpipe.attempt.own_children import OwnChildren
from vhpipe.plan.model import AttemptId

LOOK_AT_GPUS_S = 2.0

UsedMemory = Mapping[str, int]
"""Bytes in use, by the names of GPUs."""


class Threads(Protocol):
    def do(self, work: Callable[[], UsedMemory], then: Callable[[UsedMemory], None]) -> None: ...


class GpuMemory:
    """The most that was in use on the GPUs of each attempt that is watched. For the thread that asks for it."""

    def __init__(self, threads: Threads, look: Callable[[], UsedMemory]) -> None:
        self._threads, self._look = threads, look
        self._watched: dict[AttemptId, tuple[str, ...]] = {}
        self._peaks: dict[AttemptId, int] = {}
        self._is_looking, self._next_look = False, 0.0

    def watch(self, attempt: AttemptId, devices: tuple[str, ...]) -> None:
        """Look at the GPUs of an attempt until its `peak` is asked for; one without any is not watched."""
        if devices:
            self._watched[attempt] = devices

    def keep_time(self, now: float) -> None:
        """Look if it is time to; `now` is monotonic."""
        if self._watched and not self._is_looking and now >= self._next_look:
            self._is_looking, self._next_look = True, now + LOOK_AT_GPUS_S
            self._threads.do(self._look, self._seen)

    def _seen(self, used: UsedMemory) -> None:
        self._is_looking = False
        for attempt, devices in self._watched.items():
            known = [used[each] for each in devices if each in used]
            if known:
                self._peaks[attempt] = max(sum(known), self._peaks.get(attempt, 0))

    def peak(self, attempt: AttemptId) -> int | None:
        """The most bytes at once on all GPUs of an attempt that has ended; None where nothing was seen."""
        self._watched.pop(attempt, None)
        return self._peaks.pop(attempt, None)


def gpu_memory_in_use(environ: Mapping[str, str], others: OwnChildren | None) -> UsedMemory:
    """The bytes in use on each GPU of this machine of which that is said; nothing where none answers."""
    from vhpipe.attempt.nvidia_smi import reported_gpus  # few runs have GPUs

    found = reported_gpus(environ, others).gpus
    return {gpu.uuid: gpu.used_bytes for gpu in found if gpu.used_bytes is not None}
