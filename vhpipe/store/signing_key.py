"""The file with a key that signs state folders: random, for this user's eyes only, and never written over."""

import os
from contextlib import suppress

from vhpipe.errors import UsageError, from_os_error
from vhpipe.store.atomic import temporary_name, write_new
from vhpipe.store.file_system import CANNOT_LINK


def make_key(path: str) -> None:
    """Make a file with a new key for `VHPIPE_KEY_FILE`.

    Errors: UsageError if there is something at the path, EnvironmentFailure for the disk.
    """
    try:
        put_new_key(path)
    except FileExistsError as error:
        hint = "a key is never written over: name another file"
        raise UsageError(f"there is something at `{path}` already", hint) from error
    except OSError as error:
        error.filename = path
        raise from_os_error(error, "cannot make the key") from error


def put_new_key(path: str) -> None:
    """Write a new key; of two processes that try at once one wins. Errors: FileExistsError if something is there."""
    content = os.urandom(32).hex().encode() + b"\n"
    temporary = temporary_name(path)
    try:
        write_new(temporary, content, 0o600, durable=True)
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        write_new(path, content, 0o600, durable=True)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
