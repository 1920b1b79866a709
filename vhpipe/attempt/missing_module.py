"""What the end of a log says of a module that a step's Python does not have."""

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress

from vhpipe.regular_files import open_to_read

END_BYTES = 4096
_missing = re.compile(rb"ModuleNotFoundError: No module named '([\w.]{1,100})'.*")


def missing_module_text(log: str, environment: Mapping[str, str]) -> str | None:
    """Which module is missing in which Python, where the log at a path ends with that; else None.

    `environment` are the variables of the step.
    """
    found = _missing.fullmatch(_last_line(log))
    if found is None:
        return None
    path = environment.get("PATH", os.defpath)
    python = shutil.which("python", path=path) or shutil.which("python3", path=path) or "its Python"
    return f"{python} has no module `{found[1].decode()}`; `--python` chooses another Python"


def _last_line(log: str) -> bytes:
    """The last line that is not blank; what is there of it where it is very long."""
    with suppress(OSError), open_to_read(log, follow=False) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
        return file.read(END_BYTES).rstrip().rpartition(b"\n")[2]
    return b""
