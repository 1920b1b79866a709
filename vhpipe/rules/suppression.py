"""Comments that excuse findings: `# vhpipe: ignore[rule] because …` on the line or above, `ignore-file[rule]` for all.

A comment at the end of a line speaks for that line; one on a line of its own speaks for the next line that is
neither empty nor a comment. Of a finding the line counts where it begins.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from vhpipe.diagnostics import MAX_OF_A_RULE, Diagnostic, Edit, Fix, Span
from vhpipe.rules.catalogue import all_rules
from vhpipe.wording import MAX_LOOKUPS, did_you_mean, listed

MARK = "vhpipe:"
"""A file without this word has no suppressions."""


_COMMENT = re.compile(r"(?:^|(?<=[\s]))#\s*vhpipe:\s*(?P<rest>.*)$")
_FORM = re.compile(r"(?P<verb>ignore-file|ignore)\s*\[(?P<rules>[^\]]*)\](?P<reason>.*)$")
_REASON = re.compile(r"\w")
_FILLER = re.compile(r"^[\s:,;–—-]*(?:because\b)?")
_EXAMPLE = "write `# vhpipe: ignore[rule] because …`"


class SuppressionResult(NamedTuple):
    """Findings with their places, and what is to be said about the suppressions themselves."""

    kept: tuple[tuple[Span, Diagnostic], ...]
    suppressed: tuple[tuple[Span, Diagnostic], ...]
    notes: tuple[Diagnostic, ...]


class Suppression(NamedTuple):
    """One comment. `line` is the one it speaks for, None for the entire file; columns count from 1.

    `at` is the comment, `inside` the names between the brackets.
    """

    rules: tuple[str, ...]
    line: int | None
    at: Span
    inside: Span
    has_reason: bool


def suppress(
    lines: Sequence[str],
    found: Sequence[tuple[Span, Diagnostic]],
    is_comment: Callable[[int, int], bool] | None = None,
    judge_unused: Callable[[str], bool] = lambda rule: True,
) -> SuppressionResult:
    """What the comments in `lines` leave of the findings.

    `is_comment` says whether what begins at a line and column is a comment and not part of a text; without it all that
    looks like one is taken for one. `judge_unused` says of a rule whether it was looked for in all of the file, so
    that a suppression of it that excuses nothing can be called unused.
    """
    read = tuple(_suppressions_in(lines, is_comment or (lambda line, column: True)))
    suppressions = [item for item in read if isinstance(item, Suppression)]
    notes = [item for item in read if isinstance(item, Diagnostic)]
    speaking = _by_place(suppressions)
    kept: list[tuple[Span, Diagnostic]] = []
    suppressed: list[tuple[Span, Diagnostic]] = []
    used: set[tuple[int, str]] = set()
    for span, diagnostic in found:
        places = ((span.line, diagnostic.rule), (None, diagnostic.rule))
        fitting = [number for place in places for number in speaking.get(place, ())]
        used.update((number, diagnostic.rule) for number in fitting)
        (suppressed if fitting else kept).append((span, diagnostic))
    judge = _Judge(lines)
    for number, item in enumerate(suppressions):
        unused = {rule for rule in item.rules if (number, rule) not in used and judge_unused(rule)}
        notes += judge.of(item, unused)
    return SuppressionResult(tuple(kept), tuple(suppressed), _at_most(notes))


def excusing_comments(
    lines: Sequence[str], found: Sequence[tuple[Span, Diagnostic]], is_comment: Callable[[int, int], bool]
) -> dict[int, Span]:
    """The place of a comment that excuses it, by the position of each finding that has one."""
    read = [item for item in _suppressions_in(lines, is_comment) if isinstance(item, Suppression)]
    speaking = _by_place(read)
    excused = {}
    for position, (span, diagnostic) in enumerate(found):
        for place in ((span.line, diagnostic.rule), (None, diagnostic.rule)):
            if place in speaking:
                excused[position] = read[speaking[place][0]].at
                break
    return excused


def _by_place(suppressions: Sequence[Suppression]) -> dict[tuple[int | None, str], list[int]]:
    """The numbers of the suppressions that speak for a line, or for all (None), and a rule."""
    speaking: dict[tuple[int | None, str], list[int]] = {}
    for number, item in enumerate(suppressions):
        for rule in item.rules:
            speaking.setdefault((item.line, rule), []).append(number)
    return speaking


def _at_most(notes: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    counts: dict[str, int] = {}
    kept = []
    for note in notes:
        counts[note.rule] = counts.get(note.rule, 0) + 1
        if counts[note.rule] <= MAX_OF_A_RULE:
            kept.append(note)
    return tuple(kept)


def _suppressions_in(
    lines: Sequence[str], is_comment: Callable[[int, int], bool]
) -> Iterator[Suppression | Diagnostic]:
    meant = _lines_meant(lines)
    for number, line in enumerate(lines, 1):
        if MARK not in line:
            continue
        comment = _COMMENT.search(line)
        if comment is None or not is_comment(number, comment.start() + 1):
            continue
        at = Span(number, comment.start() + 1, number, len(line.rstrip()) + 1)
        form = _FORM.match(comment["rest"])
        yield (
            _malformed_suppression(at)
            if form is None
            else _suppression(form, comment.start("rest"), at, meant[number - 1])
        )


def _suppression(form: re.Match[str], shift: int, at: Span, meant: int) -> Suppression:
    names = tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", form["rules"]) if name))
    start, end = (shift + offset + 1 for offset in form.span("rules"))
    line = None if form["verb"] == "ignore-file" else meant
    reason = _FILLER.sub("", form["reason"])
    return Suppression(names, line, at, Span(at.line, start, at.line, end), _REASON.search(reason) is not None)


def _lines_meant(lines: Sequence[str]) -> list[int]:
    """For each line the one that a comment on it speaks for: itself, or the next one that says something."""
    meant = [0] * len(lines)
    following = len(lines)
    for number in range(len(lines), 0, -1):
        text = lines[number - 1].strip()
        if text and not text.startswith("#"):
            following = number
        meant[number - 1] = following
    return meant


class _Judge:
    """Says what is wrong with suppressions; names that are meant by unknown ones are looked for a few times only."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._known = {rule.id for rule in all_rules()}
        self._lookups = MAX_LOOKUPS

    def of(self, item: Suppression, unused: set[str]) -> Iterator[Diagnostic]:
        """`unused` are the rules of the suppression of which nothing was found."""
        if not item.rules:
            yield _malformed_suppression(item.at)
            return
        for name in item.rules[:MAX_OF_A_RULE]:
            if name not in self._known:
                yield self._unknown(name, item)
        useless = [name for name in item.rules if name in self._known and name in unused]
        if useless:
            yield _unused_suppression(useless, item, self._lines)
        if not item.has_reason and len(useless) < len(item.rules):
            hint = "write the reason after it: `because …`"
            yield Diagnostic("suppression-without-reason", "warning", "the suppression does not say why", item.at, hint)

    def _unknown(self, name: str, item: Suppression) -> Diagnostic:
        self._lookups -= 1
        hint = did_you_mean(name, self._known if self._lookups >= 0 else (), "`vhpipe rules` lists them")
        message = f"there is no rule `{name[:100]}`"
        return Diagnostic("unknown-suppressed-rule", "warning", message, item.inside, hint)


def _malformed_suppression(at: Span) -> Diagnostic:
    message = "this comment is not a suppression that vhpipe understands"
    return Diagnostic("malformed-suppression", "warning", message, at, _EXAMPLE)


def _unused_suppression(useless: list[str], item: Suppression, lines: Sequence[str]) -> Diagnostic:
    where = "in this file" if item.line is None else "here"
    left = [name for name in item.rules if name not in useless]
    if left:
        fix = Fix(f"suppress only {', '.join(left)}", (Edit(item.inside, ", ".join(left)),))
    else:
        fix = Fix("remove the suppression", (Edit(_removal(item.at, lines), ""),))
    message = f"there is nothing {where} to suppress of {listed(useless)}"
    return Diagnostic("unused-suppression", "warning", message, item.at, "remove it", (), fix)


def _removal(at: Span, lines: Sequence[str]) -> Span:
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
