"""What the process tree of an attempt may use of its machine."""

import os
from collections.abc import Callable
from itertools import count
from math import ceil
from typing import TypeVar

from vhpipe.attempt.launch import NO_LIMITS, Limits
from vhpipe.config.model import Resources

MIB = 1 << 20

Made = TypeVar("Made")

_turns = count()
"""So that attempts do not all get the same cores."""


def limits_of(resources: Resources | None) -> Limits:
    """The upper ends of what a step asks for; of memory at least a megabyte, of cores at least a hundredth."""
    if resources is None:
        return NO_LIMITS
    memory = resources.memory.maximum if resources.memory is not None else None
    cores = resources.cpu.maximum if resources.cpu is not None else None
    return Limits(
        memory_bytes=None if memory is None else max(1, int(memory)) * MIB,
        cores=None if cores is None else max(0.01, float(cores)),
    )


def without_quota(limits: Limits) -> Limits:
    """The limits where nothing keeps a process to an amount of CPU time: it gets as many whole cores instead."""
    if limits.cores is None or limits.on_cores:
        return limits
    there = sorted(os.sched_getaffinity(0))
    many = min(ceil(limits.cores), len(there))
    first = next(_turns) * many % len(there)
    return limits._replace(cores=None, on_cores=frozenset((there * 2)[first : first + many]))


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
