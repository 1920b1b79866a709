"""Which environments a run has used: a list in its folder, by which `clean` knows what may go."""

import os
from contextlib import suppress

from vhpipe.regular_files import RECORD_BYTES, read_regular

NAME = "environments"


def note_use(run: str, key: str) -> None:
    """Note it in the folder of a run; nothing is lost where that fails but that `clean` may remove it. Thread-safe."""
    with suppress(OSError):
        descriptor = os.open(f"{run}/{NAME}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{key}\n".encode())
        finally:
            os.close(descriptor)


def used_by(run: str | os.PathLike[str]) -> frozenset[str]:
    """The keys that are noted in the folder of a run."""
    try:
        return frozenset(read_regular(f"{os.fspath(run)}/{NAME}", RECORD_BYTES, follow=False).decode().split())
    except (OSError, UnicodeDecodeError):
        return frozenset()
