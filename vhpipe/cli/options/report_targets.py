"""`--format` and `-o FORMAT=FILE`: where findings go, and in which format."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import UsageError
from vhpipe.views.formats.render import FORMATS
from vhpipe.wording import did_you_mean

if TYPE_CHECKING:
    from vhpipe.project.checked_file import CheckedFile


class ReportTarget(NamedTuple):
    """A format, and the file that it goes into."""

    format_name: str
    path: str


def format_here() -> str:
    """What is printed if nobody says: github in GitHub Actions, full where somebody looks, else one line each."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "full" if sys.stdout.isatty() else "concise"


def targets_of(written: Sequence[str]) -> tuple[ReportTarget, ...]:
    """What `-o FORMAT=FILE` asks for. Errors: UsageError."""
    return tuple(map(_target, written))


def _target(written: str) -> ReportTarget:
    name, equals, path = written.partition("=")
    if name not in FORMATS:
        raise UsageError(f"`--output`: there is no format `{name[:100]}`", did_you_mean(name, FORMATS))
    if not equals or not path:
        raise UsageError(f"`--output {written}` names no file", f"write `-o {name}=FILE`, or `--format {name}`")
    return ReportTarget(name, path)


def write_target(target: ReportTarget, files: "Sequence[CheckedFile]") -> None:
    from vhpipe.project.finding_reports import render_findings

    with open(target.path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(render_findings(target.format_name, files))
