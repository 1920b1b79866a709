"""What can be done about a run that has ended without being all complete: the literal command."""

from vhpipe.schedule.terms import Status
from vhpipe.views.node_progress import ENGINE_GONE
from vhpipe.views.progress import RunView
from vhpipe.views.run_text import FROM_THE_PROJECT, Commands


def next_step(view: RunView, commands: Commands = FROM_THE_PROJECT) -> str | None:
    """One line with a command to copy; None where there is nothing to be done. Source: decision 64."""
    match view.status:
        case Status.ERROR:
            return f"when it is fixed: {commands.about(view.number, 'resume', '--with-changes')}"
        case Status.STOPPED if view.by_user:
            if view.was_refused:
                return f"to ask again: {commands.about(view.number, 'resume', '--with-changes')}"
            return f"to continue: {commands.about(view.number, 'resume')}"
        case Status.CRASHED if view.because == ENGINE_GONE:
            return f"to continue: {commands.about(view.number, 'resume')}"
        case Status.COMPLETE if any(node.counts.failed for node in view.nodes.values()):
            return f"to rerun what failed: {commands.about(view.number, 'resume', '--failed')}"
    return None
