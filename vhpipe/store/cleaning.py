"""Removing what can go from a store: all of it is renamed into the trash, and then the trash is emptied.

Blobs are collected only while no engine is there, for it may have stored some that no record names yet; who starts one
meanwhile waits. Runs go before their blobs, so an interruption at any moment leaves a valid store.
Source: decisions 69 and 70.
"""

import fcntl
import os
import time
from typing import NamedTuple

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import open_regular
from vhpipe.store.atomic import sync_folder
from vhpipe.store.file_system import lock
from vhpipe.store.garbage import CleaningChoice, Garbage, find_garbage
from vhpipe.store.index import RunIndex
from vhpipe.store.project import ProjectStore
from vhpipe.store.removal import Trash
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.shared_lock import use_alone


class Removal(NamedTuple):
    """What has gone. `failures` has a sentence for each thing that could not be removed."""

    garbage: Garbage
    freed_bytes: int
    failures: tuple[str, ...] = ()


def remove_garbage(store: ProjectStore, choice: CleaningChoice) -> Removal:
    """Find what can go and remove it; what an interrupted call has left goes too. Errors: EnvironmentFailure."""
    trash = Trash(store.root / "trash")
    alone = use_alone(store.root)
    try:
        garbage = _move_to_trash(store, find_garbage(store, choice, time.time(), alone is not None), trash)
    except OSError as error:
        raise from_os_error(error, "cannot remove") from error
    finally:
        if alone is not None:
            os.close(alone)
    return Removal(garbage, *trash.empty())


def _move_to_trash(store: ProjectStore, garbage: Garbage, trash: Trash) -> Garbage:
    """Move what can go into the trash; what of it was there to be moved."""
    RunIndex.of(store.root).forget(garbage.runs)
    runs = tuple(number for number in garbage.runs if _take_run(store, number, trash))
    taken = garbage._replace(
        runs=runs,
        unborn=_take_all(garbage.unborn, trash),
        slots=tuple(path for path in garbage.slots if _take_slot(path, trash)),
        leftovers=_take_all(garbage.leftovers, trash),
        shared=_take_all(garbage.shared, trash),
        volumes=_take_all(garbage.volumes, trash),
    )
    if not garbage.is_complete or runs != garbage.runs:
        return taken._replace(blobs=(), reuse_entries=(), is_complete=False)
    if runs:
        sync_folder(os.fspath(store.runs_folder))
    return taken._replace(reuse_entries=_take_all(garbage.reuse_entries, trash), blobs=_take_all(garbage.blobs, trash))


def _take_run(store: ProjectStore, number: int, trash: Trash) -> bool:
    """Not a run that somebody has begun to run meanwhile."""
    run = RunFolder(number, store.runs_folder / str(number), store.project)
    try:
        lock = run.lock()
    except EnvironmentFailure:
        if run.path.exists():
            raise
        return False
    return _take_locked(os.fspath(run.path), lock, trash)


def _take_slot(path: str, trash: Trash) -> bool:
    descriptor = open_regular(f"{path}.lock", os.O_RDWR | os.O_CREAT, follow=False)
    try:
        lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, f"{path}.lock")
    except BlockingIOError:
        os.close(descriptor)
        return False
    return _take_locked(path, descriptor, trash)


def _take_locked(path: str, lock: int | None, trash: Trash) -> bool:
    if lock is None:
        return False
    try:
        return trash.take(path)
    finally:
        os.close(lock)


def _take_all(paths: tuple[str, ...], trash: Trash) -> tuple[str, ...]:
    return tuple(path for path in paths if trash.take(path))
