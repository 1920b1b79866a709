"""Findings as workflow commands of GitHub Actions: they become annotations at the lines, without any permission."""

from collections.abc import Sequence

from vhpipe.views.formats.findings import FileFindings, ReportedFinding, plain, reported_findings

LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render_github(findings: Sequence[FileFindings]) -> str:
    return "".join(_command(item) + "\n" for item in reported_findings(findings))


def _command(item: ReportedFinding) -> str:
    span, diagnostic = item.span, item.diagnostic
    properties = {
        "title": f"vhpipe ({diagnostic.rule})",
        "file": item.file.name,
        "line": str(span.line),
        "col": str(span.column),
        "endLine": str(span.end_line),
    }
    if span.end_line == span.line:
        properties["endColumn"] = str(max(span.column, span.end_column - 1))
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = _escape(f"{item.file.name}:{span.line}:{span.column}: {diagnostic.message} [{diagnostic.rule}]")
    if diagnostic.hint:
        message += f"%0Ahint: {_escape(diagnostic.hint)}"
    return f"::{LEVELS[diagnostic.severity]} {listed}::{message}"


def _escape(text: str) -> str:
    """Nothing in a message can begin a command of its own."""
    return plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
