"""What a failure means, as tables: the docs draw theirs from these.

Source: decision 20.
"""

from typing import Literal, NamedTuple

from vhpipe.config.model import OnChildError, OnError
from vhpipe.schedule.terms import Status

ATTEMPTS_UNDER_RETRY = 3


class Siblings(NamedTuple):
    """What the other executions of the task do when one has failed for good."""

    go_on: bool


class Settling(NamedTuple):
    """How a node with failed executions settles: with any completed one, and with none."""

    some_completed: Status
    none_completed: Status


Outside = Literal["stop everything", "skip downstream"]

SIBLINGS: dict[OnError | OnChildError, Siblings] = {
    OnError.STOP_ALL: Siblings(go_on=False),
    OnError.STOP_NEXT: Siblings(go_on=True),
    OnError.CONTINUE: Siblings(go_on=True),
    OnError.RETRY: Siblings(go_on=False),
    OnChildError.CONTINUE_AND_COMPLETE: Siblings(go_on=True),
    OnChildError.CONTINUE_AND_ERROR: Siblings(go_on=True),
    OnChildError.STOP_ALL_AND_ERROR: Siblings(go_on=False),
}

SETTLING: dict[OnError, Settling] = {
    OnError.STOP_ALL: Settling(Status.ERROR, Status.ERROR),
    OnError.STOP_NEXT: Settling(Status.ERROR, Status.ERROR),
    OnError.CONTINUE: Settling(Status.COMPLETE, Status.ERROR),
    OnError.RETRY: Settling(Status.ERROR, Status.ERROR),
}

OUTSIDE: dict[OnError, Outside] = {
    OnError.STOP_ALL: "stop everything",
    OnError.STOP_NEXT: "skip downstream",
    OnError.CONTINUE: "skip downstream",
    OnError.RETRY: "stop everything",
}


def attempts_allowed(on_error: OnError) -> int:
    return ATTEMPTS_UNDER_RETRY if on_error is OnError.RETRY else 1


def siblings_go_on(on_error: OnError, on_child_error: OnChildError | None) -> bool:
    return SIBLINGS[on_child_error or on_error].go_on


def settled_status(on_error: OnError, on_child_error: OnChildError | None, completed: int, is_task: bool) -> Status:
    """The status of a node in which at least one execution has failed for good.

    A blueprint's on-child-error decides first; where it makes the task an error, the node's row has the last word.
    """
    if on_child_error is OnChildError.CONTINUE_AND_COMPLETE:
        return Status.COMPLETE
    row = SETTLING[on_error]
    return row.some_completed if completed or not is_task else row.none_completed


def stops_everything(on_error: OnError) -> bool:
    """Whether a node that is an error takes the entire run with it."""
    return OUTSIDE[on_error] == "stop everything"
