"""The files below a folder, but for folders that hold nothing written by hand."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vhpipe.code.git_ignore import IgnoreFiles, ignore_file_in, ignore_files_above, is_ignored

STATE_PREFIX = ".vhpipe"

IGNORABLE_FOLDERS = frozenset(
    {
        ".eggs", ".git", ".hg", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache",
        ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "node_modules", "venv",
    }
)  # fmt: skip
"""Beside them state folders, and every folder with a `pyvenv.cfg`."""

Refuse = Callable[[OSError], None]
"""What to do about a folder that cannot be read: raise, or return to go on as if it were empty."""


def files_below(start: str, is_wanted: Callable[["os.DirEntry[str]"], bool], refuse: Refuse) -> Iterator[str]:
    """The paths, from `start`, of what is wanted below it, in a folder by name, its own before deeper ones.

    Links to folders are no folders. Git's ignore files do not count here.
    """
    yield from _walk(os.path.join(start, ""), None, is_wanted, refuse)


def files_not_ignored(start: str, is_wanted: Callable[["os.DirEntry[str]"], bool], refuse: Refuse) -> Iterator[str]:
    """The files of `files_below` that git does not ignore. `start` may be ignored itself."""
    real = os.path.realpath(start)
    yield from _walk(real, ignore_files_above(real), is_wanted, refuse)


class _Folder(NamedTuple):
    """A folder to look into: its path from the start, where it is, and what is ignored in it."""

    name: str
    path: str
    ignored: IgnoreFiles | None


def _walk(
    start: str, ignored: IgnoreFiles | None, is_wanted: Callable[["os.DirEntry[str]"], bool], refuse: Refuse
) -> Iterator[str]:
    """Without recursion: folders may be nested deeper than calls."""
    waiting = [_Folder("", start, ignored)]
    while waiting:
        folder = waiting.pop()
        entries = _entries(folder.path, refuse)
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and folder.name:
            continue
        ignored = folder.ignored
        if ignored is not None and ".gitignore" in names:
            ignored = (*ignore_file_in(folder.path), *ignored)
        deeper = []
        for entry in entries:
            name = os.path.join(folder.name, entry.name)
            if _is_folder(entry):
                if _is_looked_into(entry, ignored):
                    deeper.append(_Folder(name, entry.path, ignored))
            elif is_wanted(entry) and not (ignored and is_ignored(entry.path, ignored)):
                yield name
        waiting.extend(reversed(deeper))


def _entries(path: str, refuse: Refuse) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(path) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError as failure:
        refuse(failure)
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_looked_into(entry: "os.DirEntry[str]", ignored: IgnoreFiles | None) -> bool:
    if entry.name in IGNORABLE_FOLDERS or entry.name.startswith(STATE_PREFIX):
        return False
    return not (ignored and is_ignored(f"{entry.path}/", ignored))
