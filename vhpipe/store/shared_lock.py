"""Who uses a store now: engines hold `clean.lock` together, `vhpipe clean` holds it alone while it collects blobs.

So a blob that an engine has just stored or linked, and that no record names yet, is never taken for garbage.
"""

import fcntl
import os
from pathlib import Path

from vhpipe.errors import from_os_error
from vhpipe.regular_files import open_regular
from vhpipe.store.file_system import lock

NAME = "clean.lock"


def use(root: Path) -> int:
    """A descriptor that keeps blobs from being collected until it is closed; waits while they are."""
    descriptor = _open(root)
    try:
        lock(descriptor, fcntl.LOCK_SH, root / NAME)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def use_alone(root: Path) -> int | None:
    """A descriptor that makes all others wait until it is closed; None if there are others now."""
    descriptor = _open(root)
    try:
        lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, root / NAME)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _open(root: Path) -> int:
    try:
        return open_regular(root / NAME, os.O_RDWR | os.O_CREAT, follow=False)
    except OSError as error:
        raise from_os_error(error, "cannot open") from error
