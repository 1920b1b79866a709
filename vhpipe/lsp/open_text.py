"""A text that has been checked, and what stands at a place of it."""

import sys
from collections.abc import Callable
from typing import NamedTuple

from vhpipe.diagnostics import Location, Path, Span
from vhpipe.document.spans import Document
from vhpipe.errors import VhpipeError
from vhpipe.lsp.positions import Positions
from vhpipe.project.checked_file import CheckedFile, CommitLookup, check_text
from vhpipe.project.findings_filter import FindingsFilter, settings_for
from vhpipe.settings.validate import ValidateSettings
from vhpipe.views.report import PlacedDiagnostic, placed_diagnostics

Check = Callable[[bytes, str], CheckedFile]
"""The check of a text with the path of its file."""


class OpenText(NamedTuple):
    """One version of a text in an editor, checked. `findings` are in the order of their places."""

    text: str
    positions: Positions
    file: CheckedFile
    findings: tuple[PlacedDiagnostic, ...]

    def span(self, at: Location | Span) -> Span:
        return self.file.span(at)


def open_text(check: Check, text: str, path: str, encoding: str = "utf-16") -> OpenText:
    """The text with all that is to be said about it. Never raises, whatever the text is."""
    file = check(text.encode("utf-8", "surrogatepass"), path)
    return OpenText(text, Positions(text, encoding), file, placed_diagnostics(file.source, file.diagnostics))


def check_reported(content: bytes, path: str) -> CheckedFile:
    """The text as `vhpipe validate` reports it. Never raises: settings that cannot be used are said on stderr, which
    is the editor's log, and only the comments in the text count then.
    """
    file = check_text(content, path, True, CommitLookup(path))
    try:
        return file.reported(settings_for(path, FindingsFilter()))
    except VhpipeError as failure:
        print(f"vhpipe: {failure}", file=sys.stderr)
        return file.reported(ValidateSettings())


def covers(span: Span, line: int, column: int) -> bool:
    """Whether a place is in a span or directly behind it, where the cursor is when a word has been typed."""
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def location_at(document: Document, line: int, column: int) -> Location:
    """The innermost key or value that stands at a place; the entire file where it is nothing else."""
    path: Path = ()
    value = document.data
    while isinstance(value, dict | list):
        names = value if isinstance(value, dict) else range(len(value))
        for name in names:
            if isinstance(name, str) and covers(document.span(Location((*path, name), "key")), line, column):
                return Location((*path, name), "key")
            if covers(document.span(Location((*path, name))), line, column):
                path, value = (*path, name), value[name]
                break
        else:
            break
    return Location(path)
