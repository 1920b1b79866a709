"""Findings as SARIF 2.1.0, with the fixes, for code scanning.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Sequence

from vhpipe import __version__
from vhpipe.diagnostics import Edit, Fix, RelatedPlace, Severity, Span
from vhpipe.views.formats.findings import FileFindings, KnownRule, ReportedFinding, encodable, reported_findings
from vhpipe.views.json_values import json_text

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
ROOT = "%SRCROOT%"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def render_sarif(findings: Sequence[FileFindings], rules: Sequence[KnownRule] = ()) -> str:
    """`rules` may have more than were found; of those found that it lacks only the id is written."""
    items = list(reported_findings(findings))
    severities = {item.diagnostic.rule: item.diagnostic.severity for item in items}
    known = {rule.id: rule for rule in rules}
    places = {rule: index for index, rule in enumerate(sorted(severities))}
    run = {
        "tool": {
            "driver": {
                "name": "vhpipe",
                "version": __version__,
                "rules": [_rule(rule, severities[rule], known.get(rule)) for rule in places],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "artifacts": [{"location": _artifact(file)} for file in findings],
        "results": [_result(item, places[item.diagnostic.rule]) for item in items],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(rule: str, severity: Severity, known: KnownRule | None) -> dict[str, object]:
    described: dict[str, object] = {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "defaultConfiguration": {"level": LEVELS[severity]},
    }
    if known is not None:
        described["shortDescription"] = {"text": known.summary}
        explain = f"vhpipe rules {rule}"
        described["help"] = {"text": f"{known.summary}: {explain}", "markdown": f"{known.summary} (more: `{explain}`)"}
        described["properties"] = {"tags": ["valohai", "fixable"] if known.fixable else ["valohai"]}
    return described


def _result(item: ReportedFinding, rule_index: int) -> dict[str, object]:
    diagnostic = item.diagnostic
    text = diagnostic.message if diagnostic.hint is None else f"{diagnostic.message}; {diagnostic.hint}"
    result: dict[str, object] = {
        "ruleId": diagnostic.rule,
        "ruleIndex": rule_index,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": encodable(text)},
        "locations": [{"physicalLocation": _physical(item.file, item.span)}],
        "partialFingerprints": {"vhpipe/v1": item.fingerprint},
    }
    if diagnostic.related:
        result["relatedLocations"] = [_related_location(item.file, related) for related in diagnostic.related]
    if diagnostic.fix is not None and diagnostic.fix.edits:
        result["fixes"] = [_fix(item.file, diagnostic.fix)]
    return result


def _related_location(file: FileFindings, related: RelatedPlace) -> dict[str, object]:
    return {
        "physicalLocation": _physical(file, file.span(related.at)),
        "message": {"text": encodable(related.message)},
    }


def _fix(file: FileFindings, fix: Fix) -> dict[str, object]:
    change = {
        "artifactLocation": _artifact(file),
        "replacements": [_replacement(file, edit) for edit in fix.edits],
    }
    return {"description": {"text": encodable(fix.title)}, "artifactChanges": [change]}


def _replacement(file: FileFindings, edit: Edit) -> dict[str, object]:
    return {"deletedRegion": _region(file.span(edit.at)), "insertedContent": {"text": encodable(edit.text)}}


def _physical(file: FileFindings, span: Span) -> dict[str, object]:
    return {"artifactLocation": _artifact(file), "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _artifact(file: FileFindings) -> dict[str, object]:
    """Relative to the root of the sources; a file outside of them has its whole address."""
    if file.name.startswith("/"):
        return {"uri": f"file://{_uri_path(file.name)}"}
    return {"uri": _uri_path(file.name), "uriBaseId": ROOT}


def _uri_path(name: str) -> str:
    """A path as URIs have it: whatever bytes the disk has are percent-encoded. No name is refused."""
    try:
        written = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no name of a disk
        written = name.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in written)
