"""Findings in one of the formats that people and programs read; a format is imported when it is asked for."""

from collections.abc import Sequence
from importlib import import_module

from vhpipe.views.formats.findings import FileFindings, KnownRule

FORMATS = {
    "full": ("vhpipe.views.formats.text", "render_full_text"),
    "concise": ("vhpipe.views.formats.text", "render_concise_text"),
    "json": ("vhpipe.views.formats.json", "render_json"),
    "sarif": ("vhpipe.views.formats.sarif", "render_sarif"),
    "github": ("vhpipe.views.formats.github", "render_github"),
    "gitlab": ("vhpipe.views.formats.gitlab", "render_gitlab"),
    "junit": ("vhpipe.views.formats.junit", "render_junit"),
}
"""Name of a format → module and function."""


def render(format_name: str, findings: Sequence[FileFindings], rules: Sequence[KnownRule] = ()) -> str:
    """All findings as one text that ends with a newline; full, concise and github are empty where there are none.

    `findings` has every file that was checked, the good ones too: some formats name them. `rules` are what SARIF can
    tell of the rules by which something was found.
    """
    module, function = FORMATS[format_name]
    renderer = getattr(import_module(module), function)
    text: str = renderer(findings, rules) if format_name == "sarif" else renderer(findings)
    return text
