"""Fixes in files: applied until none is left, shown as a difference or written."""

import os
from contextlib import suppress
from typing import NamedTuple

from vhpipe.edit.apply import diff_of
from vhpipe.edit.stable import fix_until_stable
from vhpipe.errors import from_os_error
from vhpipe.project.checked_file import CheckedFile, CommitLookup, check_text
from vhpipe.regular_files import open_to_read
from vhpipe.settings.validate import ValidateSettings
from vhpipe.store.atomic import temporary_name, write_new
from vhpipe.store.file_system import set_mode

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FixedFile(NamedTuple):
    """A file before and after its fixes, its text now, and how many fixes were put in."""

    before: CheckedFile
    after: CheckedFile
    text: str
    fix_count: int


def fix(file: CheckedFile, settings: ValidateSettings, unsafe: bool) -> FixedFile | None:
    """The file with the fixes of what settings and comments leave, None if it cannot be read.

    Fixes that make it worse are left out. Nothing is written.
    """
    if file.document is None:
        return None
    stable = fix_until_stable(
        file.document.text.encode("utf-8"),
        file.path,
        lambda content, path: check_text(content, path, True, CommitLookup(path)).reported(settings),
        unsafe,
    )
    return FixedFile(file, stable.loaded, stable.content.decode("utf-8"), len(stable.applied))


def difference(fixed: FixedFile) -> str:
    """A unified difference of what the fixes change; empty where they change nothing."""
    return diff_of(fixed.before.text, fixed.text, fixed.before.name)


def write_fixed(path: str, text: str) -> None:
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
        set_mode(temporary, old.st_mode & 0o7777)
        os.rename(temporary, real)
    except OSError as error:
        error.filename = real
        raise from_os_error(error, "cannot write") from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _mark_of(path: str) -> bytes:
    with open_to_read(path) as file:
        return BYTE_ORDER_MARK if file.read(3) == BYTE_ORDER_MARK else b""
