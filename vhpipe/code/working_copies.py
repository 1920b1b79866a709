"""Working copies of the project's code: each belongs to a slot and is put back to the snapshot between executions.

Putting back looks at size, times and mode of every file, and writes only what differs from what this program wrote.
Files, links and folders have the times of modification that they have in the project. Large files are shared where the
file system cannot make copies that share their bytes. Source: decisions 24, 112, 114.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from vhpipe.code.file_times import LONG_AGO_NS, set_time, time_of
from vhpipe.code.large_code import LARGE_BYTES
from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import RECORD_BYTES, open_regular, read_regular
from vhpipe.store import file_system
from vhpipe.store.atomic import write_atomically
from vhpipe.store.attempt_files import REPOSITORY, SHARED_FILES
from vhpipe.store.blobs import Blobs
from vhpipe.store.file_system import set_mode
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.long_paths import make_folders
from vhpipe.store.snapshots import Snapshot, SnapshotEntry, folders_of

if TYPE_CHECKING:
    from vhpipe.code.shared_files import SharedFiles

Mode = Literal["copy", "link"]

_FOLDER_MODE = 0o755
_OPEN_LOCK = os.O_RDWR | os.O_CREAT


class WrittenFile(msgspec.Struct, frozen=True, array_like=True):
    """What this program left at a path: which content, and how the file system showed it right after.

    `changed_ns` is the time of the last change of any kind; 0 for links to blobs, where others' links move it.
    """

    content: str
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int
    mode: int


_FileMark = tuple[int, int, int, int, int]
"""Inode, size, times of content and of any change in ns, mode: the fields of `WrittenFile` after its content."""
_FolderMark = tuple[int, int, int, int]


class _Record(msgspec.Struct):
    mode: Mode
    files: dict[str, WrittenFile]


_decoder = msgspec.json.Decoder(_Record)


class _CopyContent(NamedTuple):
    """What every working copy of a run looks like."""

    files: dict[str, SnapshotEntry]
    folders: dict[str, int]
    blobs: Blobs
    mode: Mode
    shared: "SharedFiles | None"
    """None where nothing is shared."""
    shared_from_bytes: int

    def shares(self, entry: SnapshotEntry) -> bool:
        if self.shared is None or entry.link is not None:
            return False
        return entry.size_bytes >= self.shared_from_bytes and self.shared.is_possible


class WorkingCopies:
    """The working copies of one run. With `link` they share all their files, else the large ones."""

    def __init__(self, slots: Path, blobs: Blobs, snapshot: Snapshot, mode: Mode = "copy") -> None:
        self._slots = slots
        files = {entry.path: entry for entry in snapshot.entries}
        folders = {folder: snapshot.folders.get(folder, LONG_AGO_NS) for folder in ("", *folders_of(files))}
        shared = self._shared_files(blobs, mode) if mode == "link" or _is_large(snapshot) else None
        self._wanted = _CopyContent(files, folders, blobs, mode, shared, 0 if mode == "link" else LARGE_BYTES)

    def _shared_files(self, blobs: Blobs, mode: Mode) -> "SharedFiles | None":
        """None where copies share their bytes by themselves."""
        from vhpipe.code.reflinks import can_reflink  # most code is small
        from vhpipe.code.shared_files import SharedFiles

        if mode == "copy" and can_reflink(self._slots):
            return None
        return SharedFiles(f"{self._slots}/{SHARED_FILES}", blobs)

    def large_shared(self) -> list[SnapshotEntry]:
        """The large files that the copies share."""
        entries = self._wanted.files.values()
        return [entry for entry in entries if entry.size_bytes >= LARGE_BYTES and self._wanted.shares(entry)]

    def make_shared(self, entry: SnapshotEntry) -> None:
        """Have what is shared of a file ready before it is needed. Errors: EnvironmentFailure."""
        if self._wanted.shared is not None:
            self._wanted.shared.make(entry)

    def close(self) -> None:
        """Call it when all copies are released."""
        folder = f"{self._slots}/{SHARED_FILES}"
        if self._wanted.shared is not None or os.path.isdir(folder):  # runs before may have shared something
            from vhpipe.code.shared_files import SharedFiles

            SharedFiles(folder, self._wanted.blobs).remove_unused()

    def take(self) -> "WorkingCopy":
        """The copy of the lowest slot that nobody uses, as in the snapshot; release it in the end."""
        try:
            os.makedirs(self._slots, 0o700, exist_ok=True)
            for slot in count():
                lock = open_regular(self._slots / f"{slot}.lock", _OPEN_LOCK, follow=False)
                with suppress(BlockingIOError):
                    file_system.lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, self._slots / f"{slot}.lock")
                    return self._make(self._slots / str(slot), lock)
                os.close(lock)
        except OSError as error:
            raise from_os_error(error, "cannot take a working copy") from error
        raise AssertionError("counting never ends")

    def _make(self, folder: Path, lock: int) -> "WorkingCopy":
        copy = WorkingCopy(folder, lock, self._wanted)
        try:
            copy.restore()
        except BaseException:
            copy.release()
            raise
        return copy


class WorkingCopy:
    """One working copy, ours as long as its lock is held. Used by one thread at a time."""

    def __init__(self, folder: Path, lock: int, wanted: _CopyContent) -> None:
        self.path = folder / REPOSITORY
        self._root = os.fspath(self.path)
        self._record = f"{folder}/written.json"
        self._lock = lock
        self._files, self._folders, self._blobs, self._mode, self._shared, _ = wanted
        self._shares = wanted.shares
        self._written = _read_record(self._record, self._mode)
        self._recorded = dict(self._written)
        self._left_folders: list[tuple[str, _FolderMark]] = []
        self._left_files: list[tuple[str, _FileMark]] = []
        self._linked: list[str] = []

    def restore(self) -> None:
        """Put the copy back to the snapshot: what is new goes, what changed or is gone comes back.

        What a step left behind, be it links, pipes or read-only folders, is never followed and never in the way.
        """
        if self._is_untouched():
            return
        self._left_folders.clear()
        try:
            self._make_root()
            missing = dict(self._files)
            missing_folders = {folder for folder in self._folders if folder}
            self._clean(missing, missing_folders)
            for folder in sorted(missing_folders):
                self._make_folder(f"{self._root}/{folder}")
            for entry in missing.values():
                self._write(entry)
            self._note_how_it_is_left()
        except OSError as error:
            raise from_os_error(error, "cannot restore the working copy") from error

    def _note_how_it_is_left(self) -> None:
        """Folders get their times, which are those of before: so a change is seen even within one tick of the clock."""
        self._left_files = [(f"{self._root}/{path}", _mark_of(self._written[path])) for path in self._files]
        self._linked = [path for path in self._files if self._written[path].changed_ns == 0]
        for folder, modified_ns in self._folders.items():
            path = f"{self._root}/{folder}"
            if os.lstat(path).st_mtime_ns != modified_ns:
                os.utime(path, ns=(modified_ns, modified_ns))
            self._left_folders.append((path, _folder_mark(os.lstat(path))))

    def _is_untouched(self) -> bool:
        """Whether all is as `restore` left it; a name that came or went shows in the times of its folder."""
        lstat = os.lstat
        try:
            for path, folder_mark in self._left_folders:
                if _folder_mark(lstat(path)) != folder_mark:
                    return False
            for path, mark in self._left_files:
                status = lstat(path)
                changed_ns = status.st_ctime_ns if mark[3] else 0
                if mark != (status.st_ino, status.st_size, status.st_mtime_ns, changed_ns, status.st_mode & 0o7777):
                    return False
            return bool(self._left_folders) and next(self._damaged(), None) is None
        except OSError:
            return False

    def verify(self) -> None:
        """Errors: EnvironmentFailure if a step has written into a file that it shares with others."""
        damaged = next(self._damaged(), None)
        if damaged is not None:
            raise EnvironmentFailure(
                f"a step wrote into `{damaged}`, which is read-only: all working copies share it",
                hint=f"let the step write into a copy of it (cp {damaged} mine && mv mine {damaged})",
            )

    def _damaged(self) -> Iterator[str]:
        """The shared files of this copy that were written into; what a step puts in the place of one is its own."""
        for path in self._linked:
            with suppress(OSError):
                if not self._is_intact(self._files[path]):
                    yield path

    def _is_intact(self, entry: SnapshotEntry) -> bool:
        path, inode = f"{self._root}/{entry.path}", self._written[entry.path].inode
        return self._shared is not None and self._shared.is_intact(entry, path, inode)

    def keep_as(self, target: Path) -> None:
        """Move the copy away as it is, e.g. for a look at a failed execution; `restore` makes a fresh one.

        Nothing is kept of a copy that the step itself removed or replaced.
        """
        self._written.clear()
        self._left_folders.clear()
        self._linked.clear()
        try:
            if not stat.S_ISDIR(os.lstat(self._root).st_mode):
                return
            make_folders(os.fspath(target.parent))
            set_mode(self._root, _FOLDER_MODE)
            os.rename(self._root, target)
        except FileNotFoundError:
            return
        except OSError as error:
            raise from_os_error(error, "cannot keep the working copy") from error

    def release(self) -> None:
        """Give the slot back; what was written is recorded, so that the next run writes only what differs."""
        if self._lock < 0:
            return
        written = {path: self._written[path] for path in self._files if path in self._written}
        if written != self._recorded:
            with suppress(EnvironmentFailure):
                write_atomically(self._record, encode(_Record(self._mode, written)))
        os.close(self._lock)
        self._lock = -1

    def _make_root(self) -> None:
        try:
            status = os.lstat(self._root)
        except FileNotFoundError:
            make_folders(str(self._root), _FOLDER_MODE)
            set_mode(self._root, _FOLDER_MODE)
            return
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(self._root)
            make_folders(str(self._root), _FOLDER_MODE)
        if stat.S_IMODE(status.st_mode) != _FOLDER_MODE:
            set_mode(self._root, _FOLDER_MODE)

    def _make_folder(self, path: str) -> None:
        os.mkdir(path)
        set_mode(path, _FOLDER_MODE)

    def _clean(self, missing: dict[str, SnapshotEntry], missing_folders: set[str]) -> None:
        """Remove what does not belong; what is found as it should be is no longer missing.

        Without recursion: folders may be nested deeper than calls.
        """
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            with os.scandir(f"{self._root}/{prefix}") as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if not entry.is_dir(follow_symlinks=False):
                        self._clean_file(path, entry, missing)
                    elif path in self._folders:
                        missing_folders.discard(path)
                        if stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) != _FOLDER_MODE:
                            set_mode(entry.path, _FOLDER_MODE)
                        waiting.append(f"{path}/")
                    else:
                        remove_tree(entry.path)

    def _clean_file(self, path: str, entry: "os.DirEntry[str]", missing: dict[str, SnapshotEntry]) -> None:
        wanted = self._files.get(path)
        if wanted is not None and self._is_as_written(wanted, entry.stat(follow_symlinks=False)):
            self._keep_time(wanted)
            del missing[path]
        else:
            os.unlink(entry.path)

    def _is_as_written(self, wanted: SnapshotEntry, status: os.stat_result) -> bool:
        written = self._written.get(wanted.path)
        if written is None or written.inode != status.st_ino or written.content != _content(wanted):
            return False
        if self._shares(wanted) != (written.changed_ns == 0):
            return False
        if written.changed_ns == 0:
            return self._is_intact(wanted)
        return (
            status.st_size == written.size_bytes
            and status.st_mtime_ns == written.modified_ns
            and status.st_ctime_ns == written.changed_ns
            and stat.S_IMODE(status.st_mode) == written.mode
        )

    def _keep_time(self, wanted: SnapshotEntry) -> None:
        """A file of the right content may have another time in the project than it had for the run before."""
        written = self._written[wanted.path]
        if written.changed_ns and written.modified_ns != time_of(wanted):
            path = f"{self._root}/{wanted.path}"
            set_time(path, wanted)
            self._written[wanted.path] = _record_of(written.content, os.lstat(path), linked=False)

    def _write(self, entry: SnapshotEntry) -> None:
        path = f"{self._root}/{entry.path}"
        is_shared = self._shared is not None and self._shares(entry) and self._shared.place(entry, path)
        if entry.link is not None:
            os.symlink(entry.link, path)
        elif not is_shared:
            self._blobs.copy_to(entry.blob, Path(path), entry.mode & 0o555 if self._mode == "link" else entry.mode)
        if not is_shared:
            set_time(path, entry)
        self._written[entry.path] = _record_of(_content(entry), os.lstat(path), is_shared)


def _is_large(snapshot: Snapshot) -> bool:
    return any(entry.size_bytes >= LARGE_BYTES for entry in snapshot.entries)


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it, however deep or closed to its owner; links are not followed."""
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        import subprocess

        subprocess.run(["chmod", "-R", "u+rwx", "--", path], stderr=subprocess.DEVNULL, check=False)
        removal = subprocess.run(["rm", "-rf", "--", path], stderr=subprocess.PIPE, check=False)
        if os.path.lexists(path):
            reason = os.fsdecode(removal.stderr).strip().partition("\n")[0]
            raise EnvironmentFailure(f"cannot remove `{path}`: {reason}") from None


def _mark_of(written: WrittenFile) -> _FileMark:
    return written.inode, written.size_bytes, written.modified_ns, written.changed_ns, written.mode


def _folder_mark(status: os.stat_result) -> _FolderMark:
    return status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns


def _content(entry: SnapshotEntry) -> str:
    return entry.blob if entry.link is None else f"-> {entry.link}"


def _record_of(content: str, status: os.stat_result, linked: bool) -> WrittenFile:
    changed_ns = 0 if linked else status.st_ctime_ns
    return WrittenFile(
        content, status.st_ino, status.st_size, status.st_mtime_ns, changed_ns, stat.S_IMODE(status.st_mode)
    )


def _read_record(path: str, mode: Mode) -> dict[str, WrittenFile]:
    """What the slot's last user wrote; without a record every file is written anew."""
    try:
        record = decode(read_regular(path, RECORD_BYTES, follow=False), _decoder)
    except (OSError, msgspec.DecodeError):
        return {}
    return record.files if record.mode == mode else {}
