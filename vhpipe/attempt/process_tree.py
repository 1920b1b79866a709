"""Entire process trees: finding, signalling and sweeping everything that descends from a process.

A child that changed its session leaves the process group; when its parent dies it becomes a child of the nearest
subreaper, which is this process. What is found there and carries the marker of an attempt belongs to that attempt.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHANED = signal.SIGRTMIN
"""What a process gets that dies with its parent; nobody else sends it."""
KEEPER = b"vhpipe.runners.container_keeper"
"""In the command line of a process that cleans up when an engine has died, and is let go on until it has."""
PIECE = 1 << 16
Sees = Callable[[int], bool]
"""Whether a process sees files that are those of one attempt alone, in a mount namespace that was made for it."""
NEAR = 64
"""Up to this many process ids after the leader's are looked at one by one, without a listing of /proc."""


def become_subreaper() -> None:
    """Orphaned descendants of this process become its children from now on (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


LAST_WORK: list[Callable[[], None]] = []
"""What a process that dies with its parent does before it kills what it has started."""


def die_with_parent() -> None:
    """When its parent dies, so does this process with all that it has started: only the living can do that."""

    def die(number: int, frame: object) -> None:
        for work in LAST_WORK:
            work()
        while not kill_descendants(os.getpid()):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(ORPHANED, die)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ORPHANED, 0, 0, 0)


def signal_tree(leader: int, number: int) -> None:
    """Send a signal to the leader's process group and to all of its descendants, whatever their session."""
    descendants = descendants_of(leader)
    _signal_group(leader, number)
    signal_all(descendants, number)


def signal_all(processes: Iterable[int], number: int) -> None:
    """Send a signal to each of them that is still there."""
    for process in processes:
        _signal(process, number)


def kill_remains(leader: int, marker: str, leaders: Collection[int], sees: Sees) -> None:
    """Kill what is left of the tree of a leader that has ended: its group, and orphans that belong to its attempt.

    `leaders` are the processes that this process has started itself and waits for itself. An orphan without any marker
    (its environment was cleared) belongs to the attempt whose files it `sees`; one that sees those of none is killed
    when no other attempt is running, for only then it is certain whose it is.
    """
    _signal_group(leader, signal.SIGKILL)
    alone = len(leaders) <= 1
    for _ in range(1000):
        orphans = list(_orphans(leader, leaders))
        dead = [process for process in orphans if _reap(process)]
        mine = [process for process in orphans if process not in dead and _belongs(process, marker, alone, sees)]
        if not mine:
            return
        for process in mine:
            for descendant in descendants_of(process):
                _signal(descendant, signal.SIGKILL)
            _signal(process, signal.SIGKILL)


def kill_younger_marked(leader: int, marker: str, sees: Sees) -> None:
    """Kill the group of a leader that has ended, and all that was started after it and belongs to its attempt."""
    _signal_group(leader, signal.SIGKILL)
    for _ in range(1000):
        found = [process for process in _younger_than(leader) if _belongs(process, marker, False, sees)]
        living = [process for process in found if _parent_and_state(process)[1] != "Z"]
        if not living:
            return
        for process in living:
            _signal(process, signal.SIGKILL)


def sees_nothing(process: int) -> bool:
    """For processes that see the files of this machine: nothing tells by them whose a process is."""
    return False


def kill_marked(markers: Collection[str], sees: Sees = sees_nothing) -> None:
    """Kill every process of this user whose environment carries one of the markers, or that `sees` what belongs to it.

    Until a look finds none.
    """
    wanted = {marker.encode() for marker in markers}
    for _ in range(1000 if wanted else 0):
        found = [each for each in _all_processes() if wanted.intersection(_environment_of(each)) or sees(each)]
        living = [process for process in found if _parent_and_state(process)[1] != "Z" and process != os.getpid()]
        if not living:
            return
        for process in living:
            _signal(process, signal.SIGKILL)
        time.sleep(0.002)  # what was killed takes a moment to go


def kill_descendants(of: int) -> bool:
    """Kill every descendant of a process; True when there was none."""
    found = descendants_of(of)
    for process in found:
        _signal(process, signal.SIGKILL)
    return not found


def kill_trees(is_first: Callable[[int], bool]) -> bool:
    """Kill every process that `is_first` is true of, with all below it; True when there was none."""
    found = [process for process in _all_processes() if is_first(process)]
    for process in found:
        kill_descendants(process)
        _signal(process, signal.SIGKILL)
    return not found


def marked_processes(marker: str) -> list[int]:
    """Living processes of this user whose environment carries the marker, but for this one."""
    wanted, me = os.fsencode(marker), os.getpid()
    found = (process for process in _all_processes() if wanted in _environment_of(process) and process != me)
    return [process for process in found if _parent_and_state(process)[1] != "Z"]


def command_line(process: int) -> bytes:
    """The words that a process was started with, each with a zero byte after it; nothing of one that is gone."""
    try:
        return _content(f"/proc/{process}/cmdline")
    except OSError:
        return b""


def descendants_of(ancestor: int) -> list[int]:
    """Every live process below `ancestor`, parents first."""
    children: dict[int, list[int]] = {}
    for process in _all_processes():
        parent, state = _parent_and_state(process)
        if state != "Z":
            children.setdefault(parent, []).append(process)
    found = list(children.get(ancestor, ()))
    for process in found:
        found.extend(children.get(process, ()))
    return found


def _orphans(leader: int, leaders: Collection[int]) -> Iterator[int]:
    """Children of this process that it has not started itself, as far as they can descend from the leader."""
    me = os.getpid()
    younger = (process for process in _younger_than(leader) if process not in leaders)
    return (process for process in younger if _parent_and_state(process)[0] == me)


def _younger_than(leader: int) -> Collection[int]:
    """Process ids that may have been given out after the leader's."""
    newest = int(_content("/proc/loadavg").split()[-1])
    if 0 <= newest - leader <= NEAR:
        return range(leader + 1, newest + 1)
    return [process for process in _all_processes() if newest < leader or process > leader]


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _parent_and_state(process: int) -> tuple[int, str]:
    """(-1, "Z") for a process that is gone."""
    try:
        fields = _content(f"/proc/{process}/stat").rpartition(b")")[2].split()
    except OSError:
        return -1, "Z"
    return int(fields[1]), fields[0].decode()


def _belongs(process: int, marker: str, alone: bool, sees: Sees) -> bool:
    name = marker.partition("=")[0].encode() + b"="
    entries = _environment_of(process)
    if not entries:
        return False
    return os.fsencode(marker) in entries or (
        not any(entry.startswith(name) for entry in entries) and (alone or sees(process))
    )


def _environment_of(process: int) -> list[bytes]:
    """The variables that a process was started with; none where that cannot be known."""
    try:
        return _content(f"/proc/{process}/environ").split(b"\0")
    except OSError:
        return []


def _content(path: str) -> bytes:
    """All of a file of /proc, whose end a short read tells; a file object costs three times as much."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = [os.read(descriptor, PIECE)]
        while len(pieces[-1]) == PIECE:
            pieces.append(os.read(descriptor, PIECE))
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _reap(process: int) -> bool:
    """True when the process is an ended child of this process, which is then gone."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return False


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
