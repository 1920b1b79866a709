"""Where the host has what a text names below `/valohai`: for messages about an attempt whose step had `/valohai`.

Logs stay as the step wrote them; what this program says of them names paths that exist on the host.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import file_digest
from typing import NamedTuple

from vhpipe.platform_paths import VALOHAI, is_within
from vhpipe.regular_files import open_to_read
from vhpipe.store.attempt_files import CONFIG, INPUTS, OUTPUTS, REPOSITORY

MOST_PATHS = 5
"""So many paths of one text are named, those at its end."""
MOST_BYTES = 16 << 20
"""Files above this size are not compared with the project's own."""

_START = rf"{VALOHAI}/(?:{CONFIG}|{INPUTS}|{OUTPUTS}|{REPOSITORY})"
_WORD = r"""[^\s"'`:;,|<>()\[\]{}]*"""
_QUOTED = rf"""(["'`])(?P<quoted>{_START}(?:/[^"'`\n]*)?)\1(?:,? line (?P<quoted_line>\d+))?"""
_BARE = rf"(?<![\w./-])(?P<bare>{_START}(?:/{_WORD})?)(?![\w-])(?::(?: line )?(?P<bare_line>\d+))?"
_NAMED = re.compile(f"{_QUOTED}|{_BARE}")
"""A path of the platform in quotes, or up to a blank or a sign; with a line, as tracebacks and compilers write it."""

_DEPTH = 2
"""The slashes in the path of one of the folders themselves, of which there is nothing to say."""

CodeAtStart = Callable[[str], str | None]
"""The sha256 of a file of the run's code by its path, None where it is no file of it."""


class NamedPath(NamedTuple):
    """A path that a text names, the line of the file if it names one, and where the host has it."""

    named: str
    line: int | None
    path: str


def no_code(path: str) -> str | None:
    """For who knows nothing of the code at the start of a run."""
    return None


class HostFolders(NamedTuple):
    """The folders of one attempt whose step had `/valohai`.

    `repository` is its working copy, which may be gone by now. `project` is the folder whose files the user edits: one
    that is as the step had it is named there. `code_at_start` tells of files where the working copy is gone.
    """

    folder: str
    repository: str
    project: str | None = None
    code_at_start: CodeAtStart = no_code

    def outside(self, path: str) -> str | None:
        """Where the host has a path that the step saw; None for one that is not below the four folders, or is gone."""
        name, _, rest = os.path.normpath(path).removeprefix(f"{VALOHAI}/").partition("/")
        below = f"/{rest}" if rest else ""
        if name == REPOSITORY:
            return self._of_code(rest)
        return f"{self.folder}/{name}{below}" if name in (CONFIG, INPUTS, OUTPUTS) else None

    def on_host(self, path: str) -> str:
        """A path of any kind as the host has it."""
        return (self.outside(path) if is_within(path, VALOHAI) else None) or path

    def _of_code(self, path: str) -> str | None:
        kept = f"{self.repository}/{path}".rstrip("/")
        own = f"{self.project}/{path}".rstrip("/") if self.project is not None else None
        if own is None or own == kept:
            return kept if os.path.lexists(self.repository) else None
        if os.path.isdir(self.repository):
            return own if path and (had := _digest(kept)) is not None and had == _digest(own) else kept
        return own if (has := _digest(own)) is not None and has == self.code_at_start(path) else None


def named_paths(text: str, hosts: HostFolders, most: int = MOST_PATHS) -> tuple[NamedPath, ...]:
    """What the host has of the paths that a text names below the four folders: each once, the last ones, in order."""
    if VALOHAI not in text:
        return ()
    found: dict[tuple[str, int | None], None] = {}
    for each in _mentions(text):
        found.pop(each, None)
        found[each] = None
    named: list[NamedPath] = []
    for name, line in reversed(found):
        path = hosts.outside(name) if name.count("/") > _DEPTH else None
        if path is not None:
            named.insert(0, NamedPath(name, line, path))
        if len(named) == most:
            break
    return tuple(named)


def with_host_paths(text: str, hosts: HostFolders) -> str:
    """The text with the host's paths in the place of those below `/valohai`."""
    return _NAMED.sub(lambda found: _replaced(found, hosts), text) if VALOHAI in text else text


def _replaced(found: "re.Match[str]", hosts: HostFolders) -> str:
    name, _ = _mention(found)
    path = hosts.outside(name)
    return found[0] if path is None else found[0].replace(name, path, 1)


def _mentions(text: str) -> Iterator[tuple[str, int | None]]:
    return map(_mention, _NAMED.finditer(text))


def _mention(found: "re.Match[str]") -> tuple[str, int | None]:
    """The path without the full stop of a sentence, and the line."""
    line = found["quoted_line"] or found["bare_line"]
    name = found["quoted"] or found["bare"].rstrip(".")
    return name.rstrip("/"), int(line[:9]) if line else None


def _digest(path: str) -> str | None:
    """The sha256 of a plain file of reasonable size, else None."""
    with suppress(OSError), open_to_read(path) as file:
        if os.fstat(file.fileno()).st_size <= MOST_BYTES:
            return file_digest(file, "sha256").hexdigest()
    return None
