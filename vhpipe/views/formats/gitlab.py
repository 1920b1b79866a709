"""Findings as a GitLab code quality report.

Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from collections.abc import Sequence

from vhpipe.diagnostics import Span
from vhpipe.views.formats.findings import FileFindings, ReportedFinding, encodable, plain, reported_findings
from vhpipe.views.json_values import json_text

SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render_gitlab(findings: Sequence[FileFindings]) -> str:
    return json_text([_issue(item) for item in reported_findings(findings)]) + "\n"


def _issue(item: ReportedFinding) -> dict[str, object]:
    diagnostic = item.diagnostic
    return {
        "type": "issue",
        "check_name": diagnostic.rule,
        "description": plain(f"{diagnostic.message} [{diagnostic.rule}]"),
        "categories": ["Bug Risk"],
        "severity": SEVERITIES[diagnostic.severity],
        "fingerprint": item.fingerprint,
        "location": {"path": encodable(item.file.name), "positions": _positions(item.span)},
    }


def _positions(span: Span) -> dict[str, object]:
    return {
        "begin": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }
