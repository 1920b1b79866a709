"""What the end of a log says of why a step failed: what runs on the platform and lacks something on this machine."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress

from vhpipe.regular_files import open_to_read

END_BYTES = 4096
ROOT = "/valohai"
"""Where the platform has the folders of an execution."""

_missing_module = re.compile(rb"ModuleNotFoundError: No module named '([\w.]{1,100})'.*")
_platform_folder = re.compile(rb"(?<![\w./-])/valohai/(config|inputs|outputs|repository)(?![\w-])")
_unknown_program = re.compile(rb"(?:^|[:\s])(?:\d+: )?([^\s:/]{1,200}): (?:command )?not found$")
_INTERPRETERS = {".py": "python ", ".sh": "bash ", ".bash": "bash ", ".R": "Rscript ", ".r": "Rscript ", ".js": "node "}


def reason_in_log(log: str, environment: Mapping[str, str]) -> str | None:
    """Why a step failed, and what to do, where the end of the log at a path says it; else None.

    `environment` are the variables of the step.
    """
    end = end_of_log(log)
    reasons = (reason(end, environment) for reason in _REASONS)
    return next((text for text in reasons if text is not None), None)


def _of_module(end: bytes, environment: Mapping[str, str]) -> str | None:
    """The step's Python lacks a module."""
    found = _missing_module.fullmatch(_last_line(end))
    if found is None:
        return None
    path = environment.get("PATH", os.defpath)
    python = shutil.which("python", path=path) or shutil.which("python3", path=path) or "its Python"
    return f"{python} has no module `{found[1].decode()}`; `--python` chooses another Python"


def _of_platform_folder(end: bytes, environment: Mapping[str, str]) -> str | None:
    """The step looks for its folders where only the platform has them."""
    found = _platform_folder.search(end)
    if found is None or os.path.exists(ROOT):
        return None
    name = found[1].decode()
    return f"there is no `{ROOT}/{name}` on this machine; `$VH_{name.upper()}_DIR` is right here and on the platform"


def _of_program(end: bytes, environment: Mapping[str, str]) -> str | None:
    """The shell looked on PATH only for what is a file of the project."""
    found = _unknown_program.search(_last_line(end))
    if found is None:
        return None
    name = os.fsdecode(found[1])
    path = os.path.join(environment.get("VH_REPOSITORY_DIR", ""), name)
    if not os.path.isfile(path):
        return None
    better = f"./{name}" if os.access(path, os.X_OK) else _INTERPRETERS.get(os.path.splitext(name)[1], "./") + name
    return f"`{name}` is a file of the project, but not on PATH; write `{better}`"


_REASONS: tuple[Callable[[bytes, Mapping[str, str]], str | None], ...] = (_of_module, _of_program, _of_platform_folder)


def end_of_log(log: str) -> bytes:
    with suppress(OSError), open_to_read(log, follow=False) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
        return file.read(END_BYTES)
    return b""


def _last_line(end: bytes) -> bytes:
    """The last line that is not blank; what is there of it where it is very long."""
    return end.rstrip().rpartition(b"\n")[2]
