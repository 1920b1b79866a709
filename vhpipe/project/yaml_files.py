"""Which files a command line means: those that it names, and in folders every `valohai.yaml`, or every script, that git
does not ignore.
"""

import os
from collections.abc import Callable, Sequence

from vhpipe.code.tree_walk import files_not_ignored
from vhpipe.config.paths import DEFAULT_FILE, FILE_NAMES
from vhpipe.errors import UsageError


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
    _refuse_unreadable(folder)
    files = _files(folder, FILE_NAMES.__contains__)
    if not files:
        hint = "git-ignored files are skipped; name the file itself to check it anyway"
        raise UsageError(f"there is no `{DEFAULT_FILE}` in `{folder}` or below it", hint)
    return files


def script_files(folder: str) -> tuple[str, ...]:
    """The Python files in a folder and below it, but for tests, in the order of `yaml_files`; there may be none."""
    _refuse_unreadable(folder)
    return _files(folder, _is_script)


def _is_script(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(("test_", ".")) and name not in ("conftest.py", "setup.py")


def _files(start: str, is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """The files below a folder as they are shown: from where the folder is named from."""

    def is_wanted_file(entry: "os.DirEntry[str]") -> bool:
        return is_wanted(entry.name) and _is_file(entry)

    shown = "" if os.path.normpath(start) == "." else start
    return tuple(os.path.join(shown, name) for name in files_not_ignored(start, is_wanted_file, _count_as_empty))


def _count_as_empty(failure: OSError) -> None:
    pass


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _refuse_unreadable(folder: str) -> None:
    try:
        os.scandir(folder).close()
    except OSError as failure:
        raise UsageError(f"cannot read folder `{folder}`: {failure.strerror or failure}") from None
