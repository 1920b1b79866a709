"""Outputs copied out of the store into a folder of the user: never through a link, never over other content."""

import os
import stat
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from vhpipe.config.paths import path_fault
from vhpipe.errors import EnvironmentFailure, RefusedError, from_os_error
from vhpipe.plan.model import Datum
from vhpipe.regular_files import open_to_read
from vhpipe.store.blobs import Blobs, DamagedBlobError
from vhpipe.store.long_paths import make_folders, reachable
from vhpipe.wording import joined, plural

MOST_NAMES = 5


class OutputCopy(NamedTuple):
    """`path` is where the datum goes below the target folder; `run` and `node` made it, `label` is its execution."""

    path: str
    datum: Datum
    run: int
    node: str
    label: str


def folder_name(name: str) -> str:
    """A node's name as one part of a path; names that differ stay different."""
    quoted = name.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted


def fetch(wanted: Sequence[OutputCopy], target: Path, blobs: Blobs, is_forced: bool) -> None:
    """Copy every file to its place below `target`; one that is there with the same bytes is left alone.

    All names and places are checked before anything is written. Errors: RefusedError for unsafe names, links on the
    way and other content that is there; EnvironmentFailure for the disk, and, when all others have been copied, for
    files whose bytes are missing or damaged.
    """
    folder = _TargetFolder(os.fspath(target))
    damaged: list[OutputCopy] = []
    try:
        missing = [each for each in wanted if not folder.has(each, is_forced)]
        for each in missing:
            try:
                folder.copy(each, blobs)
            except DamagedBlobError:
                damaged.append(each)
    except OSError as error:
        raise from_os_error(error, "cannot fetch outputs to") from error
    if damaged:
        raise _damage(damaged)


def _damage(damaged: Sequence[OutputCopy]) -> EnvironmentFailure:
    names = [f"output `{each.datum.name}` of {each.label} (stored file {each.datum.blob[:16]})" for each in damaged]
    first = damaged[0]
    return EnvironmentFailure(
        f"{joined(names, ' and ', MOST_NAMES)} {plural(len(damaged), 'is', 'are')} missing or damaged, "
        f"{plural(len(damaged), 'it was', 'they were')} not copied",
        f"make it again: vhpipe resume {first.run} --from {first.node}",
    )


class _TargetFolder:
    """The folder that the user chose, which may be a link; below it nothing may lead elsewhere."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._checked: set[str] = set()

    def has(self, wanted: OutputCopy, is_forced: bool) -> bool:
        """Whether the file is there as it should be."""
        reason = path_fault(wanted.path)
        if reason is not None:
            raise RefusedError(f"output name `{wanted.path}` is unsafe: it {reason}")
        if not self._is_folder_there(wanted.path.rpartition("/")[0]):
            return False
        place = f"{self._path}/{wanted.path}"
        with reachable(place) as short:
            try:
                status = os.lstat(short)
            except FileNotFoundError:
                return False
            if not stat.S_ISREG(status.st_mode):
                raise RefusedError(f"`{place}` already exists and is not a regular file", hint="choose another folder")
            if status.st_size == wanted.datum.size_bytes and _sha256(short) == wanted.datum.blob:
                return True
        if not is_forced:
            raise RefusedError(f"`{place}` already exists with different content", hint="--force replaces it")
        return False

    def _is_folder_there(self, path: str) -> bool:
        """Whether a folder below the target is there, and no link leads to it; each is looked at once."""
        below = ""
        for part in path.split("/") if path else ():
            below = f"{below}/{part}"
            if below in self._checked:
                continue
            place = f"{self._path}{below}"
            try:
                with reachable(place) as short:
                    mode = os.lstat(short).st_mode
            except FileNotFoundError:
                return False
            if stat.S_ISLNK(mode):
                raise RefusedError(
                    f"`{place}` is a link: outputs are not written through links", hint="choose another folder"
                )
            if not stat.S_ISDIR(mode):
                raise RefusedError(f"`{place}` already exists and is not a folder", hint="choose another folder")
            self._checked.add(below)
        return True

    def copy(self, wanted: OutputCopy, blobs: Blobs) -> None:
        """Write the file beside its place first, so that nobody ever sees a part of it."""
        place = f"{self._path}/{wanted.path}"
        above = os.path.dirname(place)
        if not os.path.isdir(above):
            make_folders(above, 0o777)
        self._is_folder_there(wanted.path.rpartition("/")[0])
        with reachable(place) as short:
            temporary = f"{os.path.dirname(short)}/.{os.urandom(8).hex()}.tmp"
            blobs.copy_to(wanted.datum.blob, temporary, wanted.datum.mode & 0o777 | 0o600)
            try:
                os.rename(temporary, short)
            except OSError:
                os.unlink(temporary)
                raise


def _sha256(path: str) -> str:
    with open_to_read(path) as file:
        return file_digest(file, "sha256").hexdigest()
