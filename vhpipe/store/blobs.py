"""Bytes by their sha256: `blobs/ab/<sha256>`, read-only, each content once.

Every execution passes through here, so this module counts system calls: plain strings instead of paths, small
files in one read, folders made when first needed, and no sync (the journal's sync comes after, and what a loss of
power takes is found by size and hash).

Whatever leaves the store is intact: a process hashes a blob before it hands it on for the first time, and again when
its file has changed since by so much as its times. What earlier processes have verified does not count.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.store.atomic import temporary_name, write_all
from vhpipe.store.checksums import Checksums, PassingBytes, RememberedChecksums
from vhpipe.store.file_system import CANNOT_LINK, set_mode
from vhpipe.store.long_paths import make_folders
from vhpipe.store.long_work import go_on

SMALL_BYTES = 1 << 20
"""Files up to this size are held in memory at once; it is also the size of a chunk of larger ones."""

AT_ONCE_BYTES = 1 << 26
"""So much is copied by the kernel before anybody may say that the rest is not wanted."""
_NO_BLOB = frozenset({errno.ELOOP, errno.EACCES, errno.ENXIO})
"""Something has the name and is no readable file, such as a link."""
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


_verified: dict[str, dict[str, int]] = {}
"""By the folder of a store: the blobs that this process has verified, each with the marks of its file at that time."""


class DamagedBlobError(EnvironmentFailure):
    """A blob that is asked for is missing, or its bytes are not what its name says."""

    def __init__(self, blob: str) -> None:
        super().__init__(f"stored file {blob[:16]} is missing or damaged", "vhpipe verify lists what needs it")
        self.blob = blob


class Blobs:
    """The blob store in one folder; several processes may use it at once. Thread-safe.

    `hashed_bytes` counts the bytes that were read to verify blobs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._known: set[str] = set()
        self._verified = _verified.setdefault(os.path.abspath(self._folder), {})
        self._checksums = RememberedChecksums()
        self.hashed_bytes = 0

    @property
    def folder(self) -> str:
        return self._folder

    def path(self, blob: str) -> Path:
        return Path(self._name(blob))

    def has(self, blob: str) -> bool:
        return os.path.exists(self._name(blob))

    def size_of(self, blob: str) -> int:
        """Bytes; 0 for a blob that is not there."""
        try:
            return os.stat(self._name(blob), follow_symlinks=False).st_size
        except OSError:
            return 0

    def verify(self, blob: str) -> bool:
        """Whether the blob is there and its bytes are what its name says; one that is not is put aside as `.bad`.

        It is hashed once, and again only when its file has changed since.
        """
        name = self._name(blob)
        try:
            descriptor = self._open_unverified(name, blob)
        except OSError as error:
            if error.errno in _NO_BLOB:
                with suppress(OSError):
                    os.rename(name, f"{name}.bad")
            return False
        if descriptor is None:
            return True
        try:
            is_good = self._hash_is(descriptor, name, blob)
            if not is_good and is_still(name, descriptor):  # else somebody put it aside, and this may be a good one
                with suppress(OSError):
                    os.rename(name, f"{name}.bad")
        finally:
            os.close(descriptor)
        return is_good

    def is_intact(self, blob: str) -> bool:
        """Whether the blob is stored with the content of its name; nothing is set aside if it is damaged."""
        name = self._name(blob)
        try:
            descriptor = self._open_unverified(name, blob)
        except OSError:
            return False
        if descriptor is None:
            return True
        try:
            return self._hash_is(descriptor, name, blob)
        finally:
            os.close(descriptor)

    def read(self, blob: str) -> bytes:
        """The bytes of a blob. Errors: `DamagedBlobError`, EnvironmentFailure."""
        descriptor = self.open(blob)
        try:
            return b"".join(_chunks(descriptor, os.fstat(descriptor).st_size))
        except OSError as error:
            raise from_os_error(error, "cannot read") from error
        finally:
            os.close(descriptor)

    def open(self, blob: str) -> int:
        """A descriptor to read an intact blob from. Errors: `DamagedBlobError`, EnvironmentFailure."""
        self.refuse_damaged(blob)
        return _open(self._name(blob), _READ | os.O_NOFOLLOW)

    def refuse_damaged(self, blob: str) -> None:
        """Errors: `DamagedBlobError` for a blob that is not there as its name says."""
        if not self.is_intact(blob):
            raise DamagedBlobError(blob)

    def checksums(self, blob: str) -> Checksums:
        """All checksums of an intact blob, taken as it is verified. Errors: `DamagedBlobError`, EnvironmentFailure."""
        known = self._checksums.get(blob)
        if known is not None and self._is_as_verified(blob):
            return known
        name = self._name(blob)
        try:
            descriptor = os.open(name, _READ | os.O_NOFOLLOW)
        except OSError as error:
            raise DamagedBlobError(blob) from error
        try:
            if not self._hash_is(descriptor, name, blob, takes_all=True):
                raise DamagedBlobError(blob)
        finally:
            os.close(descriptor)
        taken = self._checksums.get(blob)
        assert taken is not None, "they were taken just now"
        return taken

    def _is_as_verified(self, blob: str) -> bool:
        marks = self._verified.get(blob)
        try:
            return marks is not None and _marks(os.stat(self._name(blob), follow_symlinks=False)) == marks
        except OSError:
            return False

    def _open_unverified(self, name: str, blob: str) -> int | None:
        """A descriptor of a blob that is to be hashed; None for one that is as it was when that was done."""
        return None if self._is_as_verified(blob) else os.open(name, _READ | os.O_NOFOLLOW)

    def _hash_is(self, descriptor: int, name: str, blob: str, takes_all: bool = False) -> bool:
        try:
            before = _regular(name, descriptor)
            found, size_bytes = self._hash(descriptor, before.st_size, takes_all)
            after = os.fstat(descriptor)
        except (OSError, EnvironmentFailure):
            return False
        self.hashed_bytes += size_bytes
        if found != blob:
            return False
        if _marks(before) == _marks(after):
            self._verified[blob] = _marks(after)
        return True

    def _hash(self, descriptor: int, expected_bytes: int, takes_all: bool = False) -> tuple[str, int]:
        """sha256 and size of the rest of a regular file; of a small one all checksums are remembered."""
        if takes_all or expected_bytes <= SMALL_BYTES:
            passing = PassingBytes(_chunks(descriptor, expected_bytes))
            blob, size_bytes = _hash(passing)
            self._checksums.add(passing.checksums(blob))
            return blob, size_bytes
        return _hash(_chunks(descriptor, expected_bytes))

    def keep(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        """sha256 and size of a file that is ours: it becomes the blob itself, read-only.

        It is copied instead if it has other links or cannot be linked. Errors: EnvironmentFailure; also for
        anything that is not a regular file, links included.
        """
        source = os.fspath(path)
        descriptor = _open(source, _READ | os.O_NOFOLLOW)
        try:
            return self._keep(source, descriptor)
        except OSError as error:
            error.filename = error.filename or source
            raise from_os_error(error, "cannot store") from error
        finally:
            os.close(descriptor)

    def _keep(self, source: str, descriptor: int) -> tuple[str, int]:
        status = _regular(source, descriptor)
        blob, size_bytes = self._hash(descriptor, status.st_size)
        target = self._name(blob)
        if status.st_nlink > 1 or not self._link(source, target, size_bytes):
            return self._copy_descriptor(descriptor, blob, size_bytes)
        set_mode(descriptor, 0o444)
        now = os.fstat(descriptor)
        if now.st_nlink == 1:
            return blob, size_bytes  # one with its bytes was there
        if (now.st_size, now.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            return self._copy_growing(target, descriptor)
        self._verified[blob] = _marks(now)
        return blob, size_bytes

    def _copy_growing(self, target: str, descriptor: int) -> tuple[str, int]:
        """Somebody still writes into the file, which must not be a blob: what is read of it now is stored."""
        if is_still(target, descriptor):
            os.unlink(target)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return self._receive(_chunks(descriptor, os.fstat(descriptor).st_size))

    def _link(self, source: str, target: str, size_bytes: int) -> bool:
        """Whether `source` is the blob now, or one with its bytes was there."""
        try:
            self._make_folder(target)
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            return self._is_there(target, size_bytes)
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise
            return False
        return True

    def _copy_descriptor(self, descriptor: int, blob: str, size_bytes: int) -> tuple[str, int]:
        """Store the bytes behind a descriptor that was read to its end; what counts is what is read this time."""
        if self._is_there(self._name(blob), size_bytes):
            return blob, size_bytes
        os.lseek(descriptor, 0, os.SEEK_SET)
        return self._receive(_chunks(descriptor, size_bytes))

    def copy_in(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        """sha256 and size of a file that belongs to the user: it is copied and left as it is; links are followed."""
        source = os.fspath(path)
        descriptor = _open(source, _READ)
        try:
            return self._copy_in(source, descriptor)
        except OSError as error:
            error.filename = error.filename or source
            raise from_os_error(error, "cannot copy") from error
        finally:
            os.close(descriptor)

    def _copy_in(self, source: str, descriptor: int) -> tuple[str, int]:
        """A large file is hashed first, for it is mostly there already."""
        size_bytes = _regular(source, descriptor).st_size
        if size_bytes < SMALL_BYTES:
            return self.write(b"".join(_chunks(descriptor, size_bytes)))
        return self._copy_descriptor(descriptor, *self._hash(descriptor, size_bytes, takes_all=True))

    def write(self, content: bytes) -> tuple[str, int]:
        """sha256 and size of the content, which is stored if it is not there yet."""
        blob = sha256(content).hexdigest()
        target = self._name(blob)
        if not self._is_there(target, len(content)):
            try:
                self._make_folder(target)
                self._write_and_name(target, (content,))
            except OSError as error:
                raise from_os_error(error, "cannot store") from error
        return blob, len(content)

    def receive(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """sha256 and size of what comes chunk by chunk; nothing is stored if the chunks end with an exception.

        No file is made before the first chunk is there, for which the wait may be long.
        """
        coming = iter(chunks)
        passing = PassingBytes(chain((next(coming, b""),), coming))
        try:
            blob, size_bytes = self._receive(passing)
        except OSError as error:
            raise from_os_error(error, "cannot store") from error
        self._checksums.add(passing.checksums(blob))
        return blob, size_bytes

    def _receive(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        make_folders(self._folder)
        return self._write_and_name(f"{self._folder}/new", chunks)

    def _write_and_name(self, beside: str, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Write the chunks to a new file with a name like `beside`, then give it the name that its bytes deserve."""
        temporary = temporary_name(beside)
        try:
            blob, size_bytes = _write_chunks(temporary, chunks)
            target = self._name(blob)
            self._make_folder(target)
            os.rename(temporary, target)
            self._verified[blob] = _marks(os.stat(target, follow_symlinks=False))
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return blob, size_bytes

    def link_to(self, blob: str, target: str | os.PathLike[str]) -> None:
        """Make `target`, which must not exist, the blob's file itself: read-only, and to be left so.

        Errors: `DamagedBlobError`, EnvironmentFailure.
        """
        self.refuse_damaged(blob)
        try:
            os.link(self._name(blob), target)
            self._note_link(blob, os.stat(target, follow_symlinks=False))
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise from_os_error(error, "cannot link") from error
            self.copy_to(blob, target, 0o444)

    def _note_link(self, blob: str, status: os.stat_result) -> None:
        """A link of our own has moved the time of the blob's change: that is no reason to hash it again."""
        self._verified[blob] = _marks(status)

    def copy_to(self, blob: str, target: str | os.PathLike[str], mode: int) -> None:
        """Make `target`, which must not exist, a file of its own with the blob's bytes.

        Errors: `DamagedBlobError`, EnvironmentFailure.
        """
        source = self.open(blob)
        try:
            _write_copy(source, os.fspath(target), mode)
        except OSError as error:
            error.filename = os.fspath(target)
            raise from_os_error(error, "cannot write") from error
        finally:
            os.close(source)

    def remove(self, blob: str) -> None:
        """Forget a blob whose bytes are known to be spoiled; one that is not there is no error."""
        with suppress(FileNotFoundError):
            os.unlink(self._name(blob))

    def _name(self, blob: str) -> str:
        return f"{self._folder}/{blob[:2]}/{blob}"

    def _is_there(self, name: str, size_bytes: int) -> bool:
        """Whether the blob is there, byte for byte: a loss of power or a bad disk can leave another in its place."""
        with suppress(FileNotFoundError):
            return os.stat(name, follow_symlinks=False).st_size == size_bytes and self.verify(name[-64:])
        return False

    def _make_folder(self, target: str) -> None:
        """Make the folder of a blob; one that was seen once is taken to stay."""
        folder = target[:-65]
        if folder not in self._known:
            make_folders(folder)
            self._known.add(folder)


def _open(path: str, flags: int) -> int:
    try:
        return os.open(path, flags)
    except OSError as error:
        raise from_os_error(error, "cannot open") from error


def _regular(path: str, descriptor: int) -> os.stat_result:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise EnvironmentFailure(f"cannot store `{path}`: it is not a regular file")
    return status


def _marks(status: os.stat_result) -> int:
    """What changes when somebody writes into a file, gives it other times, or puts another in its place."""
    return hash((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def is_still(path: str, descriptor: int) -> bool:
    """Whether the open file is the one that has the name now."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    return False


def _hash(chunks: Iterable[bytes]) -> tuple[str, int]:
    digest = sha256()
    size_bytes = 0
    for chunk in chunks:
        digest.update(chunk)
        size_bytes += len(chunk)
    return digest.hexdigest(), size_bytes


def _chunks(descriptor: int, expected_bytes: int) -> Iterator[bytes]:
    """The rest of a regular file, whose end shows in a short read: a small one takes a single call."""
    length = min(expected_bytes + 1, SMALL_BYTES)
    while chunk := os.read(descriptor, length):
        yield chunk
        if len(chunk) < length:
            return
        length = SMALL_BYTES
        go_on()


def _write_chunks(path: str, chunks: Iterable[bytes]) -> tuple[str, int]:
    digest = sha256()
    size_bytes = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    try:
        for chunk in chunks:
            digest.update(chunk)
            size_bytes += len(chunk)
            _write_named(descriptor, chunk, path)
        set_mode(descriptor, 0o444)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size_bytes


def _write_named(descriptor: int, chunk: bytes, path: str) -> None:
    try:
        write_all(descriptor, chunk)
    except OSError as error:
        error.filename = path
        raise


def _write_copy(source: int, target: str, mode: int) -> None:
    """A new file with all bytes, or none."""
    copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _copy_bytes(source, copy)
        set_mode(copy, mode)
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(copy)


def _copy_bytes(source: int, target: int) -> None:
    """Copy all bytes; a large file shares its blocks with the copy where the file system can."""
    size_bytes = os.fstat(source).st_size
    if size_bytes < SMALL_BYTES:
        for chunk in _chunks(source, size_bytes):
            write_all(target, chunk)
        return
    try:
        while os.copy_file_range(source, target, AT_ONCE_BYTES):
            go_on()
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise
        for chunk in _chunks(source, size_bytes):
            write_all(target, chunk)
