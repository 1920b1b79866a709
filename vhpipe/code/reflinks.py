"""Copies that share their bytes until one of them is written to, as some file systems make them."""

import fcntl
import os

_FICLONE = 0x40049409


def can_reflink(folder: str | os.PathLike[str]) -> bool:
    """Whether files in a folder, which is made where it is missing, can share their bytes and yet be written to."""
    from tempfile import TemporaryFile  # only large code needs to know

    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        with TemporaryFile(dir=folder) as source, TemporaryFile(dir=folder) as target:
            source.write(bytes(4096))
            source.flush()
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True
