"""What `vhpipe verify` says of one fault."""

from collections.abc import Iterator

from vhpipe.views.run_text import Commands
from vhpipe.views.safe_text import one_line

BAD = {"damaged": "has changed", "missing": "is missing", "unreadable": "cannot be read"}


def fault_text(state: str, what: str, run: int | None, command: str | None) -> Iterator[str]:
    """A line about the fault, and below it what to do about it."""
    where = f"run {run}: " if run is not None else ""
    yield one_line(f"{where}{what} {BAD[state]}" if state != "unreadable" else f"{where}{what}")
    if command is not None:
        yield f"  make it again: {command}"
    elif run is None:
        yield "  no run needs it: nothing to do"


def command_for(commands: Commands, run: int | None, kind: str | None, node: str | None) -> str | None:
    """What makes the bytes again; None where nothing can."""
    if run is None or kind != "output" or node is None:
        return None
    return commands.about(run, "resume", "--from", node)
