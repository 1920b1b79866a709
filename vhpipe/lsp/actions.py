"""Quick fixes: the fixes that findings carry, and comments that excuse them."""

import re
from collections.abc import Iterable, Iterator, Sequence

from lsprotocol import types

from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.edit.apply import Replacement, apply_fixes, line_starts, replacements
from vhpipe.lsp.open_text import OpenText
from vhpipe.lsp.reports import as_diagnostic
from vhpipe.views.report import PlacedDiagnostic

FIX_ALL = "source.fixAll.vhpipe"
NOT_TO_EXCUSE = frozenset(
    {"malformed-suppression", "unknown-suppressed-rule", "suppression-without-reason", "unused-suppression"}
)

_WITH_COMMENT = re.compile(r"#\s*vhpipe:")


def actions_at(checked: OpenText, uri: str, wanted: types.Range, only: Sequence[str] | None) -> list[types.CodeAction]:
    """What can be done about the findings in a range, fixes first; `only` are the kinds that the editor asks for."""
    found: list[types.CodeAction] = []
    touched = [item for item in checked.findings if _touches(checked.positions.range_of(item.span), wanted)]
    if _is_wanted(types.CodeActionKind.QuickFix, only):
        found += _fixes(checked, uri, touched)
        found += _excuses(checked, uri, touched)
    if only is not None and _is_wanted(FIX_ALL, only):
        found += _fix_all(checked, uri)
    return found


def _is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    return only is None or any(kind == asked or kind.startswith(f"{asked}.") for asked in only)


def _touches(one: types.Range, other: types.Range) -> bool:
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _fixes(checked: OpenText, uri: str, touched: Iterable[PlacedDiagnostic]) -> Iterator[types.CodeAction]:
    text = "\n".join(checked.positions.lines)
    starts = line_starts(text)
    for item in touched:
        fix = item.diagnostic.fix
        changes = None if fix is None else replacements(text, starts, fix, checked.span)
        if fix is not None and changes is not None:
            yield types.CodeAction(
                title=fix.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[as_diagnostic(checked, uri, item)],
                is_preferred=fix.is_safe,
                edit=_edit(uri, [_text_edit(checked, starts, change) for change in changes]),
            )


def _text_edit(checked: OpenText, starts: Sequence[int], change: Replacement) -> types.TextEdit:
    span = Span(*_place(starts, change.start), *_place(starts, change.end))
    return types.TextEdit(checked.positions.range_of(span), change.text)


def _place(starts: Sequence[int], offset: int) -> tuple[int, int]:
    from bisect import bisect_right

    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


def _excuses(checked: OpenText, uri: str, touched: Iterable[PlacedDiagnostic]) -> Iterator[types.CodeAction]:
    """A comment on a line of its own above the finding; the reason is left to be written."""
    rules: dict[tuple[str, int], PlacedDiagnostic] = {}
    for item in touched:
        if item.diagnostic.rule not in NOT_TO_EXCUSE and checked.file.document is not None:
            rules.setdefault((item.diagnostic.rule, item.span.line), item)
    for (rule, line), item in rules.items():
        if _is_inside_a_text(checked, line):
            continue
        above = checked.positions.lines[line - 2] if line > 1 else ""
        if above.lstrip().startswith("#") and _WITH_COMMENT.search(above):
            continue
        written = checked.positions.lines[line - 1]
        indent = written[: len(written) - len(written.lstrip(" "))]
        place = checked.positions.position(line, 1)
        comment = f"{indent}# vhpipe: ignore[{rule}] because \n"
        yield types.CodeAction(
            title=f"Ignore `{rule}` here",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[as_diagnostic(checked, uri, item)],
            edit=_edit(uri, [types.TextEdit(types.Range(place, place), comment)]),
        )


def _is_inside_a_text(checked: OpenText, line: int) -> bool:
    """Whether a new line above would become a part of a text of several lines."""
    from vhpipe.lsp.open_text import location_at

    document = checked.file.document
    assert document is not None, "asked of documents only"
    span = document.span(location_at(document, line, 1))
    text = isinstance(_value_at(checked, line), str)
    return text and span.line < line <= span.end_line


def _value_at(checked: OpenText, line: int) -> object:
    from vhpipe.document.spans import value_at
    from vhpipe.lsp.open_text import location_at

    document = checked.file.document
    assert document is not None, "asked of documents only"
    at = location_at(document, line, 1)
    return value_at(document.data, at.path) if at.part == "value" else None


def _fix_all(checked: OpenText, uri: str) -> Iterator[types.CodeAction]:
    """All safe fixes in one edit, of the lines that change."""
    text = "\n".join(checked.positions.lines)
    findings: Sequence[Diagnostic] = [item.diagnostic for item in checked.findings]
    fixed = apply_fixes(text, findings, checked.span, False)
    if fixed.applied:
        yield types.CodeAction(
            title="Fix everything that vhpipe can fix safely",
            kind=FIX_ALL,
            edit=_edit(uri, [_changed_lines(checked, fixed.text.split("\n"))]),
        )


def _changed_lines(checked: OpenText, new: Sequence[str]) -> types.TextEdit:
    old = checked.positions.lines
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    end = len(old) - last
    if end < len(old):
        lines = "".join(f"{line}\n" for line in new[first : len(new) - last])
        return types.TextEdit(checked.positions.range_of(Span(first + 1, 1, end + 1, 1)), lines)
    before = first > 0
    start = Span(first, len(old[first - 1]) + 1, end, len(old[-1]) + 1) if before else Span(1, 1, end, len(old[-1]) + 1)
    lines = ("\n" if before and len(new) > first else "") + "\n".join(new[first:])
    return types.TextEdit(checked.positions.range_of(start), lines)


def _edit(uri: str, edits: Sequence[types.TextEdit]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={uri: list(edits)})
