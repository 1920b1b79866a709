"""What git ignores below a folder, by the ignore files there; no process is started."""

import os
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.regular_files import SETTINGS_BYTES, read_start

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


LONGEST_PATH = 4096


class IgnoreFile(NamedTuple):
    """The patterns that hold below a folder."""

    base: str
    patterns: "GitIgnoreSpec"


IgnoreFiles = tuple[IgnoreFile, ...]
"""Those that have a say in a folder, the nearest first."""


def ignore_files_above(folder: str) -> IgnoreFiles:
    """The ignore files between a folder and the root of its repository; none outside of one.

    None either for a folder that is ignored itself: who names it wants to look into it.
    """
    found: IgnoreFiles = ()
    current = folder
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return ()
        current = parent
        found += ignore_file_in(current)
    found += ignore_file_in(current, ".git/info/exclude")
    return () if _is_in_ignored_folder(folder, current, found) else found


def ignore_file_in(base: str, name: str = ".gitignore") -> IgnoreFiles:
    """The ignore file of a folder; empty where there is none or it says nothing."""
    text = _text_of(os.path.join(base, name))
    if not text.strip():
        return ()
    return (IgnoreFile(base.rstrip("/") + "/", _patterns(text.splitlines())),)


def is_ignored(path: str, files: IgnoreFiles) -> bool:
    """Whether the first of the files that has a word about a path says that it is ignored; a folder ends in a slash."""
    for base, patterns in files:
        if path.startswith(base):
            verdict = patterns.check_file(path[len(base) :]).include
            if verdict is not None:
                return verdict
    return False


def _is_in_ignored_folder(folder: str, root: str, files: IgnoreFiles) -> bool:
    while len(folder) > len(root):
        if is_ignored(f"{folder}/", files):
            return True
        folder = os.path.dirname(folder)
    return False


def _patterns(lines: list[str]) -> "GitIgnoreSpec":
    """The patterns of the lines; git passes over a line that is no pattern, and so does this.

    A line that is longer than any path matches nothing, and would take long to find that out.
    """
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        if len(line) > LONGEST_PATH:
            continue
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)


def _text_of(path: str) -> str:
    """The text of a file, empty where there is none or it is not a plain one."""
    try:
        return read_start(path, SETTINGS_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
