"""Findings out of the door: which format where, and by which name a file goes there."""

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from vhpipe.diagnostics import Diagnostic, Edit, Span
from vhpipe.errors import UsageError
from vhpipe.project.checked_file import STDIN
from vhpipe.project.findings_filter import FilteredFindings
from vhpipe.settings.files import git_root

TEXTS = ("full", "concise")
FORMATS = (*TEXTS, "json", "sarif", "github", "gitlab", "junit")
SILENT_IF_GOOD = (*TEXTS, "github")
FROM_THE_ROOT = ("sarif", "github", "gitlab", "junit")
"""Formats whose readers know files by their place in the repository, not by where the check was started."""


class ReportTarget(NamedTuple):
    """A format, and the file that it goes into."""

    format_name: str
    path: str


def format_here() -> str:
    """What is printed if nobody says: github in GitHub Actions, full where somebody looks, else one line each."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "full" if sys.stdout.isatty() else "concise"


def targets_of(written: Sequence[str]) -> tuple[ReportTarget, ...]:
    """What `-o FORMAT=FILE` asks for. Errors: UsageError."""
    return tuple(map(_target, written))


def _target(written: str) -> ReportTarget:
    name, equals, path = written.partition("=")
    if name not in FORMATS:
        from difflib import get_close_matches

        near = get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(FORMATS)}"
        raise UsageError(f"`--output`: there is no format `{name[:100]}`", hint)
    if not equals or not path:
        raise UsageError(f"`--output {written}` names no file", f"write `-o {name}=FILE`, or `--format {name}`")
    return ReportTarget(name, path)


def rendered(format_name: str, checked: Sequence[tuple[str, FilteredFindings]], color: bool = False) -> str:
    """The findings of files, by path, in a format; colour only for people. Good files alone may need no word."""
    if format_name in SILENT_IF_GOOD and not any(chosen.diagnostics for _, chosen in checked):
        return ""
    from vhpipe.views.formats import text
    from vhpipe.views.formats.findings import FileFindings
    from vhpipe.views.formats.render import render

    findings = [
        FileFindings(_name(path, chosen, format_name), chosen.loaded.source, _exact(chosen, format_name))
        for path, chosen in checked
    ]
    if format_name in TEXTS:
        write = text.render_full_text if format_name == "full" else text.render_concise_text
        return write(findings, color)
    if format_name == "sarif":
        from vhpipe.rules.catalogue import all_rules

        return render(format_name, findings, all_rules())
    return render(format_name, findings)


def write_target(target: ReportTarget, checked: Sequence[tuple[str, FilteredFindings]]) -> None:
    with open(target.path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(rendered(target.format_name, checked))


def _name(path: str, chosen: FilteredFindings, format_name: str) -> str:
    if path == STDIN or format_name not in FROM_THE_ROOT:
        return chosen.loaded.name
    whole = os.path.abspath(path)
    root = git_root(os.path.dirname(whole)) or os.getcwd()
    relative = os.path.relpath(whole, root)
    return whole if relative.startswith("..") else relative.replace(os.sep, "/")


def _exact(chosen: FilteredFindings, format_name: str) -> tuple[Diagnostic, ...]:
    """The findings; for programs with fixes that say character by character what changes."""
    if format_name not in ("json", "sarif"):
        return chosen.diagnostics
    return tuple(item if item.fix is None else _with_exact_fix(item, chosen) for item in chosen.diagnostics)


def _with_exact_fix(item: Diagnostic, chosen: FilteredFindings) -> Diagnostic:
    """Edits with the quotes that they have to be written in; no fix where it cannot be put in."""
    from vhpipe.edit.apply import line_starts, replacements

    source, document, fix = chosen.loaded.source, chosen.loaded.document, item.fix
    if fix is None or document is None:
        return item._replace(fix=None)
    spans = [edit.at if isinstance(edit.at, Span) else source.span(edit.at) for edit in fix.edits]
    at = dict(zip((edit.at for edit in fix.edits), spans, strict=True))
    found = replacements(document.text, line_starts(document.text), fix, lambda place: at[place])
    if found is None:
        return item._replace(fix=None)
    edits = tuple(Edit(span, new.text) for span, new in zip(spans, found, strict=True))
    return item._replace(fix=fix._replace(edits=edits))
