"""Which failures of the world concern one execution, and which the entire run."""

import errno

from vhpipe.errors import EnvironmentFailure, VhpipeError, from_os_error
from vhpipe.namespaces.syscalls import CALLS

FATAL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""What no other execution would survive either: the run ends with an environment failure."""


def survivable(failure: Exception, doing: str) -> str:
    """The text of a failure that concerns one execution; one that concerns all is raised as `VhpipeError`."""
    cause = failure if isinstance(failure, OSError) else failure.__cause__
    if isinstance(cause, OSError) and cause.errno in FATAL_ERRNOS:
        raise failure if isinstance(failure, VhpipeError) else from_os_error(cause, doing)
    if isinstance(failure, OSError):
        return from_os_error(failure, doing).message
    return failure.message if isinstance(failure, VhpipeError) else str(failure)


def survivable_start(failure: OSError) -> str:
    """As `survivable`, of a process that could not be started: it, or the tree of files that it was to see."""
    if failure.filename not in CALLS:
        return survivable(failure, "cannot start")
    call = f"{failure.filename}, errno {failure.errno}"
    refused = EnvironmentFailure(
        f"the system refuses the step its /valohai: {failure.strerror} ({call}); `vhpipe doctor` says more"
    )
    refused.__cause__ = failure
    return survivable(refused, "cannot start")
