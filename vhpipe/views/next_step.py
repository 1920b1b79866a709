"""What can be done about a run that has ended without being all complete: the literal command."""

import re

from vhpipe.schedule.terms import Status
from vhpipe.views.node_progress import ENGINE_GONE, FAILED
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import FROM_THE_PROJECT, Commands

_PLACE = re.compile(r"`--in ([a-z]+)`")
"""What the reason of a failure advises, in its own words."""


def next_step(view: RunView, commands: Commands = FROM_THE_PROJECT) -> str | None:
    """One line with a command to copy; None where there is nothing to be done. Source: decision 64."""
    match view.status:
        case Status.ERROR:
            fixed = f"when it is fixed: {commands.about(view.number, 'resume', '--with-changes')}"
            place = _place_that_helps(view)
            if place is None:
                return fixed
            return f"{fixed}; at another place: {commands.about(view.number, 'resume', '--failed', '--in', place)}"
        case Status.STOPPED if view.by_user:
            if view.was_refused:
                return f"to ask again: {commands.about(view.number, 'resume', '--with-changes')}"
            return f"to continue: {commands.about(view.number, 'resume')}"
        case Status.CRASHED if view.because == ENGINE_GONE:
            return f"to continue: {commands.about(view.number, 'resume')}"
        case Status.COMPLETE if any(node.counts.failed for node in view.nodes.values()):
            return f"to rerun what failed: {commands.about(view.number, 'resume', '--failed')}"
    return None


def _place_that_helps(view: RunView) -> str | None:
    """The place that the reason of a failure names as one where it would not fail."""
    failed = (each for node in view.nodes.values() for each in node.known_executions() if each.status in FAILED)
    reasons = (each.attempts[-1].because or "" for each in failed if each.attempts)
    found = next(filter(None, map(_PLACE.search, reasons)), None)
    return found[1] if found else None
