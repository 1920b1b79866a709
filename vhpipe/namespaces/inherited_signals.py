"""What this program ignores, because Python does, and no step is to ignore for that."""

import signal

IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def heed_again() -> None:
    """Have this process heed them, which is about to become another program."""
    for number in IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
