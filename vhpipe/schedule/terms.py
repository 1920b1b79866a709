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


SETTLED = frozenset({Status.COMPLETE, Status.ERROR, Status.STOPPED, Status.CRASHED, Status.SKIPPED})


class Moment(StrEnum):
    """When a node's action is considered."""

    STARTING = "node-starting"
    COMPLETE = "node-complete"
    ERROR = "node-error"
