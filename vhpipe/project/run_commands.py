"""How to call vhpipe about a run of a project."""

import os
from pathlib import Path

from vhpipe.store.state_place import chosen_state
from vhpipe.views.run_text import FROM_THE_PROJECT, Commands


def commands_from_here(project: Path) -> Commands:
    """How to call vhpipe about a run of the project from the current folder."""
    here = os.path.realpath(os.curdir) == os.path.realpath(project)
    state = state_options()
    if here:
        return Commands(state) if state else FROM_THE_PROJECT
    return Commands(("--project", os.path.relpath(project), *state))


def state_options() -> tuple[str, ...]:
    """The words that lead to the state that this command line has chosen; none where it has not."""
    chosen = chosen_state()
    return () if chosen is None else ("--state", os.path.relpath(chosen))
