"""What may be wrong around runs, each thing with what to do about it, and the checks of a project's state folder."""

import os
import shlex
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from vhpipe.errors import VhpipeError
from vhpipe.store.cache_volumes import cache_volumes
from vhpipe.store.garbage import CleaningChoice, find_garbage, measure
from vhpipe.store.owner import check_owner, keeps_modes
from vhpipe.store.project import ProjectStore
from vhpipe.store.state_place import FOLDER, is_absent, is_inside, state_folder, states_of_gone_projects
from vhpipe.wording import counted, listed

MUCH_BYTES = 1 << 30
"""From so many bytes that could go on, it is worth a word."""

Severity = Literal["ok", "info", "warning", "error"]


class Check(NamedTuple):
    """One thing that was looked at. `hint` says what to do; there is none where all is well. `info` is no fault."""

    severity: Severity
    about: str
    message: str
    hint: str | None = None


def owner_check(project: Path, environ: Mapping[str, str]) -> Check | None:
    """Whether the state folder is this user's; None where there is none."""
    root = os.fspath(state_folder(project, environ))
    try:
        if is_absent(root):
            return None
        check_owner(root, environ)
    except VhpipeError as failure:
        return Check("error", "store", failure.message, failure.hint)
    return Check("ok", "store", f"`{root}` was made by you")


def place_checks(project: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """Where the state is kept, if not in the project, and which other state there is that may be meant."""
    root = os.fspath(state_folder(project, environ))
    if is_inside(root, os.fspath(project)):
        return
    yield Check("ok", "store", f"the state of this project is kept in `{root}`")
    inside = project / FOLDER
    if os.path.lexists(inside):
        hint = (
            f"to use it, run without --state and VHPIPE_STATE; else remove it: {shlex.join(('rm', '-r', str(inside)))}"
        )
        yield Check("warning", "store", f"`{inside}` has earlier runs, which are not used", hint)
    for gone, path in states_of_gone_projects(os.fspath(project), environ):
        move, remove = shlex.join(("mv", gone, os.fspath(root))), shlex.join(("rm", "-r", gone))
        hint = f"if this project was moved from there: {move}; else remove it: {remove}"
        yield Check("warning", "store", f"`{gone}` is the state of `{path}`, which is gone", hint)


def store_checks(store: ProjectStore) -> Iterator[Check]:
    """What there is to say about a state folder that is this user's. Nothing is written."""
    mode = stat.S_IMODE(store.root.stat().st_mode)
    if mode & 0o077 and not keeps_modes(store.root):
        hint = "keep the state on a disk that keeps modes: --state DIR, or VHPIPE_STATE for all projects"
        yield Check("warning", "store", f"who may read and change `{store.root}` is up to its file system", hint)
    elif mode & 0o077:
        yield Check(
            "warning",
            "store",
            f"others may read `{store.root}` (mode {mode:04o})",
            shlex.join(("chmod", "700", os.fspath(store.root))),
        )
    if not (store.root / ".gitignore").exists():
        hint = f"echo '*' > {shlex.quote(os.fspath(store.root / '.gitignore'))}"
        yield Check("warning", "store", "git may add the state folder: it has no `.gitignore`", hint)
    yield from _foreign_folders(store)
    yield from _volume_checks(store)
    yield from _garbage_checks(store)


def _foreign_folders(store: ProjectStore) -> Iterator[Check]:
    for path in sorted(store.root.glob("runs/*")):
        if not path.name.isdigit():
            yield Check("warning", "store", f"`{path}` is not a run", "move it elsewhere")


def _volume_checks(store: ProjectStore) -> Iterator[Check]:
    volumes = cache_volumes(store.root)
    if volumes:
        size = sum(each.size_bytes for each in volumes) / MUCH_BYTES
        names = listed(each.name for each in volumes)
        yield Check("ok", "store", f"{counted(len(volumes), 'cache volume')} with {size:.1f} GiB: {names}")


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
