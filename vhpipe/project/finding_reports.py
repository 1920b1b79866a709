"""What is reported of checked files, in one of the formats of `vhpipe validate`."""

import os
from collections.abc import Sequence

from vhpipe.diagnostics import Diagnostic
from vhpipe.project.checked_file import STDIN, CheckedFile
from vhpipe.settings.files import git_root
from vhpipe.views.formats.findings import FileFindings
from vhpipe.views.formats.render import FORMATS, ReportFormat, render


def render_findings(format_name: str, files: Sequence[CheckedFile], color: bool = False) -> str:
    """What is reported of files, in a format; colour only for people. Good files alone may need no word."""
    wanted = FORMATS[format_name]
    findings = [FileFindings(_name(file, wanted), file.source, _diagnostics(file, wanted)) for file in files]
    if not wanted.describes_rules:
        return render(format_name, findings, color=color)
    from vhpipe.rules.catalogue import all_rules

    return render(format_name, findings, all_rules())


def _name(file: CheckedFile, wanted: ReportFormat) -> str:
    if file.path == STDIN or not wanted.is_from_root:
        return file.name
    absolute = os.path.abspath(file.path)
    root = git_root(os.path.dirname(absolute)) or os.getcwd()
    relative = os.path.relpath(absolute, root)
    return absolute if relative.startswith("..") else relative.replace(os.sep, "/")


def _diagnostics(file: CheckedFile, wanted: ReportFormat) -> tuple[Diagnostic, ...]:
    return tuple(map(file.exact, file.diagnostics)) if wanted.has_exact_fixes else file.diagnostics
