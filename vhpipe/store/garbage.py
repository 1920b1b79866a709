"""What of a store can go: old runs, working copies that nobody uses, and bytes that no record names any more.

Nothing is written here. Source: decisions 69 and 70.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vhpipe.errors import from_os_error
from vhpipe.store.attempt_files import SHARED_FILES
from vhpipe.store.blob_references import blobs_named_by_run, blobs_named_in, origins_named_by_run
from vhpipe.store.cache_volumes import cache_volumes
from vhpipe.store.file_system import is_locked
from vhpipe.store.manifest import manifest_at
from vhpipe.store.project import ProjectStore
from vhpipe.store.removal import bytes_of
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.scratch import is_abandoned

DAY_S = 86400.0
UNBORN_S = 3600.0
"""A run's folder without `run.json` is being made; after so long whoever made it has died."""

_BLOB = re.compile(r"[0-9a-f]{64}")
_HALF_MADE = r"\.[0-9a-f]{16}\.tmp"


class CleaningChoice(NamedTuple):
    """Which runs shall go: those named, or all but the `keep` newest that are older than `older_than_s`."""

    keep: int = 0
    older_than_s: float = 0.0
    named: tuple[int, ...] | None = None
    cache_volumes: bool = False
    """Whether the cache volumes of the project go too."""


class Garbage(NamedTuple):
    """What can go, as paths; runs by number.

    `spared` are runs that would go but for a run that stays and looks at them, `alive` runs that are being run.
    `missed` are runs that go by name although another looks at them. `is_complete` is False where blobs were not looked
    at, because an engine may be storing some.
    """

    runs: tuple[int, ...] = ()
    spared: tuple[tuple[int, int], ...] = ()
    missed: tuple[tuple[int, int], ...] = ()
    alive: tuple[int, ...] = ()
    unborn: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    reuse_entries: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    is_complete: bool = False
    volumes: tuple[str, ...] = ()


def find_garbage(store: ProjectStore, choice: CleaningChoice, now: float, may_collect: bool = True) -> Garbage:
    """What can go at this wall time; nothing is written. `may_collect`: blobs
    and cache volumes too, for no engine is there.

    Errors: EnvironmentFailure where a record cannot be read: then nothing may go.
    """
    try:
        garbage = _find(store, choice, now)
        if garbage.alive or not may_collect:
            return garbage
        volumes = _volumes(store) if choice.cache_volumes else ()
        return _with_blobs(store, garbage)._replace(volumes=volumes)
    except OSError as error:
        raise from_os_error(error, "cannot read") from error


def measure(store: ProjectStore, garbage: Garbage) -> int:
    """The bytes that the disk would have again."""
    runs = (os.fspath(store.runs_folder / str(number)) for number in garbage.runs)
    copies = (*garbage.slots, *garbage.shared)
    others = (*garbage.blobs, *garbage.reuse_entries, *garbage.leftovers, *garbage.volumes)
    return bytes_of((*runs, *garbage.unborn, *copies, *others))


# ── finding ──────────────────────────────────────────────────────────────────────────────────────


def _find(store: ProjectStore, choice: CleaningChoice, now: float) -> Garbage:
    runs = store.runs()
    alive = {run.number for run in runs if run.is_alive()}
    wanted = set(_numbers_to_remove(runs, choice, now)) - alive
    origins = {run.number: origins_named_by_run(run.path) for run in runs}
    spared = _runs_to_spare(wanted, origins) if choice.named is None else {}
    going = wanted - set(spared)
    return Garbage(
        runs=tuple(sorted(going)),
        spared=tuple(sorted(spared.items())),
        missed=tuple(sorted(_runs_missed(going, origins))),
        alive=tuple(sorted(alive)),
        unborn=tuple(_unborn(store, now)),
        slots=tuple(_idle_slots(store)),
        shared=tuple(_unused_shared_files(store)),
        leftovers=tuple(_leftovers(store, now)),
    )


def _volumes(store: ProjectStore) -> tuple[str, ...]:
    return tuple(each.path for each in cache_volumes(store.root))


def _numbers_to_remove(runs: tuple[RunFolder, ...], choice: CleaningChoice, now: float) -> Iterator[int]:
    if choice.named is not None:
        yield from choice.named
        return
    for run in runs[: max(0, len(runs) - choice.keep)]:
        if now - _last_written(run) >= choice.older_than_s:
            yield run.number


def _last_written(run: RunFolder) -> float:
    """Wall time of the last event, or of the run's folder where there is none."""
    for path in (run.journal_path, run.path):
        with suppress(FileNotFoundError):
            return path.stat().st_mtime
    return 0.0


