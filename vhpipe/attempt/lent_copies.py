"""What steps are given of the blob store: never a blob, but links to one copy of it, which is watched.

To root, and to whoever changes its mode, no file is read-only, so a step can write into what it is given. It reaches a
copy, made once per run and blob and sharing its bytes on disk where the file system can. The copy is judged by itself,
not by the name that the step had, which may be moved, removed or replaced: at once by size and time of modification;
it is hashed when it has changed in any other manner than by links of our own, or where its times would not tell.

A place that mounts inputs read-only needs none of this: it lends the blobs themselves.
Source: decision 137.
"""

import errno
import os
import threading
import time
from contextlib import suppress
from hashlib import sha256
from typing import Literal, NamedTuple

from vhpipe.attempt.configuration_files import READ_ONLY
from vhpipe.attempt.storage import AttemptBlobs
from vhpipe.regular_files import open_regular
from vhpipe.store.checksums import Checksums
from vhpipe.store.file_system import CANNOT_LINK
from vhpipe.store.long_paths import make_folders, reachable
from vhpipe.store.long_work import go_on

_COARSE_CLOCK = 5
"""The clock of file times, CLOCK_REALTIME_COARSE of linux/time.h."""
CHEAP_BYTES = 1 << 20
"""A copy up to this size is hashed wherever its times may not tell; a larger one is placed a tick earlier."""
FOLDER = "lent"
_CHUNK = 1 << 20

Verdict = Literal["intact", "touched", "written"]
"""Of a file that was given. Touched: moved, removed, linked or of another mode, and its bytes are what they were."""


class LentFile:
    """One copy and what it was when it was last known to be intact.

    `links` counts those that it was given; `lock` is held by who links, judges or replaces it.
    """

    def __init__(self, blob: str, path: str, status: os.stat_result, lock: threading.Lock) -> None:
        self.blob, self.path, self.links, self.lock = blob, path, 0, lock
        self.inode, self.size_bytes, self.modified_ns = status.st_ino, status.st_size, status.st_mtime_ns
        self.changed_ns = status.st_ctime_ns
        self.is_damaged = False

    def is_as_made(self, status: os.stat_result) -> bool:
        """Whether size and time of modification are those of the copy when it was made."""
        found = status.st_ino, status.st_size, status.st_mtime_ns
        return found == (self.inode, self.size_bytes, self.modified_ns)


class Loan(NamedTuple):
    """A file that a step was given. `linked_ns` is the time of change of its copy then; 0 for a copy of its own."""

    target: str
    file: LentFile
    linked_ns: int

    @property
    def is_private(self) -> bool:
        return self.linked_ns == 0


