"""The answer to a run of another process that waits for approval, and who gives it."""

import getpass

from vhpipe.errors import UsageError
from vhpipe.project.open_run import OpenRun
from vhpipe.project.selectors import parse_selection
from vhpipe.store.requests import RequestKind, write_request
from vhpipe.wording import listed


def who() -> str:
    """The name of the user, for the record; some containers have users without one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "an unnamed user"


def answer_approval(run: OpenRun, node: str, kind: RequestKind) -> str:
    """Leave the answer for the engine; what the user should hear of that. Errors: UsageError if the node awaits none.

    `node` may be shortened.
    """
    name = parse_selection(node, tuple(run.view.nodes)).node
    if run.view.nodes[name].approval is None:
        awaiting = listed(one.name for one in run.view.awaiting)
        hint = f"these do: {awaiting}" if awaiting else f"nothing in run {run.view.number} does"
        raise UsageError(f"node `{name}` of run {run.view.number} awaits no approval", hint=hint)
    write_request(run.folder, kind, name, who())
    if run.folder.is_alive():
        return f"{'approved' if kind == 'approve' else 'rejected'} `{name}` of run {run.view.number}"
    return f"run {run.view.number} is not running: the answer counts when it is resumed"
