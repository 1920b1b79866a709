"""How a process that is about to start is kept to its limits, and what that tells of it when it has ended."""

from typing import TYPE_CHECKING, NamedTuple

from vhpipe.attempt.launch import NO_LIMITS, Launch, Usage

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

    def of(self, launch: Launch) -> Confinement:
        """The launch kept to its limits, as far as this machine allows it. Errors: OSError for a group that fails."""
        return Confinement(launch) if launch.limits == NO_LIMITS else self._confined(launch)

    def _confined(self, launch: Launch) -> Confinement:
        from vhpipe.attempt.control_groups import control_groups  # few steps have limits
        from vhpipe.attempt.limits import without_quota

        if self._groups is None:
            self._groups = control_groups()
        group = self._groups.made(launch.limits)
        if group is None or "cpu" not in group.folders:
            launch = launch._replace(limits=without_quota(launch.limits))
        return Confinement(launch if group is None else launch._replace(argv=group.entering(launch.argv)), group)
