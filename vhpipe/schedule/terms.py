"""The words that stimuli, events and effects have in common."""

from enum import StrEnum

JOURNAL_FORMAT = 1

Json = object
"""A value as JSON has it."""


class Status(StrEnum):
    """Valohai's statuses and `skipped`; the same family for runs, nodes, executions and attempts."""

    CREATED = "created"
    QUEUED = "queued"
    STARTED = "started"
    COMPLETE = "complete"
    ERROR = "error"
    STOPPED = "stopped"
    CRASHED = "crashed"
    SKIPPED = "skipped"


_ENDINGS: dict[str, str] = {
    Status.ERROR: "failed", Status.CRASHED: "crashed", Status.STOPPED: "was stopped", Status.SKIPPED: "was skipped",
}  # fmt: skip


def what_became(status: str) -> str:
    """A status as the predicate of a sentence: `failed`, `was skipped`, `is queued`."""
    return _ENDINGS.get(status, f"is {status}")


def ending_word(status: str) -> str:
    """A status behind a name in a line of text: `failed` for `error`, else as it is."""
    return "failed" if status == Status.ERROR else status


SETTLED = frozenset({Status.COMPLETE, Status.ERROR, Status.STOPPED, Status.CRASHED, Status.SKIPPED})


class Moment(StrEnum):
    """When a node's action is considered."""

    STARTING = "node-starting"
    COMPLETE = "node-complete"
    ERROR = "node-error"
