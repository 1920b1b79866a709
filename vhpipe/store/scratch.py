"""Folders of the store that last as long as somebody uses them, such as those of `vhpipe shell`.

Each has a lock in it, so that what a process that was killed has left can be told from what is in use.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_regular
from vhpipe.store.file_system import is_locked, lock
from vhpipe.store.project import ProjectStore
from vhpipe.store.removal import Trash

_LOCK = "lock"


@contextmanager
def scratch_folder(store: ProjectStore) -> Iterator[Path]:
    """A new folder, which is removed in the end with all that is in it. Errors: EnvironmentFailure."""
    path = store.scratch / os.urandom(8).hex()
    try:
        store.scratch.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(mode=0o700)
        held = open_regular(path / _LOCK, os.O_RDWR | os.O_CREAT, follow=False)
    except OSError as error:
        raise from_os_error(error, "cannot make a folder for the shell:") from error
    try:
        lock(held, fcntl.LOCK_EX | fcntl.LOCK_NB, path / _LOCK)
        yield path
    finally:
        os.close(held)
        trash = Trash(store.root / "trash")
        trash.take(os.fspath(path))
        trash.empty()


def is_abandoned(path: str) -> bool:
    """Whether nobody uses the folder at a path any more."""
    return not is_locked(f"{path}/{_LOCK}")
