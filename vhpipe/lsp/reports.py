"""Findings as the protocol has them."""

from lsprotocol import types

from vhpipe.lsp.open_text import OpenText
from vhpipe.views.report import MAX_RELATED, PlacedDiagnostic

SOURCE = "vhpipe"
SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}


def as_diagnostic(checked: OpenText, uri: str, item: PlacedDiagnostic) -> types.Diagnostic:
    """A finding with its hint on a line of its own and its second places."""
    found = item.diagnostic
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(uri, checked.positions.range_of(checked.span(second.at))), second.message
        )
        for second in found.related[:MAX_RELATED]
    ]
    return types.Diagnostic(
        range=checked.positions.range_of(item.span),
        message=found.message if found.hint is None else f"{found.message}\nhint: {found.hint}",
        severity=SEVERITIES[found.severity],
        code=found.rule,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if _is_spare(found.rule) else None,
        related_information=related or None,
    )


def _is_spare(rule: str) -> bool:
    """Editors fade what could go."""
    return rule.startswith("unused-") or rule in ("useless-property", "ignored-key")
