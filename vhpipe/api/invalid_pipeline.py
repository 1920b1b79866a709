"""What the Python door raises for a file, or a pipeline built in code, that cannot be run."""

from collections.abc import Callable

from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.errors import InvalidFile
from vhpipe.project.checked_file import AskedPart, CheckedFile


class InvalidPipeline(InvalidFile):
    """A file, or a pipeline built in code, that cannot be run; every error stands in the message."""

    def __init__(self, name: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(name, diagnostics)
        self.message = "\n".join((self.message, *map(_error_line, diagnostics)))
        self.hint = None


def part_asked_for(file: CheckedFile, asked: AskedPart) -> CheckedFile:
    """The file if it has no errors, else only what was asked for; raises `InvalidPipeline` with the errors there."""
    try:
        return file.part_asked_for(asked)
    except InvalidFile as failure:
        raise InvalidPipeline(failure.name, failure.diagnostics) from None


def refuse_errors(file: CheckedFile, explain: Callable[[Diagnostic], Diagnostic] | None = None) -> None:
    """Raises `InvalidPipeline` with the errors of the file, each with its place, if it has any.

    `explain` puts one into the words of whoever made the file.
    """
    errors = tuple(map(explain, file.errors())) if explain else file.errors()
    if errors:
        raise InvalidPipeline(file.name, errors)


def _error_line(item: Diagnostic) -> str:
    place = f"{item.at.line}:{item.at.column}: " if isinstance(item.at, Span) else ""
    return f"  {place}{item.message}" + (f" ({item.hint})" if item.hint else "")
