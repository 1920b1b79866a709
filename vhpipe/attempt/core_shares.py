"""Which cores each process tree may use that is kept to a number of them: those that are least used so far."""

import os
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from vhpipe.plan.agent_controls import CpuLimit

Made = TypeVar("Made")


class CoreShares:
    """The cores of this machine that this process may use, and how many process trees are kept to each.

    Where the system does not know of such things, nobody is kept to anything.
    """

    def __init__(self) -> None:
        self._kept: Counter[int] = Counter()

    def take(self, limit: CpuLimit) -> frozenset[int]:
        """The cores for a new process tree, to be given back; none where the limit leaves it all there are."""
        present = allowed_cores()
        if not present:
            return frozenset()
        first = os.getpid()  # other processes of ours share cores out too, and know nothing of each other
        cores = limit.on(present) or frozenset(
            sorted(present, key=lambda core: (self._kept[core], (core - first) % (max(present) + 1)))[: limit.number]
        )
        if cores == present:
            return frozenset()
        self._kept.update(cores)
        return cores

    def give_back(self, cores: frozenset[int]) -> None:
        self._kept.subtract(cores)


def allowed_cores() -> frozenset[int]:
    """The cores that this process may use; none where the system does not tell."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def started_on(cores: frozenset[int], start: Callable[[], Made]) -> Made:
    """What `start` gives; what it starts runs on those cores alone. Errors: OSError where none of them is there."""
    if not cores:
        return start()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return start()
    finally:
        os.sched_setaffinity(0, before)
