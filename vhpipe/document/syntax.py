"""What a YAML parser complains about, said so that it helps."""

from typing import Any

from vhpipe.diagnostics import Diagnostic, RelatedPlace, Span
from vhpipe.document.spans import span_of_event
from vhpipe.document.text import LINE_BREAK

_HINTS = (
    ("tab character", "indent with spaces: tabs cannot be used for it"),
    ("'\\t'", "indent with spaces: tabs cannot be used for it"),
    ("mapping values are not allowed", "is the indentation right? text that contains `: ` needs quotes"),
    ("could not find expected ':'", "is a `:` missing, or is a key longer than 1024 characters?"),
    ("did not find expected '-' indicator", "is the indentation right? items of one list begin in the same column"),
    ("did not find expected <block end>", "is the indentation right? keys of one mapping begin in the same column"),
    ("did not find expected key", "is the indentation right? keys of one mapping begin in the same column"),
    ("did not find expected ',' or", "is a bracket not closed?"),
    ("cannot start any token", "put the text into quotes"),
    ("found unexpected end of stream", "is a quote not closed?"),
    ("did not find expected alphabetic", "text that begins with `*` or `&` needs quotes"),
    ("undefined tag handle", "text that begins with `!` needs quotes"),
    ("incompatible YAML document", "remove the `%YAML` line"),
    ("block sequence entries are not allowed", "is the indentation right? a list begins on a line of its own"),
)


def explain(error: Exception, text: str, last_event: Any) -> Diagnostic:
    """The diagnostic for an exception of the parser, at its place or else behind the last thing that was read."""
    words = getattr(error, "problem", None) or getattr(error, "reason", None)
    problem = _sentence(words or f"the parser failed: {type(error).__name__}: {error}")
    mark = getattr(error, "problem_mark", None)
    span = _span(mark.line, mark.column, text) if mark is not None else span_of_event(last_event)
    context, context_mark = getattr(error, "context", None), getattr(error, "context_mark", None)
    related: tuple[RelatedPlace, ...] = ()
    if context and context_mark is not None:
        related = (RelatedPlace(_span(context_mark.line, context_mark.column, text), _sentence(context)),)
    hint = next((hint for words, hint in _HINTS if words in f"{error} {problem}"), None)
    return Diagnostic("invalid-yaml", "error", problem, span, hint, related)


def _span(line: int, column: int, text: str) -> Span:
    lines = LINE_BREAK.split(text)
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    return Span(line + 1, column + 1, line + 1, column + 2)


def _sentence(problem: object) -> str:
    words = " ".join(str(problem).split())
    return words[:1].lower() + words[1:200]