class LentCopies:
    """The copies that the attempts of a run are given, in a folder below `shared`. Thread-safe."""

    def __init__(self, blobs: AttemptBlobs, shared: str) -> None:
        self._blobs, self._folder = blobs, f"{shared}/{FOLDER}"
        self._files: dict[str, LentFile] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._can_link, self._is_made = True, False
        self._times_tell: bool | None = None

    # ── giving ───────────────────────────────────────────────────────────────────────────────────

    def lend(self, blob: str, target: str) -> Loan:
        """Make `target`, which must not exist, a read-only file with the blob's bytes.

        Errors: `DamagedBlobError` for a blob that is not intact, `VhpipeError` and OSError for the world.
        """
        lock = self._locks.setdefault(blob, threading.Lock())
        if self._can_link:
            try:
                with lock:
                    return self._link(blob, target, lock)
            except OSError as error:
                if error.errno not in CANNOT_LINK:
                    raise
                self._can_link = False
        self._blobs.copy_to(blob, target, READ_ONLY)
        return Loan(target, LentFile(blob, target, os.stat(target), lock), 0)

    def checksums(self, blob: str) -> Checksums:
        """All checksums of a blob, to be asked for before it is lent: one pass takes and verifies them.

        Errors: `DamagedBlobError`.
        """
        return self._blobs.checksums(blob)

    def has(self, blob: str) -> bool:
        """Whether a copy is there, so that lending it takes no time."""
        return blob in self._files

    def _link(self, blob: str, target: str, lock: threading.Lock) -> Loan:
        file = self._files.get(blob)
        if file is None or self._judge(file) == "written":
            file = self._files[blob] = self._new(blob, lock)
        try:
            os.link(file.path, target)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            file = self._files[blob] = self._new(blob, lock)
            os.link(file.path, target)
        file.links += 1
        file.changed_ns = os.stat(file.path).st_ctime_ns
        return Loan(target, file, file.changed_ns)

    def _new(self, blob: str, lock: threading.Lock) -> LentFile:
        """Another copy; who still has the one before keeps it."""
        if not self._is_made:
            make_folders(self._folder)
            self._is_made = True
        path = f"{self._folder}/{os.urandom(8).hex()}"
        self._blobs.copy_to(blob, path, READ_ONLY)
        return LentFile(blob, path, os.stat(path), lock)

    def settle(self, loans: tuple[Loan, ...]) -> int:
        """The time from which a step may write. A large copy has to be older, so that its times will tell."""
        now = time.clock_gettime_ns(_COARSE_CLOCK)
        large = [each.linked_ns for each in loans if each.file.size_bytes > CHEAP_BYTES]
        while large and max(large) >= now:
            time.sleep(0.001)
            now = time.clock_gettime_ns(_COARSE_CLOCK)
        return now

    # ── judging ──────────────────────────────────────────────────────────────────────────────────

    def verdict(self, loan: Loan, started_ns: int) -> Verdict:
        """What became of a file since it was given; `started_ns` is what `settle` said. Errors: OSError."""
        if loan.is_private:
            return _verdict_on_private(loan)
        with loan.file.lock:
            return self._judge(loan.file, in_doubt=loan.linked_ns >= started_ns or not self._tells())

    def _judge(self, file: LentFile, in_doubt: bool = False) -> Verdict:
        if file.is_damaged:
            return "written"
        try:
            status = os.stat(file.path, follow_symlinks=False)
        except FileNotFoundError:
            status = None
        if status is not None and file.is_as_made(status):
            is_touched = status.st_ctime_ns != file.changed_ns
            if not is_touched and not in_doubt:
                return "intact"
            if _is_content(file.path, file.blob):
                if is_touched:
                    self._restore(file)
                return "touched" if is_touched else "intact"
        file.is_damaged = True
        return "written"

    def _restore(self, file: LentFile) -> None:
        with suppress(OSError):
            os.chmod(file.path, READ_ONLY)
        file.changed_ns = os.stat(file.path).st_ctime_ns

    def _tells(self) -> bool:
        """Whether the file system moves the time of a file that is written through a mapping."""
        if self._times_tell is None:
            self._times_tell = _mapping_moves_times(f"{self._folder}/{os.urandom(8).hex()}")
        return self._times_tell


def _verdict_on_private(loan: Loan) -> Verdict:
    """A copy of its own can harm nobody else, wherever the step has put it."""
    with suppress(OSError), reachable(loan.target) as path:
        status = os.stat(path, follow_symlinks=False)
        if status.st_ino == loan.file.inode:
            return "intact" if loan.file.is_as_made(status) else "written"
    return "touched"


def _is_content(path: str, blob: str) -> bool:
    try:
        descriptor = open_regular(path, follow=False)
    except PermissionError:
        os.chmod(path, READ_ONLY)
        descriptor = open_regular(path, follow=False)
    digest = sha256()
    try:
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
            if len(chunk) < _CHUNK:
                break
            go_on()
    finally:
        os.close(descriptor)
    return digest.hexdigest() == blob


def _mapping_moves_times(path: str) -> bool:
    """Tried out with a file, for what has no name for it (tmpfs) tells by nothing else."""
    import mmap

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.unlink(path)
        os.write(descriptor, bytes(mmap.PAGESIZE))
        os.utime(descriptor, ns=(0, 0))
        with mmap.mmap(descriptor, mmap.PAGESIZE) as mapped:
            mapped[1] = mapped[0] + 1  # read first: the page is then mapped before it is written
            mapped.flush()
        return os.fstat(descriptor).st_mtime_ns != 0
    except (OSError, ValueError):
        return False
    finally:
        os.close(descriptor)
