"""Children of this process that somebody here has started and waits for: attempts of all places, hooks.

Whoever looks for the remains of an attempt finds them beside these, and must neither kill nor reap what is not its own.
"""

import threading


class OwnChildren:
    """Their process ids. All are looked at with `lock` held, and so are children started and added by other threads
    than the engine's.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes: set[int] = set()
