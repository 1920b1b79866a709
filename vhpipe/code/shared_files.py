"""Files that working copies share: one read-only file for each content, mode and time, and hard links to it.

They lie beside the slots, apart from the blobs: whatever a step does to one of them, the stored bytes stay what their
name says, and what was written is noticed when the step has ended.
"""

import os
import stat
import threading
from contextlib import suppress
from hashlib import file_digest
from typing import NamedTuple

from vhpipe.code.file_times import set_time, time_of
from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_to_read
from vhpipe.store.atomic import temporary_name
from vhpipe.store.blobs import Blobs
from vhpipe.store.file_system import CANNOT_LINK, set_mode
from vhpipe.store.snapshots import SnapshotEntry

_TRIES = 3
"""Another run may remove a file that nobody uses before it has a link."""


class _Mark(NamedTuple):
    """How the file system shows a file; every link that is made or removed changes `changed_ns`."""

    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int
    mode: int


class _Knowledge(NamedTuple):
    """What this process knows of the files in one folder: how those looked that are as they were made."""

    lock: threading.Lock
    marks: dict[str, _Mark]


_knowledge: dict[str, _Knowledge] = {}


class SharedFiles:
    """The shared files of one project. Thread-safe.

    A file is hashed before its first use by this process, and again when it has changed by more than our own links.
    """

    def __init__(self, folder: str, blobs: Blobs) -> None:
        self._folder, self._blobs = folder, blobs
        self._lock, self._known = _knowledge.setdefault(os.path.abspath(folder), _Knowledge(threading.Lock(), {}))
        self.is_possible = True
        """Whether the file system makes hard links, as far as is known."""

    def place(self, entry: SnapshotEntry, path: str) -> bool:
        """Make a path, at which there must be nothing, a link to the shared file; False where links cannot be made."""
        name = self._name_of(entry)
        with self._lock:
            for left in reversed(range(_TRIES)):
                self._make_sure(entry, name)
                try:
                    os.link(name, path)
                except FileNotFoundError:
                    if not left:
                        raise
                except OSError as error:
                    self.is_possible = error.errno not in CANNOT_LINK
                    return False
                else:
                    self._known[name] = _mark_of(os.lstat(name))
                    return True
        raise AssertionError("the last try ends with one of the above")

    def make(self, entry: SnapshotEntry) -> None:
        """Have the shared file of an entry ready before it is needed. Errors: EnvironmentFailure."""
        with self._lock:
            self._make_sure(entry, self._name_of(entry))

    def is_intact(self, entry: SnapshotEntry, path: str, inode: int) -> bool:
        """Whether no step has written into a shared file of which a link was made, wherever that link is now.

        The shared file itself is judged; `path`, where the link was, only if others have removed that file.
        """
        name = self._name_of(entry)
        with self._lock:
            known = self._known.get(name)
            if known is None or known.inode != inode:
                return False
            found = next((each for each in (name, path) if _inode_at(each) == inode), None)
            if found is None or _mark_of(os.lstat(found)) == known or self._has_its_bytes(entry, found, name):
                return True
            del self._known[name]
            if found == name:
                with suppress(FileNotFoundError):
                    os.unlink(name)
            return False

    def remove_unused(self) -> None:
        """Remove the files that no working copy is linked to any more."""
        with self._lock, suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_nlink == 1:
                        os.unlink(entry.path)

    def _name_of(self, entry: SnapshotEntry) -> str:
        return f"{self._folder}/{entry.blob}-{_mode_of(entry):o}-{time_of(entry)}"

    def _make_sure(self, entry: SnapshotEntry, name: str) -> None:
        with suppress(FileNotFoundError):
            if _mark_of(os.lstat(name)) == self._known.get(name) or self._has_its_bytes(entry, name, name):
                return
        self._make(entry, name)

    def _has_its_bytes(self, entry: SnapshotEntry, path: str, name: str) -> bool:
        """Whether the file at `path` is as it was made, which is noted then."""
        try:
            with open_to_read(path, follow=False) as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != _mode_of(entry):
                    set_mode(file.fileno(), _mode_of(entry))
                mark = _mark_of(os.fstat(file.fileno()))
                is_good = (
                    (mark.size_bytes, mark.modified_ns) == (entry.size_bytes, time_of(entry))
                    and file_digest(file, "sha256").hexdigest() == entry.blob
                    and _mark_of(os.fstat(file.fileno())) == mark
                )
        except OSError:
            return False
        if is_good:
            self._known[name] = mark
        return is_good

    def _make(self, entry: SnapshotEntry, name: str) -> None:
        temporary = temporary_name(name)
        try:
            os.makedirs(self._folder, 0o700, exist_ok=True)
            self._blobs.copy_to(entry.blob, temporary, _mode_of(entry))
            set_time(temporary, entry)
            os.rename(temporary, name)
        except OSError as error:
            raise from_os_error(error, "cannot write") from error
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        self._known[name] = _mark_of(os.lstat(name))


def _inode_at(path: str) -> int:
    """0 where nothing is there."""
    try:
        return os.lstat(path).st_ino
    except OSError:
        return 0


def _mode_of(entry: SnapshotEntry) -> int:
    return entry.mode & 0o555


def _mark_of(status: os.stat_result) -> _Mark:
    return _Mark(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, stat.S_IMODE(status.st_mode))
