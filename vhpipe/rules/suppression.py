"""Comments that excuse findings: `# vhpipe: ignore[rule] because …` on the line or above, `ignore-file[rule]` for all.

A comment at the end of a line speaks for that line; one on a line of its own speaks for the next line that is
neither empty nor a comment. Of a finding the line counts where it begins.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vhpipe.diagnostics import Diagnostic, Edit, Fix, Span
from vhpipe.rules.catalogue import all_rules, nearest_rule

MARK = "vhpipe:"
"""A file without this word has no suppressions."""

_COMMENT = re.compile(r"(?:^|(?<=[\s]))#\s*vhpipe:\s*(?P<rest>.*)$")
_FORM = re.compile(r"(?P<verb>ignore-file|ignore)\s*\[(?P<rules>[^\]]*)\](?P<reason>.*)$")
_REASON = re.compile(r"\w")
_FILLER = re.compile(r"^[\s:,;–—-]*(?:because\b)?")
_EXAMPLE = "write `# vhpipe: ignore[rule] because …`"


class Suppressed(NamedTuple):
    """Findings with their places, and what is to be said about the suppressions themselves."""

    kept: tuple[tuple[Span, Diagnostic], ...]
    suppressed: tuple[tuple[Span, Diagnostic], ...]
    notes: tuple[Diagnostic, ...]


class Suppression(NamedTuple):
    """One comment. `line` is the one it speaks for, None for the whole file; columns count from 1.

    `at` is the comment, `inside` the names between the brackets.
    """

    rules: tuple[str, ...]
    line: int | None
    at: Span
    inside: Span
    has_reason: bool

    def fits(self, span: Span, rule: str) -> bool:
        return rule in self.rules and self.line in (None, span.line)


def suppress(
    lines: Sequence[str],
    found: Sequence[tuple[Span, Diagnostic]],
    is_comment: Callable[[int, int], bool] | None = None,
    judge_unused: Callable[[str], bool] = lambda rule: True,
) -> Suppressed:
    """What the comments in `lines` leave of the findings.

    `is_comment` says whether what begins at a line and column is a comment and not part of a text; without it all that
    looks like one is taken for one. `judge_unused` says of a rule whether it was looked for in all of the file, so
    that a suppression of it that excuses nothing can be called unused.
    """
    read = tuple(_read(lines, is_comment or (lambda line, column: True)))
    suppressions = [item for item in read if isinstance(item, Suppression)]
    notes = [item for item in read if isinstance(item, Diagnostic)]
    kept: list[tuple[Span, Diagnostic]] = []
    suppressed: list[tuple[Span, Diagnostic]] = []
    used: set[tuple[int, str]] = set()
    for span, diagnostic in found:
        fitting = [number for number, item in enumerate(suppressions) if item.fits(span, diagnostic.rule)]
        used.update((number, diagnostic.rule) for number in fitting)
        (suppressed if fitting else kept).append((span, diagnostic))
    for number, item in enumerate(suppressions):
        unused = {rule for rule in item.rules if (number, rule) not in used and judge_unused(rule)}
        notes += _judged(item, unused, lines)
    return Suppressed(tuple(kept), tuple(suppressed), tuple(notes))


def _read(lines: Sequence[str], is_comment: Callable[[int, int], bool]) -> Iterator[Suppression | Diagnostic]:
    for number, line in enumerate(lines, 1):
        if MARK not in line:
            continue
        comment = _COMMENT.search(line)
        if comment is None or not is_comment(number, comment.start() + 1):
            continue
        at = Span(number, comment.start() + 1, number, len(line.rstrip()) + 1)
        form = _FORM.match(comment["rest"])
        yield _malformed(at) if form is None else _suppression(form, comment.start("rest"), at, lines)


def _suppression(form: re.Match[str], shift: int, at: Span, lines: Sequence[str]) -> Suppression:
    names = tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", form["rules"]) if name))
    start, end = (shift + offset + 1 for offset in form.span("rules"))
    line = None if form["verb"] == "ignore-file" else _line_meant(at, lines)
    reason = _FILLER.sub("", form["reason"])
    return Suppression(names, line, at, Span(at.line, start, at.line, end), _REASON.search(reason) is not None)


def _line_meant(at: Span, lines: Sequence[str]) -> int:
    if lines[at.line - 1][: at.column - 1].strip():
        return at.line
    for number in range(at.line + 1, len(lines) + 1):
        text = lines[number - 1].strip()
        if text and not text.startswith("#"):
            return number
    return at.line


def _judged(item: Suppression, unused: set[str], lines: Sequence[str]) -> Iterator[Diagnostic]:
    """What is wrong with one suppression; `unused` are its rules of which nothing was found."""
    known = {rule.id for rule in all_rules()}
    if not item.rules:
        yield _malformed(item.at)
        return
    for name in item.rules:
        if name not in known:
            yield _unknown(name, item, known)
    useless = [name for name in item.rules if name in known and name in unused]
    if useless:
        yield _unused(useless, item, lines)
    if not item.has_reason and len(useless) < len(item.rules):
        hint = "write why behind it: `because …`"
        yield Diagnostic("suppression-without-reason", "warning", "the suppression does not say why", item.at, hint)


def _malformed(at: Span) -> Diagnostic:
    message = "this comment is no suppression that could be understood"
    return Diagnostic("malformed-suppression", "warning", message, at, _EXAMPLE)


def _unknown(name: str, item: Suppression, known: set[str]) -> Diagnostic:
    near = nearest_rule(name, known)
    hint = f"did you mean `{near}`?" if near else "`vhpipe rules` lists them"
    message = f"there is no rule `{name[:100]}`"
    return Diagnostic("unknown-suppressed-rule", "warning", message, item.inside, hint)


def _unused(useless: list[str], item: Suppression, lines: Sequence[str]) -> Diagnostic:
    where = "in this file" if item.line is None else "here"
    named = ", ".join(f"`{name}`" for name in useless)
    left = [name for name in item.rules if name not in useless]
    if left:
        fix = Fix(f"suppress only {', '.join(left)}", (Edit(item.inside, ", ".join(left)),))
    else:
        fix = Fix("remove the suppression", (Edit(_whole(item.at, lines), ""),))
    message = f"there is nothing to suppress {where} of {named}"
    return Diagnostic("unused-suppression", "warning", message, item.at, "remove it", (), fix)


def _whole(at: Span, lines: Sequence[str]) -> Span:
    """The comment with the spaces before it, or its line where it stands alone."""
    line = lines[at.line - 1]
    before = line[: at.column - 1]
    if before.strip():
        return Span(at.line, len(before.rstrip()) + 1, at.line, len(line) + 1)
    if at.line < len(lines):
        return Span(at.line, 1, at.line + 1, 1)
    if at.line > 1:
        return Span(at.line - 1, len(lines[at.line - 2]) + 1, at.line, len(line) + 1)
    return Span(1, 1, 1, len(line) + 1)
