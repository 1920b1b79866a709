"""Writing complete files so that a reader sees the old content, the new one or nothing, but never a part."""

import os
from contextlib import suppress

from vhpipe.errors import from_os_error
from vhpipe.store.file_system import sync


def write_atomically(path: str | os.PathLike[str], content: bytes, mode: int = 0o600, durable: bool = False) -> None:
    """Put `content` at `path` by temp + rename; `durable` also survives a loss of power."""
    target = os.fspath(path)
    temporary = temporary_name(target)
    try:
        write_new(temporary, content, mode, durable)
        os.rename(temporary, target)
        if durable:
            sync_folder(os.path.dirname(target))
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        error.filename = target
        raise from_os_error(error, "cannot write") from error


def temporary_name(target: str) -> str:
    """A name beside the target that nobody else has or can guess."""
    return f"{target}.{os.urandom(8).hex()}.tmp"


def write_new(path: str, content: bytes, mode: int = 0o600, durable: bool = False) -> None:
    """Write a file that must not exist yet."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(descriptor, content)
        if durable:
            sync(descriptor)
    except OSError as error:
        error.filename = error.filename or path
        raise
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, however short the single writes are (a full disk takes a part before it refuses)."""
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, content[written:])


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a loss of power. An `OSError` names the folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)
