"""Removing trees that steps have made: however deep, whatever their names, closed to their owner, full of links.

What goes is first renamed into one folder, the trash, and only then removed, so that nothing is ever seen half removed
and an interrupted removal is ended by the next one. No link is followed, and no folder is entered below another: each
folder found inside is moved up into the trash first, so that depth costs neither descriptors nor recursion.
"""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vhpipe.errors import from_os_error
from vhpipe.store.file_system import set_mode
from vhpipe.store.long_paths import reachable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK_BYTES = 512
_GONE = (FileNotFoundError, NotADirectoryError)


class Trash:
    """The trash of a store; several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._path = os.fspath(folder)

    def take(self, path: str) -> bool:
        """Move a file or folder here; False if it has gone already. Errors: EnvironmentFailure."""
        try:
            os.makedirs(self._path, 0o700, exist_ok=True)
            _move(path, f"{self._path}/{_free_name()}")
        except _GONE:
            return False
        except OSError as error:
            raise from_os_error(error, "cannot remove") from error
        return True

    def empty(self) -> tuple[int, tuple[str, ...]]:
        """Remove all that is here: the bytes that the disk has again, and one sentence for each thing that stays."""
        try:
            folder = os.open(self._path, _FOLDER)
        except _GONE:
            return 0, ()
        except OSError as error:
            raise from_os_error(error, "cannot open") from error
        try:
            return _TrashEmptier(folder, self._path).run()
        finally:
            os.close(folder)


class _TrashEmptier:
    def __init__(self, folder: int, path: str) -> None:
        self._folder, self._path = folder, path
        self._freed_bytes = 0
        self._failures: dict[str, str] = {}

    def run(self) -> tuple[int, tuple[str, ...]]:
        """Empty the trash until a look finds nothing but what cannot be removed."""
        while names := [name for name in os.listdir(self._folder) if name not in self._failures]:
            for name in names:
                try:
                    self._remove(name)
                except _GONE:
                    continue
                except OSError as error:
                    error.filename = f"{self._path}/{name}"
                    self._failures[name] = from_os_error(error, "cannot remove").message
        return self._freed_bytes, tuple(self._failures.values())

    def _remove(self, name: str) -> None:
        status = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            self._unlink(name, self._folder, status)
            return
        descriptor = _open_folder(name, self._folder)
        try:
            self._empty(descriptor)
        finally:
            os.close(descriptor)
        os.rmdir(name, dir_fd=self._folder)
        self._freed_bytes += status.st_blocks * _BLOCK_BYTES

    def _empty(self, folder: int) -> None:
        with os.scandir(folder) as found:
            entries = list(found)
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                self._move_up(entry.name, folder)
            else:
                self._unlink(entry.name, folder, status)

    def _unlink(self, name: str, folder: int, status: os.stat_result) -> None:
        os.unlink(name, dir_fd=folder)
        if status.st_nlink == 1:
            self._freed_bytes += status.st_blocks * _BLOCK_BYTES

    def _move_up(self, name: str, folder: int) -> None:
        """Into the trash itself, under a new name; an empty folder goes at once."""
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _move(name, _free_name(), folder, self._folder)


def _free_name() -> str:
    return os.urandom(8).hex()


def _move(source: str, target: str, source_folder: int | None = None, target_folder: int | None = None) -> None:
    """Rename; a folder that is closed to its owner is opened first, for its `..` has to change."""
    try:
        os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)
    except PermissionError:
        _make_open(source, source_folder)
        os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)


def _open_folder(name: str, folder: int) -> int:
    """A folder that its owner may read and change."""
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        _make_open(name, folder)
        return os.open(name, _FOLDER, dir_fd=folder)
    if os.fstat(descriptor).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        set_mode(descriptor, stat.S_IRWXU)
    return descriptor


def _make_open(name: str, folder: int | None) -> None:
    """Through a descriptor that needs no right to the folder itself and follows no link."""
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        set_mode(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)
    finally:
        os.close(descriptor)


# ── measuring, where nothing is removed ──────────────────────────────────────────────────────────


def bytes_of(paths: Iterable[str]) -> int:
    """The bytes that the disk would have again without these files and folders, links among them counted as one.

    What cannot be read counts as nothing.
    """
    freed_bytes = 0
    seen: dict[tuple[int, int], int] = {}
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        with suppress(OSError), reachable(path) as short:
            status = os.stat(short, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                waiting += [f"{path}/{name}" for name in os.listdir(short)]
            elif status.st_nlink > 1:
                identity = status.st_dev, status.st_ino
                seen[identity] = seen.get(identity, 0) + 1
                if seen[identity] < status.st_nlink:
                    continue
            freed_bytes += status.st_blocks * _BLOCK_BYTES
    return freed_bytes
