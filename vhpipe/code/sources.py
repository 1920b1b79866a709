"""The content of files of the code, for those who look into scripts: from the store, or from the project's folder."""

import os
from collections.abc import Callable
from hashlib import sha256

from vhpipe.code.code_uses import Sources
from vhpipe.errors import VhpipeError
from vhpipe.regular_files import read_regular
from vhpipe.store.snapshots import SnapshotEntry

MOST_BYTES = 4 << 20
"""No script that a function is looked for in is larger."""


def stored_sources(read: Callable[[str], bytes]) -> Sources:
    """`read` gives the bytes of a blob, and raises `VhpipeError` for one that is not intact."""

    def source(entry: SnapshotEntry) -> bytes | None:
        if entry.link is not None or entry.size_bytes > MOST_BYTES:
            return None
        try:
            return read(entry.blob)
        except VhpipeError:
            return None

    return source


def project_sources(project: str | os.PathLike[str], otherwise: Sources | None = None) -> Sources:
    """Files as they are in the project's folder, where they are those of the code; else from elsewhere."""

    def source(entry: SnapshotEntry) -> bytes | None:
        if entry.link is not None or entry.size_bytes > MOST_BYTES:
            return None
        try:
            content = read_regular(os.path.join(project, entry.path), MOST_BYTES)
        except OSError:
            content = b""
        if sha256(content).hexdigest() == entry.blob:
            return content
        return None if otherwise is None else otherwise(entry)

    return source