def _runs_to_spare(wanted: set[int], origins: dict[int, set[int]]) -> dict[int, int]:
    """Runs that stay because another one that stays shows their logs and metadata as its own, with that other one."""
    spared: dict[int, int] = {}
    staying = [number for number in origins if number not in wanted]
    while staying:
        looking = staying.pop()
        for number in origins[looking] & wanted - set(spared):
            spared[number] = looking
            staying.append(number)
    return spared


def _runs_missed(going: set[int], origins: dict[int, set[int]]) -> Iterator[tuple[int, int]]:
    for looking in origins.keys() - going:
        yield from ((number, looking) for number in origins[looking] & going)


def _unborn(store: ProjectStore, now: float) -> Iterator[str]:
    """Folders that never became runs, and whose makers must have died."""
    known = {run.number for run in store.runs()}
    for name in _names(store.runs_folder):
        path = store.runs_folder / name
        if name.isdigit() and int(name) not in known and _age_s(path, now) > UNBORN_S:
            yield os.fspath(path)


def _idle_slots(store: ProjectStore) -> Iterator[str]:
    for name in _slot_names(store):
        if not is_locked(f"{store.slots}/{name}.lock"):
            yield f"{store.slots}/{name}"


def _unused_shared_files(store: ProjectStore) -> Iterator[str]:
    """The folder with what working copies share, while nobody uses one of these."""
    shared = store.slots / SHARED_FILES
    if shared.exists() and not any(is_locked(f"{store.slots}/{name}.lock") for name in _slot_names(store)):
        yield os.fspath(shared)


def _slot_names(store: ProjectStore) -> Iterator[str]:
    return filter(str.isdigit, _names(store.slots))


def _leftovers(store: ProjectStore, now: float) -> Iterator[str]:
    """What was left half-made beside this store, or by shells that were killed; damaged blobs after a day."""
    beside = store.root.parent
    half_made = re.compile(re.escape(store.root.name) + _HALF_MADE)
    for name in _names(beside):
        path = beside / name
        if half_made.fullmatch(name) and _age_s(path, now) > UNBORN_S:
            yield os.fspath(path)
    for name in _names(store.scratch):
        path = store.scratch / name
        if _age_s(path, now) > UNBORN_S and is_abandoned(os.fspath(path)):
            yield os.fspath(path)
    for blob in _blob_files(store):
        if blob.endswith(".bad") and _age_s(Path(blob), now) > DAY_S:
            yield blob


def _with_blobs(store: ProjectStore, garbage: Garbage) -> Garbage:
    """With all that no record of what stays names."""
    going = {*map(str, garbage.runs), *(os.path.basename(path) for path in garbage.unborn)}
    named = blobs_named_in(store.root / "registry")
    for name in _names(store.runs_folder):
        if name not in going:
            named |= blobs_named_by_run(store.runs_folder / name)
    alive = {blob.decode() for blob in named}
    blobs, entries = tuple(_blob_files(store)), tuple(_reuse_files(store))
    staying = {run.number for run in store.runs()} - set(garbage.runs)
    return garbage._replace(
        blobs=tuple(path for path in blobs if _is_blob(path) and os.path.basename(path) not in alive),
        reuse_entries=tuple(path for path in entries if _is_useless(path, alive, staying)),
        leftovers=(*garbage.leftovers, *filter(_is_unfinished, (*blobs, *entries)), *filter(os.path.isdir, entries)),
        is_complete=True,
    )


def _is_useless(path: str, alive: set[str], staying: set[int]) -> bool:
    """Whether this is an entry of a run that goes, and of an output that goes too, or one that cannot be read."""
    if not path.endswith(".json"):
        return False
    found = manifest_at(path)
    if found is None:
        return True
    return found[0].run not in staying and not all(datum.blob in alive for datum in found[0].outputs)


def _is_unfinished(path: str) -> bool:
    """Whether it is a half-written file, or a lock that nobody holds."""
    return path.endswith((".tmp", ".lock"))


def _is_blob(path: str) -> bool:
    return _BLOB.fullmatch(os.path.basename(path)) is not None


def _blob_files(store: ProjectStore) -> Iterator[str]:
    folder = os.fspath(store.root / "blobs")
    for name in _names(folder):
        path = f"{folder}/{name}"
        if len(name) == 2:
            yield from (f"{path}/{blob}" for blob in _names(path))
        else:
            yield path


def _reuse_files(store: ProjectStore) -> Iterator[str]:
    folder = os.fspath(store.root / "reuse")
    for name in _names(folder):
        further = _names(f"{folder}/{name}")
        yield from (f"{folder}/{name}/{each}" for each in further) if further else (f"{folder}/{name}",)


def _names(folder: str | Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _age_s(path: Path, now: float) -> float:
    """Seconds since the last change of any kind; of what is gone already, none."""
    with suppress(FileNotFoundError):
        return now - path.lstat().st_ctime
    return 0.0
