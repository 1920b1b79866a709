"""How to call vhpipe about a run of a project."""

import os
from pathlib import Path

from vhpipe.views.run_text import FROM_THE_PROJECT, Commands


def commands_from_here(project: Path) -> Commands:
    """How to call vhpipe about a run of the project from the current folder."""
    here = os.path.realpath(os.curdir) == os.path.realpath(project)
    return FROM_THE_PROJECT if here else Commands(("--project", os.path.relpath(project)))
