"""Wildcards over local files: `*` stands for any characters of one name, `**` for any folders.

As in a shell, names that begin with a dot match only what begins with a dot; links to folders are not followed by `**`.
"""

import os
import re
from collections.abc import Iterator

from vhpipe.errors import from_os_error


def matching_files(pattern: str) -> tuple[str, ...]:
    """The regular files that an absolute path with wildcards stands for, sorted; none is an empty tuple."""
    parts = [piece for part in pattern.split("/") if part for piece in _pieces(part)]
    return tuple(sorted(set(_below("/", parts))))


def _pieces(part: str) -> tuple[str, ...]:
    """`**.csv` says the same as `**/*.csv`."""
    return ("**", part.replace("**", "*")) if "**" in part and part != "**" else (part,)


def _below(folder: str, parts: list[str]) -> Iterator[str]:
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _below(folder, rest or ["*"])
        for name in _names(folder):
            path = os.path.join(folder, name)
            if not name.startswith(".") and not os.path.islink(path) and os.path.isdir(path):
                yield from _below(path, parts)
        return
    for name in _matching_names(folder, first):
        path = os.path.join(folder, name)
        if rest:
            yield from _below(path, rest)
        elif os.path.isfile(path):
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
