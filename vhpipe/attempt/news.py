"""What is heard of an attempt while it runs, and at its end."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from vhpipe.plan.model import AttemptId
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Json


class ProcessStarted(NamedTuple):
    """The process of the step is there."""

    attempt: AttemptId


class MetadataFound(NamedTuple):
    """Objects that the step has printed since the last such news, in order, each with something in it."""

    attempt: AttemptId
    objects: Sequence[Mapping[str, Json]]


class MetricsPublished(NamedTuple):
    """Points that the step has published, each with its time in seconds since the epoch."""

    attempt: AttemptId
    points: Sequence[tuple[float, Mapping[str, Json]]]


AttemptNews = ProcessStarted | MetadataFound | MetricsPublished | stimuli.StopConditionMet | stimuli.AttemptReported
"""`AttemptReported` is the last of every attempt, and comes once."""

HearNews = Callable[[AttemptNews], None]
