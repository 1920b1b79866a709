"""Findings as a JUnit report: a suite for each file, a failed case for each error, a skipped one for what is less."""

from collections.abc import Sequence
from html import escape

from vhpipe.views.formats.findings import FileFindings, ReportedFinding, plain, reported_findings


def render_junit(findings: Sequence[FileFindings]) -> str:
    items = list(reported_findings(findings))
    suites = "".join(_suite(file, [item for item in items if item.file is file]) for file in findings)
    failures = sum(item.diagnostic.severity == "error" for item in items)
    cases = len(items) + sum(not file.diagnostics for file in findings)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<testsuites name="vhpipe" tests="{cases}" failures="{failures}" errors="0">\n{suites}</testsuites>\n'
    )


def _suite(file: FileFindings, items: Sequence[ReportedFinding]) -> str:
    failures = sum(item.diagnostic.severity == "error" for item in items)
    skipped = len(items) - failures
    name = _attribute(file.name)
    good = f'    <testcase classname={name} name="vhpipe validate"/>\n'
    cases = "".join(map(_case, items)) or good
    counts = f'tests="{max(1, len(items))}" failures="{failures}" errors="0" skipped="{skipped}"'
    return f"  <testsuite name={name} {counts}>\n{cases}  </testsuite>\n"


def _case(item: ReportedFinding) -> str:
    span, diagnostic = item.span, item.diagnostic
    where = f"{item.file.name}:{span.line}:{span.column}"
    head = f"    <testcase classname={_attribute(item.file.name)} "
    head += f'name={_attribute(f"{diagnostic.rule} at {span.line}:{span.column}")} line="{span.line}">\n'
    message = _attribute(f"{diagnostic.severity}: {diagnostic.message}")
    if diagnostic.severity != "error":
        return f"{head}      <skipped message={message}/>\n    </testcase>\n"
    text = f"{where}: {diagnostic.message}" + (f"; {diagnostic.hint}" if diagnostic.hint else "")
    failure = f'<failure type="{escape(diagnostic.rule)}" message={message}>{_text(text)}</failure>'
    return f"{head}      {failure}\n    </testcase>\n"


def _attribute(text: str) -> str:
    return f'"{_text(text)}"'


def _text(text: str) -> str:
    """XML has no word for control characters, surrogates and two others."""
    return escape(plain(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff"))
