"""Findings as one JSON object, by `schemas/report.json`."""

from collections.abc import Sequence

from vhpipe import __version__
from vhpipe.diagnostics import SEVERITIES, Fix, Span
from vhpipe.views.formats.findings import FileFindings, ReportedFinding, encodable, reported_findings
from vhpipe.views.json_values import json_text

VERSION = 1
"""Of the form of the object: it changes when something is renamed, removed or means something else."""


def render_json(findings: Sequence[FileFindings]) -> str:
    items = list(reported_findings(findings))
    severities: list[str] = [item.diagnostic.severity for item in items]
    report = {
        "version": VERSION,
        "tool": {"name": "vhpipe", "version": __version__},
        "files": [encodable(file.name) for file in findings],
        "summary": {severity: severities.count(severity) for severity in SEVERITIES},
        "findings": [_finding(item) for item in items],
    }
    return json_text(report) + "\n"


def _finding(item: ReportedFinding) -> dict[str, object]:
    diagnostic = item.diagnostic
    return {
        "rule": diagnostic.rule,
        "severity": diagnostic.severity,
        "message": encodable(diagnostic.message),
        "hint": None if diagnostic.hint is None else encodable(diagnostic.hint),
        "file": encodable(item.file.name),
        **_place(item.span),
        "related": [
            {"message": encodable(related.message), **_place(item.file.span(related.at))}
            for related in diagnostic.related
        ],
        "fix": None if diagnostic.fix is None else _fix(item.file, diagnostic.fix),
        "fingerprint": item.fingerprint,
    }


def _fix(file: FileFindings, fix: Fix) -> dict[str, object]:
    edits = [{"text": encodable(edit.text), **_place(file.span(edit.at))} for edit in fix.edits]
    return {"title": encodable(fix.title), "safe": fix.is_safe, "edits": edits}


def _place(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}
