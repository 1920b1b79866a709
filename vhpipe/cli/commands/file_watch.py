"""`vhpipe validate --watch`: checks files again whenever one of them changes, until Ctrl-C."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from vhpipe.errors import UsageError, VhpipeError
from vhpipe.project.yaml_files import yaml_files
from vhpipe.views.safe_text import brief
from vhpipe.wording import counted

INTERVAL_S = 0.3
INTERRUPTED = 130
CLEAR = "\x1b[2J\x1b[3J\x1b[H"

Stamp = tuple[int, int, int] | None
"""Time of the last change in ns, size in bytes, inode; None where there is no such file."""


def watch(
    paths: Sequence[str],
    check: Callable[[Sequence[str]], int],
    once: bool = False,
    pause: Callable[[float], None] = time.sleep,
    beside: Callable[[], Sequence[str]] = tuple,
) -> int:
    """130, as every command that Ctrl-C ends; with `once` the exit code of the first check.

    `check` gets the files that the paths mean and prints what it finds. They are looked for anew each time, so that a
    file that appears in a folder is checked too; one that has gone is not an error but waited for. A terminal is
    cleared before each check; elsewhere the checks stand below each other. `beside` are the scripts that the last
    check looked at, which are watched as well. stdin cannot be watched: `UsageError`.
    """
    if "-" in paths:
        raise UsageError("stdin cannot be watched", "name files or folders")
    try:
        while True:
            seen, code = _check_all(paths, check)
            if once:
                return code
            scripts = {path: _stamp(path) for path in beside()}
            _say(f"watching {counted(len(seen), 'file')}, Ctrl-C ends it")
            while _stamps(paths) == seen and all(_stamp(path) == scripts[path] for path in scripts):
                pause(INTERVAL_S)
            _begin_again()
    except KeyboardInterrupt:
        _say("")
        return INTERRUPTED


def _check_all(paths: Sequence[str], check: Callable[[Sequence[str]], int]) -> tuple[dict[str, Stamp], int]:
    """What the files were before the check, so that a change during it is not missed, and what the check said."""
    seen = _stamps(paths)
    try:
        return seen, check(yaml_files(paths))
    except VhpipeError as failure:
        _say(f"vhpipe: error: {brief(failure.message)}")
        return seen, failure.exit_code
    finally:
        sys.stdout.flush()


def _stamps(paths: Sequence[str]) -> dict[str, Stamp]:
    try:
        return {path: _stamp(path) for path in yaml_files(paths)}
    except UsageError:
        return {}


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _begin_again() -> None:
    if sys.stdout.isatty():
        sys.stdout.write(CLEAR)
        sys.stdout.flush()
    _say(f"{datetime.now():%H:%M:%S} changed, checking again")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
