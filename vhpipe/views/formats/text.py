"""Findings for people: with the lines of the file, or one line each."""

from collections.abc import Sequence

from vhpipe.views.formats.findings import FileFindings
from vhpipe.views.report import render_concise, render_full


def render_full_text(findings: Sequence[FileFindings], color: bool = False) -> str:
    """Every finding with its line, a blank line between two, also of two files."""
    return "\n".join(render_full(file.source, file.diagnostics, color) for file in findings if file.diagnostics)


def render_concise_text(findings: Sequence[FileFindings], color: bool = False) -> str:
    """`file:line:column: severity: message [rule]`."""
    return "".join(render_concise(file.source, file.diagnostics, color) for file in findings)
