"""How much there is to say about files, in one line."""

from collections.abc import Iterable, Sequence

from vhpipe.diagnostics import SEVERITIES, Diagnostic
from vhpipe.wording import counted

_PLURALS = {"error": "errors", "warning": "warnings", "info": "info"}


def render_summary(diagnostics: Iterable[Diagnostic], names: Sequence[str]) -> str:
    """How many there are of each severity, and in which file or how many files."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [counted(severities.count(each), each, _PLURALS[each]) for each in SEVERITIES if each in severities]
    where = _printable(names[0]) if len(names) == 1 else counted(len(names), "file")
    return f"{', '.join(counts) or 'nothing to complain about'} in {where}"


def _printable(name: str) -> str:
    if name.isprintable():
        return name
    from vhpipe.views.safe_text import one_line

    return one_line(name)
