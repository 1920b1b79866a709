"""A text that has been checked, and what stands at a place of it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from vhpipe.config.model import Config
from vhpipe.diagnostics import Diagnostic, Location, Path, Span
from vhpipe.document.spans import Document
from vhpipe.graph.model import PipelineGraph
from vhpipe.lsp.positions import Positions
from vhpipe.views.report import PlacedDiagnostic, Source, placed


class ReadableText(Protocol):
    """What is known about a text; `document` is None where it is not YAML."""

    @property
    def document(self) -> Document | None: ...

    @property
    def source(self) -> Source: ...

    @property
    def config(self) -> Config: ...

    @property
    def graphs(self) -> Sequence[PipelineGraph]: ...

    @property
    def diagnostics(self) -> Sequence[Diagnostic]: ...


Load = Callable[[bytes, str], ReadableText]
"""The check of a text with the name of its file."""


class CheckedText(NamedTuple):
    """One version of a text. `findings` are in the order of their places."""

    text: str
    positions: Positions
    loaded: ReadableText
    findings: tuple[PlacedDiagnostic, ...]

    def span(self, at: Location | Span) -> Span:
        return at if isinstance(at, Span) else self.loaded.source.span(at)


def check_text(load: Load, text: str, name: str, encoding: str = "utf-16") -> CheckedText:
    """The text with all that is to be said about it. Never raises, whatever the text is."""
    loaded = load(text.encode("utf-8", "surrogatepass"), name)
    return CheckedText(text, Positions(text, encoding), loaded, placed(loaded.source, loaded.diagnostics))


def covers(span: Span, line: int, column: int) -> bool:
    """Whether a place is in a span or directly behind it, where the cursor is when a word has been typed."""
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def location_at(document: Document, line: int, column: int) -> Location:
    """The innermost key or value that stands at a place; the whole file where it is nothing else."""
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
