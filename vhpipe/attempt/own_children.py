"""Children of this process that are no attempts, such as hooks.

Whoever looks for the remains of an attempt finds them beside these, and must neither kill nor reap what is not its own.
"""

import threading


class OwnChildren:
    """Their process ids. A child is started and added, and all are looked at, with `lock` held."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes: set[int] = set()
