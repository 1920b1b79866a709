"""One way to open a file that somebody else may have put there: only a regular file, without waiting, within bounds.

A named pipe, a device, a socket or a folder where a file is expected is a failure that says so, never a wait or all of
the memory. What is read as a whole has a bound. A pipe that the shell hands over (`<(…)`, `/dev/stdin`) is what the
user has typed, and counts as a file.
Source: decision 142.
"""

import errno
import os
import stat
from io import BufferedReader

SETTINGS_BYTES = 1 << 20
"""The most that a file of settings or rules may have."""
TYPED_BYTES = 64 << 20
"""The most that a file may have which a command line names."""
RECORD_BYTES = 1 << 30
"""The most that a record of the store may have."""

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_HANDED_OVER = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
_PIECE_BYTES = 1 << 20
_KINDS = {
    stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device", stat.S_IFLNK: "a symbolic link",
}  # fmt: skip


class UnfitFileError(OSError):
    """There is something at a path that is no file to be read or written here. `strerror` says what it is."""

    def __init__(self, number: int, reason: str, path: str) -> None:
        super().__init__(number, reason, path)


def open_regular(path: str | os.PathLike[str], flags: int = os.O_RDONLY, mode: int = 0o600, follow: bool = True) -> int:
    """A descriptor of a regular file. `flags` are those of `os.open`; a symbolic link is an error without `follow`.

    Errors: UnfitFileError for anything that is no regular file, else the OSError of the system.
    """
    name = os.fspath(path)
    is_handed_over = follow and name.startswith(_HANDED_OVER)
    wanted = flags | (0 if is_handed_over else _AT_ONCE) | (0 if follow else _NO_LINK)
    try:
        descriptor = os.open(name, wanted, mode)
    except OSError as failure:
        raise _explained(failure, name, follow) from None
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind == stat.S_IFREG or (is_handed_over and kind == stat.S_IFIFO):
        return descriptor
    os.close(descriptor)
    raise _unfit(kind, name)


def open_to_read(path: str | os.PathLike[str], follow: bool = True, largest_bytes: int | None = None) -> BufferedReader:
    """A regular file, to be read piece by piece. Errors: as `open_regular`; UnfitFileError for one that is larger."""
    file = open(open_regular(path, follow=follow), "rb")  # noqa: SIM115 - the caller closes it
    if largest_bytes is not None and os.fstat(file.fileno()).st_size > largest_bytes:
        file.close()
        raise _too_large(largest_bytes, path)
    return file


def open_to_append(path: str | os.PathLike[str], mode: int = 0o600) -> int:
    """A descriptor that writes to the end of a file of ours, which is made if it is not there; no link is followed."""
    return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode, follow=False)


def read_regular(path: str | os.PathLike[str], largest_bytes: int, follow: bool = True) -> bytes:
    """All bytes of a regular file. Errors: as `open_regular`; UnfitFileError for one that has more than that."""
    return _read(path, largest_bytes + 1, follow, largest_bytes)


def read_start(path: str | os.PathLike[str], count: int, follow: bool = True) -> bytes:
    """The first bytes of a regular file, all where it has no more than `count`. Errors: as `open_regular`."""
    return _read(path, count, follow, None)


def _read(path: str | os.PathLike[str], count: int, follow: bool, largest_bytes: int | None) -> bytes:
    descriptor = open_regular(path, follow=follow)
    try:
        size_bytes = os.fstat(descriptor).st_size
        if largest_bytes is not None and size_bytes > largest_bytes:
            raise _too_large(largest_bytes, path)
        content = _content(descriptor, count, size_bytes)
        if largest_bytes is not None and len(content) > largest_bytes:
            raise _too_large(largest_bytes, path)
        return content
    except OSError as failure:
        failure.filename = failure.filename or os.fspath(path)
        raise
    finally:
        os.close(descriptor)


def _too_large(largest_bytes: int, path: str | os.PathLike[str]) -> UnfitFileError:
    return UnfitFileError(errno.EFBIG, f"it is larger than {largest_bytes >> 20} MiB", os.fspath(path))


def _content(descriptor: int, count: int, size_bytes: int) -> bytes:
    """All that there is up to `count` bytes; a small file takes one call, for its size tells that it has ended."""
    content = os.read(descriptor, min(count, size_bytes + 1))
    if 0 < size_bytes == len(content) or len(content) == count:
        return content
    pieces = [content]
    missing = count - len(content)
    while missing and (piece := os.read(descriptor, min(missing, _PIECE_BYTES))):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _explained(failure: OSError, name: str, follow: bool) -> OSError:
    """The failure of an `open`, by what is there where that says more than the system does."""
    if failure.errno not in {errno.ENXIO, errno.ELOOP, errno.EISDIR, errno.ENODEV, errno.EOPNOTSUPP}:
        return failure
    try:
        kind = stat.S_IFMT((os.stat if follow else os.lstat)(name).st_mode)
    except OSError:
        return failure
    return failure if kind == stat.S_IFREG else _unfit(kind, name)


def _unfit(kind: int, name: str) -> UnfitFileError:
    number = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
    return UnfitFileError(number, f"it is {_KINDS.get(kind, 'something else')}, not a file", name)
