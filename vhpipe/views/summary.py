"""How much there is to say about files, in one line."""

from collections.abc import Iterable, Sequence

from vhpipe.diagnostics import SEVERITIES, Diagnostic


def render_summary(diagnostics: Iterable[Diagnostic], names: Sequence[str]) -> str:
    """How many there are of each severity, and in which file or how many files."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [_counted(severities.count(severity), severity) for severity in SEVERITIES if severity in severities]
    where = _printable(names[0]) if len(names) == 1 else f"{len(names)} files"
    return f"{', '.join(counts) or 'nothing to complain about'} in {where}"


def _counted(count: int, severity: str) -> str:
    if severity == "info":
        return f"{count} info"
    return f"{count} {severity}" if count == 1 else f"{count} {severity}s"


def _printable(name: str) -> str:
    if name.isprintable():
        return name
    from vhpipe.views.safe_text import one_line

    return one_line(name)
