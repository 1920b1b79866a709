"""Paths of any depth and length: a system call takes 4,096 bytes, and `os.makedirs` fails a thousand folders deep.

What is deeper is reached through a descriptor of a folder above it. Nothing here is recursive.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SHORT_BYTES = 3800
"""Paths up to this size are given to system calls as they are, with room for a suffix."""
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def is_short(path: str) -> bool:
    """Whether a system call takes the path as it is."""
    return len(path) < SHORT_BYTES // 4 or len(os.fsencode(path)) <= SHORT_BYTES


@contextmanager
def reachable(path: str) -> Iterator[str]:
    """A path of the same file that every system call takes, valid inside of the `with` block.

    Errors: OSError where a folder above it cannot be opened.
    """
    if is_short(path):
        yield path
        return
    folder, _, name = path.rpartition("/")
    descriptor = open_folder(folder)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def open_folder(path: str) -> int:
    """A descriptor that stands for the folder, to be closed by the caller. Errors: OSError."""
    descriptor: int | None = None
    try:
        for piece in _pieces(path):
            following = os.open(piece, _FOLDER, dir_fd=descriptor)
            _close(descriptor)
            descriptor = following
    except OSError as error:
        _close(descriptor)
        error.filename = path
        raise
    assert descriptor is not None, "a path has a part"
    return descriptor


def make_folders(path: str, mode: int = 0o700) -> None:
    """Make a folder and those above it; one that is there stays as it is. Errors: OSError with the path."""
    try:
        if is_short(path):
            _make_upwards(path, mode)
            return
        with reachable(path) as short:
            _make_folder(short, mode, None)
    except FileNotFoundError:
        _make_all(path, mode)
    except OSError as error:
        error.filename = path
        raise


def _make_upwards(path: str, mode: int) -> None:
    """Mostly the folder above is there, so that a single call does it."""
    missing, current = [], path
    while current and not _is_made(current, mode):
        missing.append(current)
        current = os.path.dirname(current)
    for folder in reversed(missing):
        _make_folder(folder, mode, None)


def _is_made(path: str, mode: int) -> bool:
    """Whether the folder is there or could be made; False where those above are missing."""
    try:
        _make_folder(path, mode, None)
    except FileNotFoundError:
        return False
    return True


def _make_all(path: str, mode: int) -> None:
    """Go down from the top, for nobody knows where it ends."""
    descriptor = os.open("/" if path.startswith("/") else ".", _FOLDER)
    try:
        for part in filter(None, path.split("/")):
            following = _made(part, mode, descriptor)
            os.close(descriptor)
            descriptor = following
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)


def _made(name: str, mode: int, folder: int) -> int:
    with suppress(FileNotFoundError):
        return os.open(name, _FOLDER, dir_fd=folder)
    _make_folder(name, mode, folder)
    return os.open(name, _FOLDER, dir_fd=folder)


def _make_folder(name: str, mode: int, folder: int | None) -> None:
    try:
        os.mkdir(name, mode, dir_fd=folder)
    except FileExistsError:
        os.close(os.open(name, _FOLDER, dir_fd=folder))


def _pieces(path: str) -> Iterator[str]:
    """The path in parts that a system call takes."""
    piece = "/" if path.startswith("/") else ""
    for part in filter(None, path.split("/")):
        longer = f"{piece}{part}/"
        if not is_short(longer):
            yield piece
            longer = f"{part}/"
        piece = longer
    yield piece or "."


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
