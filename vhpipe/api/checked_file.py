"""A file or a text, read and checked as `vhpipe validate` does."""

import os
from typing import NamedTuple

from vhpipe.config.model import Config
from vhpipe.config.read import read_config
from vhpipe.diagnostics import Diagnostic, Location, Span, has_errors
from vhpipe.document.limits import MAX_BYTES
from vhpipe.document.read import read_document
from vhpipe.document.spans import Document
from vhpipe.errors import InvalidFile, UsageError
from vhpipe.graph.model import PipelineGraph
from vhpipe.rules.check import check, subject_of

DEFAULT_FILE = "valohai.yaml"


class InvalidPipeline(InvalidFile):
    """A file, or a pipeline built in code, that cannot be run; every error stands in the message."""

    def __init__(self, name: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(name, diagnostics)
        self.message = "\n".join((self.message, *map(_told, diagnostics)))
        self.hint = None


def _told(item: Diagnostic) -> str:
    place = f"{item.at.line}:{item.at.column}: " if isinstance(item.at, Span) else ""
    return f"  {place}{item.message}" + (f" ({item.hint})" if item.hint else "")


class ReadFile(NamedTuple):
    """`data` is what stands in it, None where it could not be read; all that is wrong is in `diagnostics`."""

    name: str
    text: str
    document: Document | None
    config: Config
    graphs: tuple[PipelineGraph, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def data(self) -> object:
        return None if self.document is None else self.document.data

    def refuse_errors(self) -> None:
        """Raise `InvalidPipeline` with the errors, each with its place, if there are any."""
        if has_errors(self.diagnostics):
            raise InvalidPipeline(self.name, tuple(item for item in self.located() if item.severity == "error"))

    def located(self) -> tuple[Diagnostic, ...]:
        """The diagnostics with lines and columns."""
        return tuple(self._located(item) for item in self.diagnostics)

    def _located(self, item: Diagnostic) -> Diagnostic:
        if self.document is None or not isinstance(item.at, Location):
            return item
        return item._replace(at=self.document.span(item.at))


def read_file(path: str) -> ReadFile:
    """The file at a path; of a folder its valohai.yaml. Errors: UsageError if it cannot be read."""
    path = os.path.join(path, DEFAULT_FILE) if os.path.isdir(path) else path
    try:
        with open(path, "rb") as file:
            return _checked(file.read(MAX_BYTES + 1), path)
    except OSError as failure:
        raise UsageError(f"cannot read `{path}`: {failure.strerror}") from None


def read_text(text: str, name: str) -> ReadFile:
    """The same for a text; `name` is only said."""
    return _checked(text.encode(), name)


def _checked(content: bytes, name: str) -> ReadFile:
    document, faults = read_document(content, name)
    text = content.decode("utf-8-sig", "replace")
    if document is None:
        return ReadFile(name, text, None, Config(), (), faults)
    config, more = read_config(document)
    subject = subject_of(config)
    return ReadFile(name, text, document, config, subject.graphs, (*faults, *more, *check(subject)))
