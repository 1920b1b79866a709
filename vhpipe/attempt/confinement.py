"""How a process that is about to start is kept to its limits, and what that tells of it when it has ended."""

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.attempt.launch import NO_LIMITS, Launch, Usage
from vhpipe.plan.agent_controls import CpuLimit

if TYPE_CHECKING:
    from vhpipe.attempt.control_groups import ControlGroup, ControlGroups


class Confinement(NamedTuple):
    """`launch` starts the process within its limits. Without a group nothing is measured beyond what everybody is."""

    launch: Launch
    group: "ControlGroup | None" = None

    def usage(self, counted: Usage) -> Usage:
        return counted if self.group is None else self.group.usage(counted)

    def end(self) -> int | None:
        """Give the group back; the bytes of memory that were not enough, None where they were."""
        if self.group is None:
            return None
        exceeded = self.launch.limits.memory_bytes if self.group.has_run_out else None
        self.group.remove()
        return exceeded


class Confinements:
    """Those of the attempts of one run; control groups are looked for when the first attempt has a limit."""

    def __init__(self) -> None:
        self._groups: ControlGroups | None = None
        self._made: list[ControlGroup] = []

    def of(self, launch: Launch) -> Confinement:
        """The launch kept to its limits, as far as this machine allows it. Errors: OSError for a group that fails.

        Where nothing keeps a process to an amount of CPU time, it gets as many whole cores instead.
        """
        return Confinement(launch) if launch.limits == NO_LIMITS else self._confined(launch)

    def _confined(self, launch: Launch) -> Confinement:
        from vhpipe.attempt.control_groups import control_groups  # few steps have limits

        if self._groups is None:
            self._groups = control_groups()
        group = self._groups.made(launch.limits)
        if launch.limits.cores is not None and launch.cpu_limit is None and not self._groups.can_limit("cpu"):
            launch = launch._replace(cpu_limit=CpuLimit(ceil(launch.limits.cores)))
        if group is None:
            return Confinement(launch)
        self._made.append(group)
        return Confinement(launch._replace(entering=group.entering()), group)

    def close(self) -> None:
        """Remove the groups of attempts that were abandoned, as far as these are gone."""
        for group in self._made:
            group.remove()
