"""What is rendered: one file with all that is said about it, placed; and texts as every format can carry them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from vhpipe.diagnostics import Diagnostic, Location, Span
from vhpipe.views.report import PlacedDiagnostic, Source, placed_diagnostics
from vhpipe.views.safe_text import one_line


class FileFindings(NamedTuple):
    """`name` is the path to write, with `/`, relative to where readers of the report start."""

    name: str
    source: Source
    diagnostics: tuple[Diagnostic, ...]

    def placed(self) -> tuple[PlacedDiagnostic, ...]:
        return placed_diagnostics(self.source, self.diagnostics)

    def span(self, at: Location | Span) -> Span:
        return at if isinstance(at, Span) else self.source.span(at)


class KnownRule(Protocol):
    """What a format can tell of a rule beside what was found by it."""

    @property
    def id(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def fixable(self) -> bool: ...


class ReportedFinding(NamedTuple):
    """One finding with its file, its place and a fingerprint that outlives a move of the line."""

    file: FileFindings
    span: Span
    diagnostic: Diagnostic
    fingerprint: str


def reported_findings(findings: Iterable[FileFindings]) -> Iterator[ReportedFinding]:
    """Every finding of every file, in the order of the places. No two fingerprints are equal."""
    seen: dict[str, int] = {}
    for file in findings:
        for span, diagnostic in file.placed():
            key = "\0".join((file.name, diagnostic.rule, diagnostic.message, _line(file.source, span).strip()))
            seen[key] = seen.get(key, 0) + 1
            yield ReportedFinding(file, span, diagnostic, _digest(f"{key}\0{seen[key]}"))


def plain(text: str) -> str:
    """A text that every encoding and format can carry, on one line."""
    return one_line(text).encode("utf-8", "backslashreplace").decode()


def encodable(text: str) -> str:
    """A text whose half surrogates are written as escapes; anything else stays as it is."""
    return text.encode("utf-8", "backslashreplace").decode()


def _line(source: Source, span: Span) -> str:
    return source.lines[span.line - 1] if span.line <= len(source.lines) else ""


def _digest(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
