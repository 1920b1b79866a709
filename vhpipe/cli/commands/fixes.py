"""Fixes in files: applied until none is left, shown as a difference or written."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from vhpipe.edit.apply import diff_of
from vhpipe.edit.stable import fix_until_stable
from vhpipe.errors import from_os_error
from vhpipe.project.checked_file import LoadedFile, load_content
from vhpipe.project.findings_filter import FilteredFindings
from vhpipe.store.atomic import temporary_name, write_new

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FixedFile(NamedTuple):
    """A file after its fixes: what is left to say, the text, and how many were put in."""

    chosen: FilteredFindings
    text: str
    count: int  # type: ignore[assignment]  # nobody counts in it as in a tuple


def mend(
    chosen: FilteredFindings, choose_again: Callable[[LoadedFile], FilteredFindings], unsafe: bool
) -> FixedFile | None:
    """The file with the fixes of what is chosen, None if it cannot be read. Fixes that make it worse are left out."""
    document = chosen.loaded.document
    if document is None:
        return None
    stable = fix_until_stable(
        document.text.encode("utf-8"),
        chosen.loaded.name,
        load_content,
        unsafe,
        lambda loaded: choose_again(loaded).diagnostics,
    )
    return FixedFile(choose_again(stable.loaded), stable.content.decode("utf-8"), len(stable.applied))


def difference(chosen: FilteredFindings, mended: FixedFile) -> str:
    """A unified difference of what the fixes change; empty where they change nothing."""
    document = chosen.loaded.document
    assert document is not None, "only what could be read was mended"
    return diff_of(document.text, mended.text, document.name)


def write_mended(path: str, text: str) -> None:
    """Puts the text into a file in one go; its mode, its byte order mark and the links that lead to it stay.

    Errors: EnvironmentFailure where it cannot be written; the file is as it was then.
    """
    real = os.path.realpath(path)
    temporary = temporary_name(real)
    try:
        old = os.stat(real)
        write_new(temporary, _mark_of(real) + text.encode("utf-8"))
        with suppress(PermissionError):
            os.chown(temporary, old.st_uid, old.st_gid)
        os.chmod(temporary, old.st_mode & 0o7777)
        os.rename(temporary, real)
    except OSError as error:
        error.filename = real
        raise from_os_error(error, "cannot write") from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _mark_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return BYTE_ORDER_MARK if file.read(3) == BYTE_ORDER_MARK else b""
