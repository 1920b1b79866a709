"""What a step has left in its outputs folder: every file that can be kept, and why each other entry cannot.

One odd entry costs that entry. A link to a file inside is that file; a link to a folder inside is followed if that
folder is not on the path already; everything else is left out and named. The walk is not recursive, and paths may be
longer than a system call takes.
Source: decision 23.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from vhpipe.attempt.mounts import BindMount
from vhpipe.store.long_paths import is_short, reachable

NAMED = 20
"""How many entries that are left out are named; the others are counted."""
CONCERNS_ONE_ENTRY = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO,
        errno.ENODEV, errno.ESTALE,
    }
)  # fmt: skip
"""Failures that other entries of the outputs need not have."""

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

Identity = tuple[int, int]
"""Device and inode."""


class UnacceptableOutputError(Exception):
    """The outputs folder itself is not what it was: nothing can be kept. The execution is an error."""


class FoundOutput(NamedTuple):
    """A file to keep: `path` holds its bytes, `name` is relative to outputs/.

    A link, or a file below a linked folder, has the path and the identity of the file that it leads to.
    """

    name: str
    path: str
    size_bytes: int
    mode: int
    modified_ns: int
    identity: Identity


class LeftOut(NamedTuple):
    """An entry that cannot be kept. `reason` ends a sentence that begins with its name."""

    name: str
    reason: str


class OutputsFound(NamedTuple):
    """Both by name."""

    files: tuple[FoundOutput, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class WalkedFolder(NamedTuple):
    """A folder on the way of the walk: `prefix` begins the names in it, `path` is where it really is."""

    path: str
    prefix: str
    identity: Identity
    above: "WalkedFolder | None" = None

    def is_on_path(self, identity: Identity) -> bool:
        folder: WalkedFolder | None = self
        while folder is not None and folder.identity != identity:
            folder = folder.above
        return folder is not None


class OutputLink(NamedTuple):
    name: str
    folder: WalkedFolder


class TooManyNamesError(Exception):
    pass


def found_outputs(outputs: str, mounts: Sequence[BindMount] = ()) -> OutputsFound:
    """All that is below the folder; the step saw `mounts` in their places.

    Errors: `UnacceptableOutputError`, OSError for the world.
    """
    try:
        status = os.lstat(outputs)
    except FileNotFoundError:
        return OutputsFound(left_out=(LeftOut("", "the step removed its outputs folder"),))
    if not stat.S_ISDIR(status.st_mode):
        what = "a link" if stat.S_ISLNK(status.st_mode) else "a file"
        raise UnacceptableOutputError(f"the outputs folder was replaced by {what}")
    if status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.chmod(outputs, stat.S_IRWXU)
    walk = OutputWalk()
    walk.below(WalkedFolder(outputs, "", (status.st_dev, status.st_ino)))
    if walk.links:
        from vhpipe.attempt.output_links import LinkFollower

        LinkFollower(walk, mounts).follow_all()
    return OutputsFound(tuple(sorted(walk.files)), tuple(sorted(walk.left_out)))


def left_out_warnings(left_out: tuple[LeftOut, ...]) -> Iterator[str]:
    """One sentence for each of the first entries, and one for how many more there are."""
    for name, reason in left_out[:NAMED]:
        yield f"output `{name}` is left out: {reason}" if name else reason
    if len(left_out) > NAMED:
        yield f"{len(left_out) - NAMED:,} more entries of the outputs are left out"


class OutputWalk:
    """Everything below folders whose links are noted and not followed."""

    def __init__(self) -> None:
        self.files: list[FoundOutput] = []
        self.left_out: list[LeftOut] = []
        self.links: list[OutputLink] = []
        self.folders: dict[Identity, str] = {}
        self.names = 0

    def below(self, top: WalkedFolder, most_names: int | None = None) -> None:
        """Errors: `TooManyNamesError` for more than `most_names`."""
        pending = [top]
        while pending:
            folder = pending.pop()
            self.folders.setdefault(folder.identity, folder.path)
            pending += self._enter(folder)
            if most_names is not None and self.names > most_names:
                raise TooManyNamesError

    def _enter(self, folder: WalkedFolder) -> list[WalkedFolder]:
        """Take what is in one folder; the folders in it."""
        inside: list[WalkedFolder] = []
        try:
            if is_short(folder.path):
                self._look_into(folder.path, folder, inside)
            else:
                with reachable(folder.path) as path:
                    self._look_into(path, folder, inside)
        except OSError as failure:
            if failure.errno not in CONCERNS_ONE_ENTRY or not folder.prefix:
                raise
            self.leave_out(folder.prefix[:-1], cannot_read(failure))
        return inside

    def _look_into(self, path: str, folder: WalkedFolder, inside: list[WalkedFolder]) -> None:
        with os.scandir(path) as entries:
            for entry in entries:
                self._take(entry, folder, inside)

    def _take(self, entry: os.DirEntry[str], folder: WalkedFolder, inside: list[WalkedFolder]) -> None:
        name = folder.prefix + entry.name
        self.names += 1
        if not entry.name.isascii() and not _is_utf8(entry.name):
            self.leave_out(printable(name), "its name is not UTF-8")
            return
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError as failure:
            self.leave_out(name, cannot_read(failure))
            return
        identity = status.st_dev, status.st_ino
        if stat.S_ISREG(status.st_mode):
            path = f"{folder.path}/{entry.name}"
            size, mode, modified_ns = status.st_size, status.st_mode, status.st_mtime_ns
            self.files.append(FoundOutput(name, path, size, mode, modified_ns, identity))
        elif stat.S_ISDIR(status.st_mode):
            if status.st_mode & _OTHERS_MAY_WRITE:
                _close_to_others(entry.path)
            inside.append(WalkedFolder(f"{folder.path}/{entry.name}", f"{name}/", identity, folder))
        elif stat.S_ISLNK(status.st_mode):
            self.links.append(OutputLink(entry.name, folder))
        else:
            self.leave_out(name, f"it is {_kind(status.st_mode)}, not a file")

    def leave_out(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(name, reason))


def _close_to_others(folder: str) -> None:
    """What is kept is nobody else's to change, whatever the step's umask was."""
    with suppress(OSError):
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) & ~_OTHERS_MAY_WRITE)


def fault_of(path: str) -> str | None:
    """Why the file at a path cannot be kept; None where nothing is wrong with it. Errors: OSError for the world."""
    try:
        with reachable(path) as short:
            descriptor = os.open(short, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failure:
        if failure.errno not in CONCERNS_ONE_ENTRY:
            raise
        return cannot_read(failure)
    try:
        return None if stat.S_ISREG(os.fstat(descriptor).st_mode) else "it was replaced by something that is no file"
    finally:
        os.close(descriptor)


def cannot_read(failure: OSError) -> str:
    if failure.errno == errno.ENOENT:
        return "it vanished while it was collected"
    return f"it cannot be read: {failure.strerror}"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
