"""How much may run at once: what a place has, and what one execution takes of it."""

from collections.abc import Mapping
from math import ceil

import msgspec

from vhpipe.config.model import Resources
from vhpipe.plan.model import PlannedDeployment, PlannedNode
from vhpipe.wording import counted

GPU, CPU, MEMORY, DISK = "gpu", "cpu", "memory", "ephemeral-storage"
OF_NVIDIA = "nvidia.com/"
"""How the devices begin that are counted as GPUs. Source: names of extended resources of the device plugin."""


class Capacity(msgspec.Struct, frozen=True):
    """What a place has. `slots` is how many executions may run at once.

    `amounts` are whatever else it counts: `gpu` in pieces, `cpu` in cores, `memory` and `ephemeral-storage` in MB,
    other devices by the name that `resources` of a step has for them. What is not named there is not counted, and
    never waited for; an execution that needs more than there is takes all of it.
    """

    slots: int
    amounts: dict[str, int] = {}


def amounts_needed(node: PlannedNode) -> dict[str, int]:
    """What each execution of a node takes beside its one slot, by the names of `Capacity.amounts`."""
    if isinstance(node, PlannedDeployment) or node.spec.resources is None:
        return {}
    needed = _least(node.spec.resources)
    for name, count in node.spec.resources.devices:
        needed[counted_as(name)] = needed.get(counted_as(name), 0) + count
    return {name: amount for name, amount in needed.items() if amount}


def counted_as(device: str) -> str:
    """The name of `Capacity.amounts` by which a device of `resources` is counted."""
    return GPU if device.startswith(OF_NVIDIA) else device


def taken(needed: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """What an execution takes of what is counted: all of it where it needs more; nothing of what there is none."""
    return {name: most for name, amount in needed.items() if (most := min(amount, counts.get(name, 0)))}


def amount_text(name: str, amount: int) -> str:
    """`2 GPUs`, `4 cores`, `16384 MB of memory`, `2 amd.com/gpu`."""
    if name == GPU:
        return counted(amount, "GPU")
    if name == CPU:
        return counted(amount, "core")
    return f"{amount} MB of {_OF[name]}" if name in _OF else f"{amount} `{name}`"


_OF = {MEMORY: "memory", DISK: "disk"}


def _least(resources: Resources) -> dict[str, int]:
    """The lower ends of the ranges: with less an execution does not start."""
    ranges = ((CPU, resources.cpu), (MEMORY, resources.memory), (DISK, resources.ephemeral_storage))
    return {name: ceil(found.minimum) for name, found in ranges if found is not None and found.minimum is not None}
