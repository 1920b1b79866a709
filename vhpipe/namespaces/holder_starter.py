"""Processes that a holder starts: for who may not mount anything in the namespaces that it is in."""

import os
from collections.abc import Callable
from contextlib import suppress
from resource import struct_rusage

from vhpipe.namespaces.holder import Holder, HolderGoneError
from vhpipe.namespaces.starters import Ended, StartRequest


class HolderStarter:
    """Has a holder start them, and another one when that was killed. `changed` hears of every new holder's id.

    Errors of making one: OSError.
    """

    leader_waits = False

    def __init__(self, state: str | None, is_covered: bool, all_ids: bool, changed: Callable[[int], None]) -> None:
        self._state, self._is_covered, self._all_ids, self._changed = state, is_covered, all_ids, changed
        self._holder: Holder | None = self._new()

    def _new(self) -> Holder:
        holder = Holder(self._state, self._is_covered, self._all_ids)
        self._changed(holder.process)
        return holder

    def start(self, request: StartRequest) -> int:
        if self._holder is None:
            self._holder = self._new()
        try:
            return self._holder.start(*request[:-1])
        except HolderGoneError as gone:
            self._forget()
            raise ChildProcessError(0, "the process that starts steps was killed", "holder") from gone

    def wait(self, process: int) -> Ended | None:
        """When the holder is gone, its children have become those of the nearest process that adopts orphans."""
        if self._holder is not None:
            try:
                status, used = self._holder.wait(process)
                return status, struct_rusage(used)
            except HolderGoneError:
                self._forget()
            except ChildProcessError:  # one that an earlier holder has started
                pass
        with suppress(ChildProcessError):
            return os.wait4(process, 0)[1:]
        return None

    def _forget(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def close(self) -> None:
        self._forget()
