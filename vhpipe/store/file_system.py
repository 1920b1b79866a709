"""Calls that not every file system honours, and what holds where it does not.

Modes stay as they are, a second name becomes a copy, a sync is left to the system. Only locks have no stand-in: without
them two engines would run one run.
Source: decision 143.
"""

import errno
import fcntl
import os
from pathlib import Path

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import open_regular, open_to_read

_PIECE_BYTES = 1 << 20
_MISSING = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""Says that a file system does not know a call, not that it has failed."""
CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP})
CANNOT_PIPE = frozenset({errno.EPERM, errno.EACCES, *_MISSING})
_NO_MODES = frozenset({errno.EPERM, *_MISSING})
_NO_LOCKS = frozenset({errno.ENOLCK, *_MISSING})


def set_mode(file: int | str | Path, mode: int) -> None:
    """Give a file or folder of ours its mode; where modes cannot be set it keeps what the file system says."""
    try:
        os.chmod(file, mode)
    except OSError as error:
        if error.errno not in _NO_MODES:
            raise


def link_or_copy(source: str, target: str) -> None:
    """Give a file of ours a second name, or a copy where it cannot have one. Errors: OSError, also if it is there."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        copy_file(source, target)


def sync(descriptor: int, data_only: bool = False) -> None:
    """Return when what was written is on disk, or at once where the file system cannot say. Errors: OSError."""
    try:
        (os.fdatasync if data_only else os.fsync)(descriptor)
    except OSError as error:
        if error.errno not in _MISSING:
            raise


def lock(descriptor: int, operation: int, path: str | os.PathLike[str]) -> None:
    """As `flock`. Errors: BlockingIOError; EnvironmentFailure where there are no locks, else for the system's error."""
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise without_locks(path) from error
        error.filename = os.fspath(path)
        raise from_os_error(error, "cannot lock") from error


def is_locked(path: str | os.PathLike[str]) -> bool:
    """Whether somebody holds the lock of a file alone; nobody does where there is no file or there are no locks."""
    try:
        descriptor = open_regular(path, follow=False)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    finally:
        os.close(descriptor)
    return False


def without_locks(path: str | os.PathLike[str]) -> EnvironmentFailure:
    hint = "keep the state on a disk that does: --state DIR, or VHPIPE_STATE for all projects"
    return EnvironmentFailure(f"cannot lock `{os.fspath(path)}`: its file system does not support locks", hint)


def copy_file(source: str, target: str) -> None:
    """Make `target`, which must not exist, a file of its own like a plain one. Errors: OSError, also for a link."""
    status = os.lstat(source)
    copy = open_regular(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, follow=False)
    try:
        with open_to_read(source, follow=False) as original:
            while piece := original.read(_PIECE_BYTES):
                while piece:
                    piece = piece[os.write(copy, piece) :]
        set_mode(copy, status.st_mode & 0o777)
    except OSError as error:
        error.filename = target
        raise
    finally:
        os.close(copy)
