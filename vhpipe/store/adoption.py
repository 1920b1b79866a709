"""Taking over a state folder that this user did not make, or that was copied: nothing in it is taken on trust.

Every stored file is compared with its name; what would act on its own (what to reuse, requests, working copies, the
index) is dropped; only then is it signed. Its runs stay as they are: who resumes one runs what its plan says.
Source: decision 28.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from vhpipe.errors import RefusedError, from_os_error
from vhpipe.store.atomic import write_atomically
from vhpipe.store.attempt_files import INPUTS, OUTPUTS, REPOSITORY
from vhpipe.store.file_system import set_mode
from vhpipe.store.owner import OF_ANOTHER_KIND, away, fault_of_folder, sign
from vhpipe.store.project import ProjectStore
from vhpipe.store.removal import Trash
from vhpipe.store.state_place import IGNORE_ALL, is_of_another_kind

_UNREAD = frozenset({OUTPUTS, INPUTS, REPOSITORY})
"""Folders of an attempt that hold what steps made, links among it; vhpipe reads their files by descriptors only."""


class Adoption(NamedTuple):
    """What there is now, and how much was dropped. `damaged` are the sha256 of stored files that are put aside."""

    runs: int
    blobs: int
    size_bytes: int
    damaged: tuple[str, ...]
    reuse_entries: int
    requests: int


def adopt(project: Path, environ: Mapping[str, str]) -> Adoption:
    """Take over the state folder of a project, which is there.

    Errors: RefusedError where that cannot be made safe, EnvironmentFailure for the disk.
    """
    store = ProjectStore(project)
    root = os.fspath(store.root)
    try:
        _refuse(root)
        set_mode(root, 0o700)
        reuse_entries, requests = _drop(store)
        damaged, blobs, size_bytes = _verify(store)
        write_atomically(f"{root}/.gitignore", IGNORE_ALL)
        write_atomically(f"{root}/owner", sign(root, environ), durable=True)
    except OSError as error:
        raise from_os_error(error, "cannot take over") from error
    return Adoption(len(store.runs()), blobs, size_bytes, damaged, reuse_entries, requests)


def _refuse(root: str) -> None:
    """Links, pipes and the like would make vhpipe read or write elsewhere, or wait for ever."""
    if reason := fault_of_folder(root):
        raise RefusedError(f"cannot take over `{root}`: {reason}", hint=away(root))
    if is_of_another_kind(root):
        raise RefusedError(f"cannot take over `{root}`: {OF_ANOTHER_KIND}", hint=away(root))
    for path in _strange(root):
        raise RefusedError(f"cannot take over `{root}`: vhpipe never made `{path}`", hint="look at it, and remove it")
    for run in ProjectStore(Path(root).parent, Path(root)).runs():
        if run.is_alive():
            raise RefusedError(f"cannot take over `{root}`: run {run.number} is running", hint="wait for its end")


def _strange(root: str) -> Iterator[str]:
    """What is neither file nor folder, or belongs to another user."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            status = entry.stat(follow_symlinks=False)
            is_folder = stat.S_ISDIR(status.st_mode)
            is_wake = entry.name == "wake" and stat.S_ISFIFO(status.st_mode)
            if status.st_uid != os.geteuid() or not (is_folder or is_wake or stat.S_ISREG(status.st_mode)):
                yield entry.path
            elif is_folder and entry.name not in _UNREAD and entry.path not in (f"{root}/slots", f"{root}/scratch"):
                waiting.append(entry.path)


def _drop(store: ProjectStore) -> tuple[int, int]:
    """Drop what acts on its own; how many reuse entries and requests there were."""
    requests = [path for run in store.runs() for path in run.requests_folder.glob("*")]
    entries = list(store.root.glob("reuse/**/*.json"))
    trash = Trash(store.root / "trash")
    for name in ("reuse", "slots", "scratch", "index.sqlite", "index.sqlite-journal"):
        trash.take(f"{store.root}/{name}")
    for path in requests:
        trash.take(os.fspath(path))
    trash.empty()
    return len(entries), len(requests)


def _verify(store: ProjectStore) -> tuple[tuple[str, ...], int, int]:
    """The damaged blobs, the number of good ones and their bytes."""
    damaged, good, size_bytes = [], 0, 0
    for path in sorted(store.root.glob("blobs/??/" + "?" * 64)):
        if store.blobs.verify(path.name) and path.parent.name == path.name[:2]:
            set_mode(path, 0o444)
            good, size_bytes = good + 1, size_bytes + path.stat().st_size
        else:
            damaged.append(path.name)
    return tuple(damaged), good, size_bytes
