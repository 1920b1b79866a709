"""Where the state of a project is kept: `.vhpipe` in its folder, or elsewhere for a project that cannot be written to.

What `--state` names is the state folder itself. `VHPIPE_STATE` and the user's setting name a folder that holds one
state folder for each project, called after the project's folder and a hash of its path. Such a folder records its
project in `project`, so that nobody uses another project's, and a project that was moved finds its own.
Source: decision 144.
"""

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from vhpipe.errors import RefusedError, UsageError, from_os_error
from vhpipe.regular_files import SETTINGS_BYTES, read_regular
from vhpipe.settings.keys import STATE
from vhpipe.settings.read import users_path
from vhpipe.store.atomic import write_atomically
from vhpipe.store.json_codec import decode, encode

FOLDER = ".vhpipe"
RECORD = "project"
IGNORE_ALL = b"*\n"
"""What is in `.gitignore` of a state folder."""
_chosen: list[str] = []
"""What `--state` of this process's command line says, once at most."""


class KeptProject(msgspec.Struct, frozen=True):
    """Whose state a folder elsewhere is. The inode tells a project that was moved from one that was copied."""

    path: str
    inode: int = 0


_decoder = msgspec.json.Decoder(KeptProject)


def choose_state(folder: str | None) -> None:
    """Have this process keep state in that folder, for the one project that it works on; with None, as usual."""
    _chosen[:] = [] if folder is None else [os.path.abspath(folder)]


def chosen_state() -> str | None:
    return _chosen[0] if _chosen else None


def is_absent(root: str) -> bool:
    """Whether there is no state folder yet; an empty folder is as good as none, and is replaced."""
    if os.path.lexists(f"{root}/owner"):
        return False
    try:
        return not os.path.lexists(root) or not (os.path.islink(root) or os.listdir(root))
    except OSError:  # no folder, or one that cannot be read
        return False


def is_of_another_kind(root: str) -> bool:
    """Whether a folder has nothing that every state folder has, so that it is something else of the user's."""
    if any(os.path.lexists(f"{root}/{name}") for name in ("owner", "blobs")) or is_absent(root):
        return False
    try:
        return read_regular(f"{root}/.gitignore", SETTINGS_BYTES) != IGNORE_ALL
    except (OSError, UsageError):
        return True


def adopt_command(root: str) -> str:
    """What takes over a state folder, as one types it in the current folder."""
    import shlex

    words = ("--state", os.path.relpath(root)) if chosen_state() is not None else ()
    return shlex.join(("vhpipe", "doctor", "--adopt", *words))


def state_folder(project: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder of a project, which need not be there yet. Nothing is written.

    Errors: UsageError for a place that cannot be, RefusedError for one with the state of another project.
    """
    path = os.path.abspath(project)
    if (chosen := chosen_state()) is not None:
        return Path(_elsewhere(chosen, path, "--state"))
    home = users_path(STATE, environ)
    if home is None:
        return Path(path, FOLDER)
    if not os.path.isabs(home):
        raise UsageError(f"`{STATE.variable}` must be an absolute path, not `{home[:200]}`", "begin it with `/`")
    named = os.path.join(home, name_of_state(path))
    if not os.path.lexists(named) and (moved := _state_of_moved(home, path)) is not None:
        return Path(moved)
    return Path(_elsewhere(named, path, f"{STATE.variable}"))


def state_folder_by_name(project: Path, root: str) -> str:
    """The name that a state folder beside others should have; itself where it is in its project, or was chosen."""
    if chosen_state() is not None or is_inside(root, os.fspath(project)):
        return root
    return os.path.join(os.path.dirname(root), name_of_state(os.fspath(project)))


def name_of_state(project: str) -> str:
    """`demo-3f2a9c41d07b`: readable, and another one for every path."""
    real = os.path.realpath(project)
    slug = re.sub(r"[^a-z0-9]+", "-", os.path.basename(real).lower()).strip("-")[:40] or "project"
    return f"{slug}-{sha256(os.fsencode(real)).hexdigest()[:12]}"


def record_project(root: str, project: str) -> None:
    """Note in a state folder elsewhere whose it is, unless that is noted. Errors: EnvironmentFailure."""
    kept = KeptProject(os.path.realpath(project), os.stat(project).st_ino)
    if not is_inside(root, project) and kept_project(root) != kept:
        write_atomically(f"{root}/{RECORD}", encode(kept))


def kept_project(root: str) -> KeptProject | None:
    """Whose state a folder is; None where it does not say."""
    try:
        return decode(read_regular(f"{root}/{RECORD}", SETTINGS_BYTES, follow=False), _decoder)
    except (OSError, msgspec.DecodeError):
        return None


def is_inside(root: str, project: str) -> bool:
    """Whether the state folder is the usual one, in the project."""
    if root == os.path.join(project, FOLDER):
        return True
    return os.path.realpath(root) == os.path.join(os.path.realpath(project), FOLDER)


def states_of_gone_projects(project: str, environ: Mapping[str, str] = os.environ) -> tuple[tuple[str, str], ...]:
    """State folders beside the one of a project whose own project is gone: each with the path that it had."""
    home = None if chosen_state() else users_path(STATE, environ)
    if home is None:
        return ()
    kept = ((root, kept_project(root)) for root in _states_in(home))
    return tuple((root, each.path) for root, each in kept if each is not None and not os.path.isdir(each.path))


def _elsewhere(root: str, project: str, source: str) -> str:
    """The folder, where it can hold the state of a project."""
    real, home = os.path.realpath(root), os.path.realpath(project)
    if real == home or real.startswith(f"{home}/"):
        if not real[len(home) + 1 :].startswith(FOLDER):
            hint = "name a folder that is not in the project"
            raise UsageError(f"`{source}`: the state in `{root}` would be part of the project's code", hint)
        return root
    kept = kept_project(root)
    if kept is not None and kept.path != home and not _is_gone_or(kept.path, project):
        raise RefusedError(f"the state folder `{root}` is that of the project `{kept.path}`", "name another folder")
    return root


def _is_gone_or(path: str, project: str) -> bool:
    """Whether nothing is at a path any more, or the project itself is, by another name."""
    return not os.path.isdir(path) or os.path.samefile(path, project)


def _state_of_moved(home: str, project: str) -> str | None:
    """The state folder of a project that had another path before: its old path is gone, and its folder is the same."""
    try:
        inode = os.stat(project).st_ino
    except OSError:
        return None
    for root in _states_in(home):
        kept = kept_project(root)
        if kept is not None and kept.inode == inode and not os.path.isdir(kept.path):
            return root
    return None


def _states_in(home: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(home))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise from_os_error(error, "cannot look for states in") from error
    yield from (os.path.join(home, name) for name in names if not name.endswith(".tmp"))
