"""What becomes of the metadata that a step prints: stop-conditions are looked at, and who wants it hears it.

Source: decision 23; the expressions are those of node actions.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from vhpipe.attempt.news import HearNews, MetadataFound
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.config.model import Value
from vhpipe.plan.execution import in_declared_types
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Json

if TYPE_CHECKING:
    from vhpipe.language.conditions import Condition

Measured = Callable[[Mapping[str, Json], Sequence[Mapping[str, Json]]], None]
"""Hears the last value of every key, and the objects that have come since it heard last, each with something in it."""


def measurements_of(spec: AttemptSpec, hear: HearNews) -> Measured | None:
    """Who is to hear what the attempt measures; None where nothing depends on it.

    `hear` gets each condition that is met, once, and of all metadata if the spec says so.
    """
    execution = spec.execution
    of_step, of_task = execution.step.stop_condition, execution.task_stop_condition
    conditions = [(text, is_of_task) for text, is_of_task in ((of_step, False), (of_task, True)) if text]
    if not conditions and not spec.reports_metadata:
        return None
    parameters = in_declared_types(execution.step, execution.values) if conditions else {}

    def measured(metadata: Mapping[str, Json], found: Sequence[Mapping[str, Json]]) -> None:
        for each in tuple(conditions):
            if _holds(each[0], metadata, parameters):
                conditions.remove(each)
                hear(stimuli.StopConditionMet(spec.id, *each))
        if spec.reports_metadata:
            hear(MetadataFound(spec.id, found))

    return measured


def _holds(condition: str, metadata: Mapping[str, Json], parameters: Mapping[str, Value]) -> bool:
    from vhpipe.language.conditions import holds

    return holds(_parsed(condition), metadata, parameters).holds


@lru_cache
def _parsed(text: str) -> "Condition":
    """The executions of a node share their conditions."""
    from vhpipe.language.conditions import parse_condition

    return parse_condition(text)
