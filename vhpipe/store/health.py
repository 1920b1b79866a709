"""What may be wrong around runs, each thing with what to do about it, and the checks of a project's state folder."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from vhpipe.errors import VhpipeError
from vhpipe.store.garbage import CleaningChoice, find_garbage, measure
from vhpipe.store.owner import check_owner
from vhpipe.store.project import FOLDER, ProjectStore

MUCH_BYTES = 1 << 30
"""From so many bytes that could go on, it is worth a word."""

Severity = Literal["ok", "warning", "error"]


class Check(NamedTuple):
    """One thing that was looked at. `hint` says what to do; there is none where all is well."""

    severity: Severity
    about: str
    message: str
    hint: str | None = None


def owner_check(project: Path, environ: Mapping[str, str]) -> Check | None:
    """Whether the state folder is this user's; None where there is none."""
    root = os.path.join(project, FOLDER)
    if not os.path.lexists(root):
        return None
    try:
        check_owner(root, environ)
    except VhpipeError as failure:
        return Check("error", "store", failure.message, failure.hint)
    return Check("ok", "store", f"`{root}` was made by you")


def store_checks(store: ProjectStore) -> Iterator[Check]:
    """What there is to say about a state folder that is this user's. Nothing is written."""
    mode = stat.S_IMODE(store.root.stat().st_mode)
    if mode & 0o077:
        yield Check("warning", "store", f"others may read `{store.root}` (mode {mode:04o})", f"chmod 700 {store.root}")
    if not (store.root / ".gitignore").exists():
        hint = f"echo '*' > {store.root}/.gitignore"
        yield Check("warning", "store", "git may add the state folder: it has no `.gitignore`", hint)
    yield from _foreign_folders(store)
    yield from _garbage_checks(store)


def _foreign_folders(store: ProjectStore) -> Iterator[Check]:
    for path in sorted(store.root.glob("runs/*")):
        if not path.name.isdigit():
            yield Check("warning", "store", f"`{path}` is not a run", "move it elsewhere")


def _garbage_checks(store: ProjectStore) -> Iterator[Check]:
    """What killed processes left, and what has grown large."""
    everything = CleaningChoice(keep=len(store.runs()))
    garbage = find_garbage(store, everything, time.time())
    left = len(garbage.unborn) + len(garbage.leftovers) + len(list(store.root.glob("trash/*")))
    if left:
        yield Check("warning", "store", f"killed processes left {left} files or folders", "vhpipe clean")
    size_bytes = measure(store, garbage)
    if size_bytes >= MUCH_BYTES:
        message = f"{size_bytes / MUCH_BYTES:.1f} GiB are no longer of use"
        yield Check("warning", "store", message, "vhpipe clean")


def guard(about: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks; one that fails is a finding itself."""
    try:
        yield from checks()
    except VhpipeError as failure:
        yield Check("error", about, failure.message, failure.hint)
    except OSError as failure:
        yield Check("error", about, f"{failure.filename or about}: {failure.strerror or failure}")
