"""Where runs are possible at all."""

import sys

from vhpipe.errors import UsageError


def refuse_other_systems() -> None:
    """Errors: UsageError where runs are not possible. Source: decision 32."""
    if sys.platform != "linux":
        raise UsageError("vhpipe runs pipelines on Linux and WSL2 only", "checking, planning and drawing work here")
