"""Working copies of the project's code: each belongs to a slot and is put back to the snapshot between executions.

Putting back looks at size, times and mode of every file, and writes only what differs from what this program wrote.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from vhpipe.errors import EnvironmentFailure, from_os_error
from vhpipe.regular_files import RECORD_BYTES, open_regular, read_regular
from vhpipe.store import file_system
from vhpipe.store.atomic import write_atomically
from vhpipe.store.attempt_files import REPOSITORY
from vhpipe.store.blobs import Blobs
from vhpipe.store.file_system import set_mode
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.long_paths import make_folders
from vhpipe.store.snapshots import Snapshot, SnapshotEntry

Mode = Literal["copy", "link"]

_FOLDER_MODE = 0o755
_LONG_AGO = 946_684_800
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
    folders: frozenset[str]
    blobs: Blobs
    mode: Mode


class WorkingCopies:
    """The working copies of one run. `link` makes files read-only hard links to blobs instead of copies."""

    def __init__(self, slots: Path, blobs: Blobs, snapshot: Snapshot, mode: Mode = "copy") -> None:
        self._slots = slots
        files = {entry.path: entry for entry in snapshot.entries}
        self._wanted = _CopyContent(files, _folders_of(files), blobs, mode)

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
        self._files, self._folders, self._blobs, self._mode = wanted
        self._written = _read_record(self._record, self._mode)
        self._recorded = dict(self._written)
        self._left_folders: list[tuple[str, _FolderMark]] = []
        self._left_files: list[tuple[str, _FileMark]] = []

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
            missing_folders = set(self._folders)
            self._clean("", missing, missing_folders)
            for folder in sorted(missing_folders):
                self._make_folder(f"{self._root}/{folder}")
            for entry in missing.values():
                self._write(entry)
            self._note_how_it_is_left()
        except OSError as error:
            raise from_os_error(error, "cannot restore the working copy") from error

    def _note_how_it_is_left(self) -> None:
        """Folders get an old time, so that a change is seen even within one tick of the clock."""
        self._left_files = [(f"{self._root}/{path}", _mark_of(self._written[path])) for path in self._files]
        for folder in ("", *self._folders):
            path = f"{self._root}/{folder}"
            if os.lstat(path).st_mtime_ns != _LONG_AGO * 1_000_000_000:
                os.utime(path, (_LONG_AGO, _LONG_AGO))
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
        except OSError:
            return False
        return bool(self._left_folders)

    def keep_as(self, target: Path) -> None:
        """Move the copy away as it is, e.g. for a look at a failed execution; `restore` makes a fresh one.

        Nothing is kept of a copy that the step itself removed or replaced.
        """
        self._written.clear()
        self._left_folders.clear()
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

    def _clean(self, prefix: str, missing: dict[str, SnapshotEntry], missing_folders: set[str]) -> None:
        """Remove what does not belong below a folder; what is found as it should be is no longer missing."""
        with os.scandir(f"{self._root}/{prefix}") as entries:
            for entry in entries:
                path = prefix + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    wanted = self._files.get(path)
                    if wanted is not None and self._is_as_written(wanted, entry.stat(follow_symlinks=False)):
                        del missing[path]
                    else:
                        os.unlink(entry.path)
                elif path in self._folders:
                    missing_folders.discard(path)
                    if stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) != _FOLDER_MODE:
                        set_mode(entry.path, _FOLDER_MODE)
                    self._clean(f"{path}/", missing, missing_folders)
                else:
                    remove_tree(entry.path)

    def _is_as_written(self, wanted: SnapshotEntry, status: os.stat_result) -> bool:
        """Errors: EnvironmentFailure if a step wrote through a link to a blob, whose bytes are lost by that."""
        written = self._written.get(wanted.path)
        if written is None or written.inode != status.st_ino:
            return False
        linked = written.changed_ns == 0
        if (
            status.st_size == written.size_bytes
            and status.st_mtime_ns == written.modified_ns
            and (linked or status.st_ctime_ns == written.changed_ns)
            and stat.S_IMODE(status.st_mode) == written.mode
        ):
            return written.content == _content(wanted)
        if linked:
            self._refuse_damage(written, status, wanted.path)
        return False

    def _refuse_damage(self, written: WrittenFile, status: os.stat_result, path: str) -> None:
        if (status.st_size, status.st_mtime_ns) != (written.size_bytes, written.modified_ns):
            self._blobs.remove(written.content)
            os.unlink(f"{self._root}/{path}")
            del self._written[path]
            raise EnvironmentFailure(
                f"a step wrote into `{path}`, which is a link to stored code", hint="run with `--repository copy`"
            )
        set_mode(f"{self._root}/{path}", 0o444)

    def _write(self, entry: SnapshotEntry) -> None:
        """In link mode, what must be executable is copied all the same, for a blob is not."""
        path = f"{self._root}/{entry.path}"
        linked = False
        if entry.link is not None:
            os.symlink(entry.link, path)
        elif self._mode == "link" and entry.mode == 0o644:
            self._blobs.link_to(entry.blob, Path(path))
            linked = os.lstat(path).st_nlink > 1
        else:
            self._blobs.copy_to(entry.blob, Path(path), entry.mode)
            os.utime(path, (_time_of(entry), _time_of(entry)))
        self._written[entry.path] = _record_of(_content(entry), os.lstat(path), linked)


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


def _time_of(entry: SnapshotEntry) -> int:
    """The time of a file in a working copy, in seconds: long ago, and another one for other content.

    So a change is seen even within one tick of the clock, and tools that go by time and size see new code as new.
    """
    return _LONG_AGO + int(entry.blob[:7], 16)


def _mark_of(written: WrittenFile) -> _FileMark:
    return written.inode, written.size_bytes, written.modified_ns, written.changed_ns, written.mode


def _folder_mark(status: os.stat_result) -> _FolderMark:
    return status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns


def _folders_of(paths: Iterable[str]) -> frozenset[str]:
    folders: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = os.path.dirname(folder)
    return frozenset(folders)


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
