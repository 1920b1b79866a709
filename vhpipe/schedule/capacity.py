"""How much may run at once: what a place has, and what one execution takes of it."""

from math import ceil

import msgspec

from vhpipe.config.model import Resources
from vhpipe.plan.model import PlannedDeployment, PlannedNode


class Capacity(msgspec.Struct, frozen=True):
    """What a place has. `slots` is how many executions may run at once.

    `amounts` are whatever else it counts, by the name that `resources` of a step has for it: `cpu` in cores, `memory`
    and `ephemeral-storage` in MB, devices in pieces. What is not named there is not counted, and never waited for.
    """

    slots: int
    amounts: dict[str, int] = {}


def amounts_needed(node: PlannedNode) -> dict[str, int]:
    """What each execution of a node takes beside its one slot, by the names of `Capacity.amounts`."""
    if isinstance(node, PlannedDeployment) or node.spec.resources is None:
        return {}
    least = _least(node.spec.resources) | dict(node.spec.resources.devices)
    return {name: amount for name, amount in least.items() if amount}


def _least(resources: Resources) -> dict[str, int]:
    """The lower ends of the ranges: with less an execution does not start."""
    ranges = (
        ("cpu", resources.cpu),
        ("memory", resources.memory),
        ("ephemeral-storage", resources.ephemeral_storage),
    )
    return {name: ceil(found.minimum) for name, found in ranges if found is not None and found.minimum is not None}
