"""Which failures of the world concern one execution, and which the entire run."""

import errno

from vhpipe.errors import VhpipeError, from_os_error

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
