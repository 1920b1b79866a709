"""The files below a folder, but for folders that hold nothing written by hand."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vhpipe.code.git_ignore import IgnoreFiles, ignore_file_in, ignore_files_above, is_ignored
from vhpipe.code.project_bounds import IGNORABLE_FOLDERS, STATE_PREFIX, is_environment

LooksInto = Callable[[str], bool]
"""Whether a folder, by its path from the start, is looked into."""

IsWanted = Callable[["os.DirEntry[str]"], bool]

Refuse = Callable[[OSError], None]
"""What to do about a folder that cannot be read: raise, or return to go on as if it were empty."""


def files_below(start: str, looks_into: LooksInto, refuse: Refuse) -> Iterator[str]:
    """The paths, from `start`, of all files below it, in a folder by name, its own before deeper ones.

    Links to folders are no folders. Git's ignore files do not count here.
    """
    yield from _walk(os.path.join(start, ""), None, _all, looks_into, refuse)


def unignored_files_below(start: str, looks_into: LooksInto, refuse: Refuse) -> Iterator[str]:
    """The files of `files_below` that git does not ignore, as far as its ignore files in the repository say."""
    real = os.path.realpath(start)
    yield from _walk(real, ignore_files_above(real), _all, looks_into, refuse)


def files_not_ignored(start: str, is_wanted: IsWanted, refuse: Refuse) -> Iterator[str]:
    """What is wanted of the files below that git does not ignore, but for what tools make. `start` may be ignored."""
    real = os.path.realpath(start)
    yield from _walk(real, ignore_files_above(real), is_wanted, lambda folder: not _is_ignorable(real, folder), refuse)


def _all(entry: "os.DirEntry[str]") -> bool:
    return True


def _is_ignorable(start: str, folder: str) -> bool:
    name = os.path.basename(folder)
    return name in IGNORABLE_FOLDERS or name.startswith(STATE_PREFIX) or is_environment(f"{start}/{folder}")


class _Folder(NamedTuple):
    """A folder to look into: its path from the start, where it is, and what is ignored in it."""

    name: str
    path: str
    ignored: IgnoreFiles | None


def _walk(
    start: str, ignored: IgnoreFiles | None, is_wanted: IsWanted, looks_into: LooksInto, refuse: Refuse
) -> Iterator[str]:
    """Without recursion: folders may be nested deeper than calls."""
    waiting = [_Folder("", start, ignored)]
    while waiting:
        folder = waiting.pop()
        entries = _entries(folder.path, refuse)
        ignored = folder.ignored
        if ignored is not None and any(entry.name == ".gitignore" for entry in entries):
            ignored = (*ignore_file_in(folder.path), *ignored)
        deeper = []
        for entry in entries:
            name = os.path.join(folder.name, entry.name)
            if _is_folder(entry):
                if looks_into(name) and not (ignored and is_ignored(f"{entry.path}/", ignored)):
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
