"""Wildcards over local files: `*` stands for any characters of one name, `**` for any folders.

As in a shell, names that begin with a dot match only what begins with a dot; links to folders are not followed by `**`.
"""

import os
import re
from collections.abc import Iterator

from vhpipe.errors import from_os_error


def matching_files(pattern: str) -> tuple[str, ...]:
    """The regular files that an absolute path with wildcards stands for, sorted; none is an empty tuple."""
    parts = tuple(piece for part in pattern.split("/") if part for piece in _pieces(part))
    return tuple(sorted(_below("/", parts)))


def _pieces(part: str) -> tuple[str, ...]:
    """`**.csv` says the same as `**/*.csv`."""
    return ("**", part.replace("**", "*")) if "**" in part and part != "**" else (part,)


def _below(folder: str, parts: tuple[str, ...]) -> set[str]:
    """Without recursion: folders may be nested deeper than calls. Each folder is looked into once for what is left."""
    found: set[str] = set()
    waiting = [(folder, parts)]
    seen = set(waiting)
    while waiting:
        folder, parts = waiting.pop()
        if parts[0] == "**":
            following = [(folder, parts[1:] or ("*",)), *((path, parts) for path in _own_folders(folder))]
        else:
            paths = [os.path.join(folder, name) for name in _matching_names(folder, parts[0])]
            if len(parts) == 1:
                found.update(filter(os.path.isfile, paths))
                continue
            following = [(path, parts[1:]) for path in paths]
        waiting.extend(each for each in following if each not in seen)
        seen.update(following)
    return found


def _own_folders(folder: str) -> Iterator[str]:
    """What `**` goes down into."""
    for name in _names(folder):
        path = os.path.join(folder, name)
        if not name.startswith(".") and not os.path.islink(path) and os.path.isdir(path):
            yield path


def _matching_names(folder: str, part: str) -> list[str]:
    if "*" not in part:
        return [part]
    matches = re.compile(".*".join(map(re.escape, part.split("*"))), re.DOTALL).fullmatch
    return [name for name in _names(folder) if matches(name) and (part[0] == "." or name[0] != ".")]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise from_os_error(error, "cannot look for input files in") from error
