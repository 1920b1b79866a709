"""What `vhpipe clean` says: what has gone or would go, what stays and why."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from humanize import naturalsize

from vhpipe.wording import counted, plural


class Cleaning(NamedTuple):
    """How much of each kind goes. Pairs are a run and the other that looks at it."""

    runs: Sequence[int]
    spared: Sequence[tuple[int, int]]
    missed: Sequence[tuple[int, int]]
    alive: Sequence[int]
    slots: int
    blobs: int
    reuse_entries: int
    leftovers: int
    looked_at_blobs: bool
    freed_bytes: int
    volumes: int = 0
    kept_volumes: int = 0
    kept_volumes_bytes: int = 0


def cleaning_text(cleaning: Cleaning, is_dry: bool) -> Iterator[str]:
    """Lines for stdout: first the sum, then what stays although it might be expected to go."""
    parts = list(_parts(cleaning))
    freed = naturalsize(cleaning.freed_bytes, binary=True)
    if parts:
        yield f"{'would remove' if is_dry else 'removed'} {', '.join(parts)}: {freed}"
    else:
        yield "nothing to remove" if not cleaning.freed_bytes else f"removed what was left of an earlier clean: {freed}"
    for run, other in cleaning.spared:
        yield f"run {run} stays: run {other} uses results of it (remove it anyway: --run {run})"
    for run, other in cleaning.missed:
        yield f"logs of run {run} {'would be' if is_dry else 'are'} missing in run {other}, which has results of it"
    if cleaning.kept_volumes:
        size = naturalsize(cleaning.kept_volumes_bytes, binary=True)
        stay = plural(cleaning.kept_volumes, "stays", "stay")
        yield f"{counted(cleaning.kept_volumes, 'cache volume')} {stay} ({size}): vhpipe clean --cache-volumes"
    if not cleaning.looked_at_blobs:
        yield f"stored files stay for now: {_who(cleaning.alive)}; clean again later"


def _parts(cleaning: Cleaning) -> Iterator[str]:
    if cleaning.runs:
        yield f"{counted(len(cleaning.runs), 'run')} ({_ranges(cleaning.runs)})"
    counts = (
        (cleaning.slots, "working copy", "working copies"),
        (cleaning.blobs, "stored file", "stored files"),
        (cleaning.reuse_entries, "reuse entry", "reuse entries"),
        (cleaning.leftovers, "leftover", "leftovers"),
        (cleaning.volumes, "cache volume", "cache volumes"),
    )
    yield from (counted(count, one, many) for count, one, many in counts if count)


def _ranges(numbers: Sequence[int]) -> str:
    """`1, 4-7, 9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _who(alive: Sequence[int]) -> str:
    if not alive:
        return "another process uses the project"
    return f"{plural(len(alive), 'run')} {_ranges(alive)} {plural(len(alive), 'is', 'are')} running"
