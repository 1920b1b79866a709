"""Whether a command is worth a closer look at what it installs: most are not, and every run asks."""

from collections.abc import Sequence

HINTS = ("install", ".sh", "source", "pip sync", "pip-sync", "setup.py", "poetry")
"""In every command that installs packages there is one of these."""


def may_install(items: Sequence[str]) -> bool:
    """Whether reading the items closely could find an install."""
    for item in items:
        for hint in HINTS:
            if hint in item:
                return True
    return False
