"""Which files a command line means: those that it names, and in folders every `valohai.yaml`, or every script, that git
does not ignore.

No process is started: the ignore files are read here.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE, FILE_NAMES
from vhpipe.errors import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".vhpipe", ".venv", ".tox", ".nox", ".mypy_cache", "__pycache__", "node_modules"}
)
"""Folders that hold nothing written by hand; a folder with a `pyvenv.cfg` is one too."""
MAX_IGNORE_BYTES = 1 << 20


def yaml_files(paths: Sequence[str]) -> tuple[str, ...]:
    """The files that the paths mean, each once, in the order given; in a folder by name, its own before deeper ones.

    What is no folder is taken as it is, also `-` and names of files that are not there or are ignored. Links to folders
    are not followed, as git does not follow them, unless they are named themselves. A folder without any such file, or
    one that cannot be read, raises `UsageError`; unreadable folders further down count as empty.
    """
    found: dict[str, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_files_in(path) if os.path.isdir(path) else (path,)))
    return tuple(found)


def _files_in(folder: str) -> tuple[str, ...]:
    try:
        os.scandir(folder).close()
    except OSError as failure:
        raise UsageError(f"cannot read folder `{folder}`: {failure.strerror or failure}") from None
    files = tuple(_walk(folder, FILE_NAMES.__contains__))
    if not files:
        hint = "git-ignored files are skipped; name the file itself to check it all the same"
        raise UsageError(f"there is no `{DEFAULT_FILE}` in `{folder}` or below it", hint)
    return files


def script_files(folder: str) -> tuple[str, ...]:
    """The Python files in a folder and below it, but for tests, in the order of `yaml_files`; there may be none."""
    try:
        os.scandir(folder).close()
    except OSError as failure:
        raise UsageError(f"cannot read folder `{folder}`: {failure.strerror or failure}") from None
    return tuple(_walk(folder, _is_script))


def _is_script(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(("test_", ".")) and name not in ("conftest.py", "setup.py")


class _Folder(NamedTuple):
    """A folder to look into: as it is shown, where it really is, and what is ignored in it."""

    shown: str
    real: str
    rules: "tuple[_IgnoreFile, ...]"


class _IgnoreFile(NamedTuple):
    """The patterns that hold below a folder."""

    base: str
    patterns: "GitIgnoreSpec"


def _walk(start: str, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """Without recursion: folders may be nested deeper than calls."""
    real = os.path.realpath(start)
    shown = "" if os.path.normpath(start) == "." else start
    waiting = [_Folder(shown, real, _rules_above(real))]
    while waiting:
        folder = waiting.pop()
        files, folders = _entries(folder, is_wanted)
        yield from files
        waiting.extend(reversed(folders))


def _entries(folder: _Folder, is_wanted: Callable[[str], bool]) -> tuple[list[str], list[_Folder]]:
    files: list[str] = []
    folders: list[_Folder] = []
    try:
        with os.scandir(folder.real) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return files, folders
    names = {entry.name for entry in entries}
    if "pyvenv.cfg" in names:
        return files, folders
    rules = (*_rules_in(folder.real, ".gitignore"), *folder.rules) if ".gitignore" in names else folder.rules
    for entry in entries:
        shown = os.path.join(folder.shown, entry.name)
        if _is_folder(entry):
            if entry.name not in SKIPPED and not _is_ignored(f"{entry.path}/", rules):
                folders.append(_Folder(shown, entry.path, rules))
        elif is_wanted(entry.name) and _is_file(entry) and not _is_ignored(entry.path, rules):
            files.append(shown)
    return files, folders


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


# ── what git ignores ─────────────────────────────────────────────────────────────────────────────


def _rules_above(folder: str) -> tuple[_IgnoreFile, ...]:
    """The ignore files between a folder and the root of its repository, the nearest first; none outside of one.

    None either for a folder that is ignored itself: who names it wants to look into it.
    """
    found: tuple[_IgnoreFile, ...] = ()
    current = folder
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return ()
        current = parent
        found += _rules_in(current, ".gitignore")
    found += _rules_in(current, ".git/info/exclude")
    return () if _is_in_ignored_folder(folder, current, found) else found


def _is_in_ignored_folder(folder: str, root: str, rules: tuple[_IgnoreFile, ...]) -> bool:
    while len(folder) > len(root):
        if _is_ignored(f"{folder}/", rules):
            return True
        folder = os.path.dirname(folder)
    return False


def _rules_in(base: str, name: str) -> tuple[_IgnoreFile, ...]:
    text = _text_of(os.path.join(base, name))
    if not text.strip():
        return ()
    return (_IgnoreFile(base.rstrip("/") + "/", _patterns(text.splitlines())),)


def _patterns(lines: list[str]) -> "GitIgnoreSpec":
    """The patterns of the lines; git passes over a line that is no pattern, and so does this."""
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)


def _text_of(path: str) -> str:
    """The text of a file, empty where there is none or it is not a plain one."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(MAX_IGNORE_BYTES)
    except OSError:
        return ""


def _is_ignored(path: str, rules: tuple[_IgnoreFile, ...]) -> bool:
    """Whether the first of the files that has a word about a path says that it is ignored; a folder ends in a slash."""
    for base, patterns in rules:
        if path.startswith(base):
            verdict = patterns.check_file(path[len(base) :]).include
            if verdict is not None:
                return verdict
    return False
