"""Which GPUs an attempt may use: no two attempts that asked for some have the same one.

What is held is read off the state of the run: a GPU is free again when the attempt that had it runs no more. So
nothing has to be given back, and a run that goes on begins with all of them.
"""

from collections.abc import Callable, Sequence

from vhpipe.plan.model import AttemptId


class GpuPool:
    """The GPUs of a run, by the names that `CUDA_VISIBLE_DEVICES` has for them."""

    def __init__(self, devices: Sequence[str], is_running: Callable[[AttemptId], bool]) -> None:
        self._devices, self._is_running = tuple(devices), is_running
        self._holders: dict[str, AttemptId] = {}

    @property
    def has_any(self) -> bool:
        return bool(self._devices)

    def take(self, attempt: AttemptId, count: int) -> tuple[str, ...]:
        """So many GPUs for an attempt that starts, none where it asks for none; the scheduler counts them too."""
        if not count:
            return ()
        free = [each for each in self._devices if not self._is_held(each, attempt)]
        assert len(free) >= count, "what starts has been counted"
        taken = tuple(free[:count])
        self._holders |= dict.fromkeys(taken, attempt)
        return taken

    def _is_held(self, device: str, attempt: AttemptId) -> bool:
        holder = self._holders.get(device)
        return holder is not None and holder != attempt and self._is_running(holder)
