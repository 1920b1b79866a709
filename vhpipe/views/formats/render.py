"""Findings in one of the formats that people and programs read; a format is imported when it is asked for."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vhpipe.views.formats.findings import FileFindings, KnownRule


class ReportFormat(NamedTuple):
    """Where the function of a format is, and what its readers expect.

    `is_for_people`: it may have colour. `is_silent_if_good`: it is empty where nothing was found. `is_from_root`: its
    readers know files by their place in the repository, not by where the check was started. `has_exact_fixes`: it says
    character by character what a fix changes. `describes_rules`: it tells of the rules by which something was found.
    """

    module: str
    function: str
    is_for_people: bool = False
    is_silent_if_good: bool = False
    is_from_root: bool = False
    has_exact_fixes: bool = False
    describes_rules: bool = False


FORMATS = {
    "full": ReportFormat("text", "render_full_text", is_for_people=True, is_silent_if_good=True),
    "concise": ReportFormat("text", "render_concise_text", is_for_people=True, is_silent_if_good=True),
    "json": ReportFormat("json", "render_json", has_exact_fixes=True),
    "sarif": ReportFormat("sarif", "render_sarif", is_from_root=True, has_exact_fixes=True, describes_rules=True),
    "github": ReportFormat("github", "render_github", is_silent_if_good=True, is_from_root=True),
    "gitlab": ReportFormat("gitlab", "render_gitlab", is_from_root=True),
    "junit": ReportFormat("junit", "render_junit", is_from_root=True),
}
"""The formats of `vhpipe validate` by name."""


def render(
    format_name: str, findings: "Sequence[FileFindings]", rules: "Sequence[KnownRule]" = (), color: bool = False
) -> str:
    """All findings as one text that ends with a newline; full, concise and github are empty where there are none.

    `findings` has every file that was checked, the good ones too: some formats name them. `rules` are what SARIF can
    tell of the rules by which something was found. `color` counts for the formats for people only.
    """
    wanted = FORMATS[format_name]
    renderer = getattr(import_module(f"vhpipe.views.formats.{wanted.module}"), wanted.function)
    more = ((color,) if wanted.is_for_people else ()) or ((rules,) if wanted.describes_rules else ())
    text: str = renderer(findings, *more)
    return text
