"""What the process tree of an attempt may use of its machine."""

from vhpipe.attempt.launch import NO_LIMITS, Limits
from vhpipe.config.model import Resources

MIB = 1 << 20


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
