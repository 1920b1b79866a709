"""What other processes ask of one run, as the engine looks for it: the files in its folder of requests."""

import os
from collections.abc import Sequence

from vhpipe.store.requests import Request, delete_request, open_wake, pending_requests
from vhpipe.store.run_folder import RunFolder


class RunRequests:
    """The requests folder of one run."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._wake = open_wake(run)

    def wake_descriptor(self) -> int:
        return self._wake

    def take(self) -> Sequence[Request]:
        return pending_requests(self._run)

    def delete(self, request: Request) -> None:
        delete_request(self._run, request.id)

    def close(self) -> None:
        os.close(self._wake)
