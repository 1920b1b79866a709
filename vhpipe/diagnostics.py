"""What is wrong with a file, and where: the one currency of everything said to the user about it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Path = tuple[str | int, ...]
Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""The worst first."""

MAX_OF_A_SEVERITY = 500
"""So many findings of one severity are made while a file is read; who has more repairs these first."""
MAX_OF_A_RULE = 200
"""So many findings of one rule are made about what a file means."""


class Location(NamedTuple):
    """A place in the data of a document: a path as jsonschema writes it, and which side of it is meant.

    `chars` narrows a string value to the characters from start to end of its text, e.g. to the node name in an edge.
    """

    path: Path
    part: Literal["key", "value"] = "value"
    chars: tuple[int, int] | None = None


class Span(NamedTuple):
    """A place in the text: lines and columns count from 1, columns count characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class RelatedPlace(NamedTuple):
    """A second place that helps to understand a diagnostic, e.g. the first of two equal names."""

    at: Location | Span
    message: str


class Edit(NamedTuple):
    """Replace what stands at a place by a text; an empty span inserts."""

    at: Location | Span
    text: str


class Fix(NamedTuple):
    """Edits that fix a finding. `is_safe`: the file means what its author plainly meant, and nothing else changes."""

    title: str
    edits: tuple[Edit, ...]
    is_safe: bool = True


class Diagnostic(NamedTuple):
    """One finding. `rule` is a kebab-case sentence, `message` lower case without a full stop.

    `hint` says what would do.
    """

    rule: str
    severity: Severity
    message: str
    at: Location | Span
    hint: str | None = None
    related: tuple[RelatedPlace, ...] = ()
    fix: Fix | None = None


class NodeMarks(NamedTuple):
    """What is wrong with a pipeline, as sentences without an end: by the node that they are about, and all others."""

    of_nodes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    others: tuple[str, ...] = ()

    def of(self, node: str) -> tuple[str, ...]:
        return self.of_nodes.get(node, ())


NO_MARKS = NodeMarks()


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)
