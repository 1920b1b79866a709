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
from vhpipe.store.blobs import Blobs


class OutputCopy(NamedTuple):
    """`path` is where the datum goes below the target folder."""

    path: str
    datum: Datum


def folder_name(name: str) -> str:
    """A node's name as one part of a path; names that differ stay different."""
    quoted = name.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted


def fetch(wanted: Sequence[OutputCopy], target: Path, blobs: Blobs, is_forced: bool) -> None:
    """Copy every file to its place below `target`; one that is there with the same bytes is left alone.

    All is checked before anything is written. Errors: RefusedError for unsafe names, links on the way and other
    content that is there; EnvironmentFailure for the disk.
    """
    try:
        missing = [each for each in wanted if not _is_there(each, target, is_forced)]
        for each in missing:
            _copy(each, target, blobs)
    except OSError as error:
        raise from_os_error(error, "cannot fetch outputs to") from error


def _is_there(wanted: OutputCopy, target: Path, is_forced: bool) -> bool:
    reason = path_fault(wanted.path)
    if reason is not None:
        raise RefusedError(f"output name `{wanted.path}` is unsafe: it {reason}")
    _refuse_links(target, wanted.path)
    place = target / wanted.path
    if not os.path.lexists(place):
        return False
    if not stat.S_ISREG(place.lstat().st_mode):
        raise RefusedError(f"`{place}` already exists and is not a regular file", hint="choose another folder")
    if _has_content(place, wanted.datum):
        return True
    if not is_forced:
        raise RefusedError(f"`{place}` already exists with different content", hint="--force replaces it")
    return False


def _refuse_links(target: Path, path: str) -> None:
    """The user chose the target folder, which may be a link; below it nothing may lead elsewhere."""
    place = target
    for part in path.split("/")[:-1]:
        place = place / part
        if place.is_symlink():
            raise RefusedError(
                f"`{place}` is a link: outputs are not written through links", hint="choose another folder"
            )
        if os.path.lexists(place) and not place.is_dir():
            raise RefusedError(f"`{place}` already exists and is not a folder", hint="choose another folder")


def _has_content(place: Path, datum: Datum) -> bool:
    if place.lstat().st_size != datum.size_bytes:
        return False
    with open_to_read(place) as file:
        return file_digest(file, "sha256").hexdigest() == datum.blob


def _copy(wanted: OutputCopy, target: Path, blobs: Blobs) -> None:
    place = target / wanted.path
    place.parent.mkdir(parents=True, exist_ok=True)
    _refuse_links(target, wanted.path)
    if not blobs.has(wanted.datum.blob):
        raise EnvironmentFailure(f"the bytes of output `{wanted.datum.name}` are no longer in the store")
    place.unlink(missing_ok=True)
    blobs.copy_to(wanted.datum.blob, place, wanted.datum.mode & 0o777 | 0o600)
