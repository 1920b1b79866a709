"""The texts that are open in an editor, each checked once for every version that somebody asks about."""

import re
import time
from collections.abc import Callable

from vhpipe.config.paths import FILE_NAMES
from vhpipe.lsp.open_text import Check, OpenText, open_text
from vhpipe.project.checked_file import STDIN

PATIENCE_S = 0.1
"""So long a list of completions may take; whoever types does not see less."""

_ITEM = re.compile(r"^- *(?:step|task|pipeline|endpoint|deployment) *:", re.MULTILINE)


class OpenFiles:
    """Checked texts by URI. `understood` is the last version of each that could be read."""

    def __init__(self, check: Check, clock: Callable[[], float] = time.monotonic) -> None:
        self._check, self._clock = check, clock
        self._checked: dict[str, OpenText] = {}
        self._understood: dict[str, OpenText] = {}
        self._took_s: dict[str, float] = {}
        self.encoding = "utf-16"

    def checked(self, uri: str, path: str, text: str) -> OpenText:
        """The text with its findings."""
        known = self._checked.get(uri)
        if known is None or known.text != text:
            started = self._clock()
            known = self._checked[uri] = open_text(self._check, text, _place(uri, path), self.encoding)
            self._took_s[uri] = self._clock() - started
        if known.file.document is not None:
            self._understood[uri] = known
        return known

    def understood(self, uri: str, path: str, text: str, line: int) -> OpenText:
        """What the names in a text are, while somebody types in a line, from 1.

        Of a text that cannot be read it is the text without that line; if that cannot be read either, or if reading
        takes longer than somebody who types would wait, the last version that could be read.
        """
        last = self._understood.get(uri)
        if last is not None and self.took_s(uri) > PATIENCE_S:
            return last
        known = self.checked(uri, path, text)
        if known.file.document is not None:
            return known
        lines = list(known.positions.lines)
        lines[line - 1] = ""
        without = open_text(self._check, "\n".join(lines), _place(uri, path), self.encoding)
        return without if without.file.document is not None else last or known

    def took_s(self, uri: str) -> float:
        """How long the last check took, in seconds."""
        return self._took_s.get(uri, 0.0)

    def forget(self, uri: str) -> None:
        """Nothing is known of a text any more: it is closed, or what stands around it has changed."""
        for table in (self._checked, self._understood, self._took_s):
            table.pop(uri, None)


def _place(uri: str, path: str) -> str:
    """The path of a text, that of stdin for one that is in no folder: it was never saved, or is not on this machine."""
    return path if uri.startswith("file:") else STDIN


def is_ours(path: str, text: str) -> bool:
    """Whether a YAML file that an editor opens is one of Valohai: by its name, or by an item that it begins."""
    return path.rpartition("/")[2] in FILE_NAMES or _ITEM.search(text) is not None
