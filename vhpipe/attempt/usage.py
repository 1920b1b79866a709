"""What the process tree of an attempt has used, as the system counted it."""

from resource import RUSAGE_SELF, getrusage, struct_rusage

from vhpipe.attempt.launch import Usage

KIB = 1024


def usage_of(ended: struct_rusage) -> Usage:
    """What a child of this process has used, together with all descendants of its that were waited for.

    Its memory is not known where it is not above this process's own: a child begins in the memory of its parent, and
    the system counts that as its first peak.
    """
    peak = ended.ru_maxrss
    is_its_own = peak > getrusage(RUSAGE_SELF).ru_maxrss
    return Usage(round(ended.ru_utime + ended.ru_stime, 3), peak * KIB if is_its_own else None)
