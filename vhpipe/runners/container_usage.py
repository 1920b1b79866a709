"""What an execution has used in its container, which a shell inside writes down when the command has ended.

Only in there it can be known at the end: with the container its control group goes, and the process of the tool is
none of the step's. Where the shell is killed nothing is known.
"""

import re
from pathlib import Path
from typing import NamedTuple

from vhpipe.attempt.launch import Usage
from vhpipe.runners.container_tools import ToolFacts

NAME = "usage"
"""The file in the folder that the step and this process share."""
_MOST_BYTES = 4096
_GROUPS = "/sys/fs/cgroup"
_SCRIPT = """trap : HUP INT QUIT TERM USR1 USR2
{command}
code=$?
{{ times
for file in memory.peak memory/memory.max_usage_in_bytes; do
[ -r {groups}/$file ] && read number < {groups}/$file && echo "peak $number"; done
for file in memory.events memory/memory.oom_control; do
[ -r {groups}/$file ] && while read key number; do echo "$key $number"; done < {groups}/$file; done
}} > {file} 2> /dev/null
exit $code"""
"""The traps keep the shell itself alive until the command, which hears the same signals, has ended."""
_times = re.compile(r"(\d{1,9})m(\d{1,2}\.\d{1,6})s (\d{1,9})m(\d{1,2}\.\d{1,6})s")


class ContainerUsage(NamedTuple):
    """What was written down; `was_short` says whether a process was killed for want of memory."""

    usage: Usage | None = None
    was_short: bool = False


def measured(command: str, file: str) -> str:
    """A command of the shell as one that writes what it has used into a file, and ends with the code of the other."""
    return _SCRIPT.format(command=command, groups=_GROUPS, file=file)


def read_usage(path: str, facts: ToolFacts) -> ContainerUsage:
    """What stands in such a file: a step can write there as well, so what is no such text is nothing.

    The memory is that of the container only where the tool gives each one a control group for it.
    """
    try:
        with Path(path).open("rb") as file:
            lines = file.read(_MOST_BYTES).decode("ascii", "replace").splitlines()
    except OSError:
        return ContainerUsage()
    times = _times.fullmatch(lines[1].strip()) if len(lines) > 1 else None
    if times is None:
        return ContainerUsage()
    minutes, seconds, system_minutes, system_seconds = map(float, times.groups())
    numbers = dict(_numbers(lines[2:])) if "memory" in facts.limits else {}
    cpu_s = round(60 * (minutes + system_minutes) + seconds + system_seconds, 3)
    return ContainerUsage(Usage(cpu_s, numbers.get("peak")), numbers.get("oom_kill", 0) > 0)


def _numbers(lines: list[str]) -> list[tuple[str, int]]:
    found = (line.split(" ", 1) for line in lines)
    return [(each[0], int(each[1])) for each in found if len(each) == 2 and re.fullmatch(r"\d{1,18}", each[1])]
